"""Markdown as one HTML file."""

from pathlib import Path

from flair_jointner.studies.html_page import html_page


def test_the_first_line_is_the_title():
    page = html_page("# A <b> & C\n\n| a | b |\n| --- | ---: |\n| 1 | 2 |\n", Path())
    assert "<title>A &lt;b&gt; &amp; C</title>" in page
    assert page.startswith("<!doctype html>") and page.count("<table>") == 1


def test_a_picture_is_in_the_page(tmp_path):
    (tmp_path / "my pictures").mkdir()
    (tmp_path / "my pictures" / "a&b.svg").write_text("<svg/>", encoding="utf-8")
    page = html_page("# Ours\n\n![y](my%20pictures/a&b.svg)\n", tmp_path)
    assert 'src="data:image/svg+xml;base64,PHN2Zy8+"' in page


def test_what_cannot_be_in_the_page_keeps_its_address(tmp_path):
    (tmp_path / "of.unknownkind").write_text("?", encoding="utf-8")
    page = html_page("# Ours\n\n![x](gone.png) ![z](of.unknownkind)\n", tmp_path)
    assert 'src="gone.png"' in page and 'src="of.unknownkind"' in page
