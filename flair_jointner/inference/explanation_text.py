"""An explanation as lines of text."""

from flair_jointner.inference.explanation import Explanation
from flair_jointner.inference.labels import clip, pad, printable, width

_LONGEST_LABEL = 30  # columns of a token


def describe_attention(explanation: Explanation) -> str:
    """Says which attention it was, and what holds for all of its tokens.

    Args:
        explanation: The explanation.

    Returns:
        A part of a sentence.
    """
    parts = [f"{explanation.attention} attention"]
    if explanation.heads:
        parts.append(f"{explanation.heads} head{'s' * (explanation.heads > 1)}")
    if explanation.highest_temperature is not None:
        parts.append(f"temperatures between 1 and {explanation.highest_temperature:.2f}")
    elif explanation.temperatures is not None:
        parts.append(f"temperature {explanation.temperatures[0]:.2f}")
    if explanation.gate is not None:
        parts.append(f"gate {explanation.gate:.3f}")
    return ", ".join(parts)


def describe_explanation(explanation: Explanation) -> str:
    """Says in a line per token what was predicted and what the token attended to.

    Args:
        explanation: The explanation.

    Returns:
        A line for the sentence's class, one for the attention, and a table of the tokens: tag and
        its probability, learned temperature, and the tokens attended to most, by their weight (a
        mean over the heads); for soft attention the token's own weight.
    """
    lines = []
    if explanation.category is not None:
        value, score = explanation.category
        lines.append(f"{printable(value)} {score:.2f}")
    lines.append(describe_attention(explanation))
    tokens = [clip(token, _LONGEST_LABEL) for token in explanation.tokens]
    rows = [["", "token", "tag", "score", *_headings(explanation)]]
    for place, token in enumerate(tokens):
        row = [f"{place + 1}", token, printable(explanation.tags[place])]
        row.append(f"{explanation.tag_scores[place]:.2f}")
        if explanation.highest_temperature is not None and explanation.temperatures is not None:
            row.append(f"{explanation.temperatures[place]:.2f}")
        if explanation.heads:
            # Numbered, because a title often holds a word twice.
            most = explanation.attended(place)
            row.append(", ".join(f"{tokens[i]} ({i + 1}) {weight:.2f}" for i, weight in most))
        else:
            row.append(f"{explanation.weights[place]:.2f}")
        rows.append(row)
    columns = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [pad(cell, size) for cell, size in zip(row, columns, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _headings(explanation: Explanation) -> list[str]:
    learned = ["temperature"] if explanation.highest_temperature is not None else []
    return [*learned, "attends to" if explanation.heads else "weight"]
