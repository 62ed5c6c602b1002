"""Fonts are found by the characters that they have, on fonts that the tests make."""

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from flair_jointner.inference.fonts import find_families

# Private characters, which no installed font has.
FIRST, SECOND, THIRD = "\U000f1001", "\U000f1002", "\U000f1003"


def make_font(file, family, characters):
    """A font with a box for each character."""
    pen = TTGlyphPen(None)
    for place, point in enumerate([(0, 0), (0, 500), (500, 500), (500, 0)]):
        (pen.lineTo if place else pen.moveTo)(point)
    pen.closePath()
    names = [".notdef", *(f"glyph{place}" for place in range(len(characters)))]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(dict(zip(map(ord, characters), names[1:], strict=True)))
    builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.save(file)
    return str(file)


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs fonts, of which matplotlib's list does not know yet."""
    monkeypatch.setattr(font_manager.fontManager, "ttflist", list(font_manager.fontManager.ttflist))

    def install(**families):
        files = [
            make_font(tmp_path / f"{family}.ttf", family, characters)
            for family, characters in families.items()
        ]
        monkeypatch.setattr(font_manager, "findSystemFonts", lambda: files)

    return install


def test_latin_and_spaces_need_no_other_font(install):
    install()
    assert find_families("Áo thun – đen\u200d\ufe0f\u00a0x") == ["DejaVu Sans"]


def test_the_fonts_that_have_most_of_what_is_missing_are_taken(install):
    install(Alpha=FIRST, Beta=FIRST + SECOND, Gamma=THIRD)
    assert find_families(f"a {FIRST}{SECOND}{THIRD}") == ["DejaVu Sans", "Beta", "Gamma"]
    assert find_families(f"a {THIRD}") == ["DejaVu Sans", "Gamma"]


def test_a_missing_character_is_named_with_what_to_do(install, tmp_path):
    install(Alpha=FIRST)
    with pytest.raises(ValueError, match="No installed font has") as error:
        find_families(f"a {FIRST}{SECOND}")
    assert SECOND in str(error.value) and FIRST not in str(error.value)
    assert ".svg or .html" in str(error.value) and "Noto" in str(error.value)


def test_a_file_that_is_no_font_is_passed_over(install, tmp_path, monkeypatch):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(tmp_path / "broken.ttf")])
    with pytest.raises(ValueError, match="No installed font"):
        find_families(FIRST)
