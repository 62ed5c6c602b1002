"""An explanation as one HTML file that needs no other."""

from html import escape

from flair_jointner.inference.explanation import Explanation
from flair_jointner.inference.labels import printable

_STYLE = """
body { font-family: sans-serif; margin: 2em; color: #222; }
figure { margin: 0 0 2em; }
.picture { overflow-x: auto; }
figcaption { color: #555; max-width: 50em; }
table { border-collapse: collapse; }
th, td { padding: 0.25em 0.8em; text-align: left; border-bottom: 1px solid #ddd; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.weight { color: #555; margin-right: 0.8em; }
"""
_READING = (
    "Each row is a query token and shows how it shares its attention among the key tokens: the "
    "darker, the more. A low temperature lets a token choose sharply, a high one evenly."
)
_READING_SOFT = (
    "Each token has one weight, by which its own hidden state is multiplied: the darker, the "
    "higher."
)


def explanation_page(explanation: Explanation, picture: str) -> str:
    """Writes the page.

    Args:
        explanation: The explanation.
        picture: Its figure as SVG.

    Returns:
        The HTML: the figure, and a table with each token's tag, its probability, the learned
        temperature, and the tokens that it attends to most by their weight (a mean over the heads).
    """
    title = _text(explanation.text)
    svg = picture[picture.index("<svg") :]
    reading = _READING if explanation.heads else _READING_SOFT
    rows = "\n".join(_row(explanation, place) for place in range(len(explanation.tokens)))
    return f"""<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1 dir="auto">{title}</h1>
<figure>
<div class="picture">{svg}</div>
<figcaption>{reading}</figcaption>
</figure>
<table>
<thead><tr>{"".join(f"<th>{name}</th>" for name in _headings(explanation))}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


def _headings(explanation: Explanation) -> list[str]:
    learned = ["temperature"] if explanation.highest_temperature is not None else []
    last = "attends to most (mean over the heads)" if explanation.heads else "weight"
    return ["", "token", "tag", "score", *learned, last]


def _row(explanation: Explanation, place: int) -> str:
    cells = [
        _number(str(place + 1)),
        f'<td dir="auto">{_text(explanation.tokens[place])}</td>',
        f"<td>{_text(explanation.tags[place])}</td>",
        _number(f"{explanation.tag_scores[place]:.2f}"),
    ]
    if explanation.highest_temperature is not None and explanation.temperatures is not None:
        cells.append(_number(f"{explanation.temperatures[place]:.2f}"))
    if explanation.heads:
        most = "".join(
            f"<bdi>{_text(explanation.tokens[other])}</bdi> ({other + 1}) "
            f'<span class="weight">{weight:.2f}</span>'
            for other, weight in explanation.attended(place)
        )
        cells.append(f"<td>{most}</td>")
    else:
        cells.append(_number(f"{explanation.weights[place]:.3f}"))
    return f"<tr>{''.join(cells)}</tr>"


def _number(value: str) -> str:
    return f'<td class="number">{value}</td>'


def _text(text: str) -> str:
    return escape(printable(text))
