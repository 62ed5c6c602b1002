"""The files are of the format that their names say."""

import xml.etree.ElementTree as ElementTree

import pytest
import tiny

from flair_jointner.inference import explain
from flair_jointner.inference.pictures import draw, picture_format

TOKENS = ["mibal", "<b>", "$x_1$", "a&b", "น้ำ", "黑色", "x\x00y"]
LATIN = ["mibal", "<b>", "$x_1$", "a&b"]


def explained(tokens, attention="learned"):
    return explain(tiny.joint_tagger(attention=attention), tokens)


@pytest.mark.parametrize("attention", ["learned", "unscaled", "soft"])
@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("a.PNG", b"\x89PNG"), ("a.pdf", b"%PDF")]
)
def test_png_and_pdf_are_written(tmp_path, name, start, attention):
    file = draw(explained(LATIN, attention), tmp_path / name)
    assert file == tmp_path / name
    assert file.read_bytes().startswith(start)


@pytest.mark.parametrize("attention", ["learned", "soft"])
def test_svg_is_xml_with_text_as_text(tmp_path, attention):
    file = draw(explained(TOKENS, attention), str(tmp_path / "a.svg"))
    root = ElementTree.parse(file).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert texts >= {*TOKENS[:-1], "x�y"}


def test_html_is_one_file_with_the_figure_and_each_token(tmp_path):
    page = draw(explained(TOKENS), tmp_path / "a.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "<svg " in page and page.count("<!DOCTYPE") == 1
    for token in ("&lt;b&gt;", "$x_1$", "a&amp;b", "น้ำ", "黑色", "x�y"):
        assert token in page
    assert "<b>" not in page


@pytest.mark.parametrize("name", ["a.svg", "a.html"])
def test_the_same_explanation_gives_the_same_file(tmp_path, name):
    found = explained(LATIN)
    first, second = (draw(found, tmp_path / f"{n}{name}") for n in "12")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("name", ["a.png", "a.pdf"])
def test_a_character_without_a_font_stops_glyphs_only(tmp_path, name):
    found = explained(["mibal", "\U000f1234"])
    with pytest.raises(ValueError, match=r"write \.svg or \.html"):
        draw(found, tmp_path / name)
    assert not (tmp_path / name).exists()
    assert draw(found, tmp_path / "a.svg").exists()


@pytest.mark.parametrize("name", ["a", "a.gif", "a.html.gz"])
def test_an_unknown_ending_is_refused_with_the_choices(tmp_path, name):
    with pytest.raises(ValueError, match=r"\.png, \.svg, \.pdf, \.html"):
        picture_format(name)
    with pytest.raises(ValueError, match="has to end in"):
        draw(explained(LATIN), tmp_path / name)
