"""Explanations as files: PNG, SVG, PDF or HTML."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import matplotlib

from flair_jointner.inference.attention_figure import attention_figure
from flair_jointner.inference.explanation import Explanation
from flair_jointner.inference.explanation_page import explanation_page
from flair_jointner.inference.fonts import find_families
from flair_jointner.inference.labels import printable

PICTURE_FORMATS = (".png", ".svg", ".pdf", ".html")


def picture_format(file: str | Path, possible: Sequence[str] = PICTURE_FORMATS) -> str:
    """The format that a file name stands for.

    Args:
        file: The picture's name.
        possible: The formats.

    Returns:
        One of them.

    Raises:
        ValueError: If the name ends in none of them.
    """
    suffix = Path(file).suffix.lower()
    if suffix not in possible:
        raise ValueError(f"{file} has to end in one of {', '.join(possible)}.")
    return suffix


def draw(explanation: Explanation, file: str | Path) -> Path:
    """Draws an explanation into a file; see :func:`attention_figure` for what it shows.

    SVG and HTML hold text as text, which the fonts of the browser show. PNG and PDF hold glyphs of
    the fonts that are installed here.

    Args:
        explanation: The explanation.
        file: The picture to write; its ending gives the format. A missing folder is made.

    Returns:
        The file.

    Raises:
        ValueError: If the ending is unknown, or PNG or PDF lack a font for a character.
    """
    file = Path(file)
    kind = picture_format(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    if kind == ".svg":
        file.write_text(_svg(explanation), encoding="utf-8")
    elif kind == ".html":
        file.write_text(explanation_page(explanation, _svg(explanation)), encoding="utf-8")
    else:
        families = find_families(_shown_text(explanation))
        with matplotlib.rc_context({"font.family": families, "pdf.fonttype": 42}):
            attention_figure(explanation).savefig(file, dpi=150, bbox_inches="tight")
    return file


def _svg(explanation: Explanation) -> str:
    """The figure as SVG; the same explanation gives the same text."""
    stream = io.StringIO()
    with (
        matplotlib.rc_context(
            {"svg.fonttype": "none", "svg.hashsalt": "explanation", "font.family": "sans-serif"}
        ),
        warnings.catch_warnings(),
    ):
        # matplotlib measures the text with its own font, and the browser chooses another one.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = attention_figure(explanation)
        figure.savefig(stream, format="svg", bbox_inches="tight", metadata={"Date": None})
    return stream.getvalue()


def _shown_text(explanation: Explanation) -> str:
    parts = [explanation.text, *(entity.type for entity in explanation.entities)]
    if explanation.category is not None:
        parts.append(explanation.category[0])
    return printable("".join(parts))
