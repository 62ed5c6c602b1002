"""The figure of an explanation: a heat map per head, and the temperature of each query token."""

import math
from typing import Any

from matplotlib.figure import Figure

from flair_jointner.inference.explanation import Explanation
from flair_jointner.inference.explanation_text import describe_attention
from flair_jointner.inference.labels import clip, printable, width

MOST_TOKENS = 60
"""A figure shows the first so many tokens of a sentence, and says so if there are more."""

# Lengths in inches.
_CELLS = (0.16, 0.3)  # a token of a heat map, in long and in short sentences
_SIDE = 4.0  # of a heat map, within the bounds of its cells
_LEAST_SIDE = 1.2
_MOST_WIDTH = 23.0  # of all heat maps side by side
_GAP = 0.3  # between heat maps
_BARS = 1.2  # width of the temperatures
_SCALE = 0.15  # width of the colour bar
_STRIP = 0.6  # height of the weights of soft attention
_LINE = 0.19  # height of a line of the title
_LEAST_TITLE = 6.0  # width of the title

_MOST_ACROSS = 4  # heat maps side by side
_TITLE_SIZE = 9.0  # points
_COLUMNS_OF_A_TOKEN = 18
_COLUMNS_OF_AN_ENTITY = 60
_TYPE_COLOURS = ("#c1272d", "#0a7d4d", "#7a3e9d", "#b35900", "#006d8f", "#a0185f", "#5c6b00")
_GREY = "#555555"


def attention_figure(explanation: Explanation) -> Figure:
    """Draws an explanation.

    Rows are query tokens and columns key tokens; all heads share one colour scale. Beside them
    stand the learned temperatures, at the rows that they divide. Tokens have the colour of their
    entity's type, which the title names. A cell is 0.3 inches wide in a short sentence and 0.16 in
    a long one; from 60 tokens on the figure shows the first 60 and says so.

    Args:
        explanation: The explanation.

    Returns:
        The figure, to be saved with ``bbox_inches="tight"``, since labels stand out of it.
    """
    return _draw_heads(explanation) if explanation.heads else _draw_strip(explanation)


class _Canvas:
    """A figure measured in inches, with what all figures of an explanation have."""

    def __init__(self, explanation: Explanation, across: float, up: float) -> None:
        self.explanation = explanation
        self.figure = Figure(figsize=(across, up))
        self.across, self.up = across, up
        self.labels = [clip(t, _COLUMNS_OF_A_TOKEN) for t in explanation.tokens[:MOST_TOKENS]]
        types = dict.fromkeys(entity.type for entity in explanation.entities)
        self._colours = {
            type_: _TYPE_COLOURS[place % len(_TYPE_COLOURS)] for place, type_ in enumerate(types)
        }

    def axes(self, left: float, bottom: float, across: float, up: float) -> Any:
        """Axes at a place in inches, with pale edges."""
        axes = self.figure.add_axes(
            (left / self.across, bottom / self.up, across / self.across, up / self.up)
        )
        axes.tick_params(length=2, color=_GREY)
        axes.spines[:].set_color("#bbbbbb")
        return axes

    def show_tokens(self, axis: Any, cell: float) -> None:
        """Writes the tokens at an axis, in the colours of their entities."""
        # Unparsed, because a token may hold the $ that starts a formula.
        size = min(9.0, 0.7 * 72 * cell)
        axis.set_ticks(range(len(self.labels)), self.labels, fontsize=size, parse_math=False)
        for entity in self.explanation.entities:
            for label in axis.get_ticklabels()[entity.start : entity.end]:
                label.set_color(self._colours[entity.type])

    def show_tokens_below(self, axes: Any, cell: float) -> None:
        """Writes the tokens below axes, each upwards to its tick."""
        self.show_tokens(axes.xaxis, cell)
        for label in axes.get_xticklabels():
            # Anchored at its end, so that it stays at its tick in whatever font a browser takes.
            label.set(rotation=90, rotation_mode="anchor", ha="right", va="center")

    def show_scale(self, image: Any, left: float, bottom: float, up: float) -> None:
        """Draws the colour bar."""
        bar = self.figure.colorbar(image, cax=self.axes(left, bottom, _SCALE, up))
        bar.set_label("attention weight", fontsize=8)
        bar.ax.tick_params(labelsize=7)
        bar.outline.set_edgecolor("#bbbbbb")

    def show_title(self, bottom: float, across: float) -> None:
        """Writes the class, the entities by their types, and what the attention was."""
        lines = self._title_lines(int(max(across, _LEAST_TITLE) * 72 / (0.6 * _TITLE_SIZE)))
        for place, (line, colour) in enumerate(reversed(lines)):
            self.figure.text(
                0,
                (bottom + place * _LINE) / self.up,
                line,
                color=colour,
                fontsize=_TITLE_SIZE,
                parse_math=False,
            )

    def _title_lines(self, columns: int) -> list[tuple[str, str]]:
        explanation = self.explanation
        lines = []
        if explanation.category is not None:
            value, score = explanation.category
            lines.append((f"{printable(value)} {score:.2f}", "black"))
        for type_, colour in self._colours.items():
            items = [
                f"{clip(entity.text, _COLUMNS_OF_AN_ENTITY)} {entity.score:.2f}"
                for entity in explanation.entities
                if entity.type == type_
            ]
            lines += [(line, colour) for line in _wrap(f"{printable(type_)}: ", items, columns)]
        if not explanation.entities:
            lines.append(("no entity", "black"))
        last = describe_attention(explanation)
        if len(explanation.tokens) > MOST_TOKENS:
            last += f"; the first {MOST_TOKENS} of {len(explanation.tokens)} tokens"
        return [*lines, (last, _GREY)]


def _draw_heads(explanation: Explanation) -> Figure:
    shown = min(len(explanation.tokens), MOST_TOKENS)
    side = max(shown * _cell(shown), _LEAST_SIDE)
    down, across = _grid(explanation.heads, side)
    step = side + _GAP
    canvas = _Canvas(explanation, across * step + _BARS, down * step)
    highest = explanation.weights[:, :shown, :shown].max()
    for head, weights in enumerate(explanation.weights[:, :shown, :shown]):
        row, column = divmod(head, across)
        axes = canvas.axes(column * step, (down - 1 - row) * step, side, side)
        axes.set_title(f"head {head + 1}", fontsize=8, color=_GREY, pad=3)
        image = axes.imshow(
            weights, cmap="Blues", vmin=0, vmax=highest, aspect="auto", interpolation="none"
        )
        axes.set(xticks=[], yticks=[])
        if column == 0:
            canvas.show_tokens(axes.yaxis, side / shown)
            axes.set_ylabel("query token", fontsize=8, color=_GREY)
        if head + across >= explanation.heads:
            canvas.show_tokens_below(axes, side / shown)
            axes.set_xlabel("key token", fontsize=8, color=_GREY)
    right = across * step
    if explanation.highest_temperature is not None:
        for row in range(down):
            axes = canvas.axes(right, (down - 1 - row) * step, _BARS, side)
            _draw_temperatures(axes, explanation, side / shown)
            if row < down - 1:
                axes.set_xticks([])
        right += _BARS + _GAP
    canvas.show_scale(image, right, (down - 1) * step, side)
    canvas.show_title(down * step + 0.05, right)
    return canvas.figure


def _draw_temperatures(axes: Any, explanation: Explanation, cell: float) -> None:
    """Bars from the least temperature that is possible, at the height of their query tokens."""
    values, highest = explanation.temperatures, explanation.highest_temperature
    assert values is not None and highest is not None  # for the type checker; callers look first
    values = values[:MOST_TOKENS]
    axes.barh(range(len(values)), values - 1, left=1, height=0.7, color="#e8b470")
    axes.set(ylim=(len(values) - 0.5, -0.5), yticks=[], xlim=(1, highest))
    axes.set_xticks([1, highest], ["1", f"{highest:.2f}"], fontsize=7)
    axes.set_title("temperature", fontsize=8, color=_GREY, pad=3)
    for place, value in enumerate(values):
        axes.annotate(
            f"{value:.2f}", (1, place), (2, 0), textcoords="offset points", va="center",
            fontsize=min(7.0, 0.6 * 72 * cell),
        )  # fmt: skip


def _draw_strip(explanation: Explanation) -> Figure:
    shown = min(len(explanation.tokens), MOST_TOKENS)
    across = max(shown * _cell(shown), _LEAST_SIDE)
    canvas = _Canvas(explanation, across, _STRIP)
    weights = explanation.weights[:shown]
    axes = canvas.axes(0, 0, across, _STRIP)
    image = axes.imshow(
        weights[None], cmap="Blues", vmin=0, vmax=weights.max(), aspect="auto", interpolation="none"
    )
    for place, weight in enumerate(weights):
        axes.text(
            place, 0, f"{weight:.3f}", ha="center", va="center", rotation=90,
            fontsize=min(8.0, 0.6 * 72 * across / shown),
            color="white" if weight > 0.6 * weights.max() else "black",
        )  # fmt: skip
    axes.set_yticks([])
    canvas.show_tokens_below(axes, across / shown)
    canvas.show_scale(image, across + _GAP, -0.25, _STRIP + 0.5)
    canvas.show_title(_STRIP + 0.3, across)
    return canvas.figure


def _cell(tokens: int) -> float:
    smallest, largest = _CELLS
    return min(largest, max(smallest, _SIDE / tokens))


def _grid(heads: int, side: float) -> tuple[int, int]:
    """How many heat maps stand below and beside each other: rows as even as can be."""
    most = max(1, min(_MOST_ACROSS, int(_MOST_WIDTH / (side + _GAP))))
    down = math.ceil(heads / most)
    return down, math.ceil(heads / down)


def _wrap(start: str, items: list[str], columns: int) -> list[str]:
    """Lines of items; each line after the first is indented."""
    lines = [start + items[0]]
    for item in items[1:]:
        if width(lines[-1]) + 2 + width(item) > columns:
            lines[-1] += ","
            lines.append(" " * 4 + item)
        else:
            lines[-1] += f", {item}"
    return lines
