"""Many texts to rows, and one text explained."""

from flair_jointner.inference.explanation import Explanation, explain
from flair_jointner.inference.explanation_text import describe_explanation
from flair_jointner.inference.inputs import TextInput, read_inputs, read_stream
from flair_jointner.inference.workers import tag_in_parallel

__all__ = [
    "Explanation",
    "TextInput",
    "describe_explanation",
    "explain",
    "read_inputs",
    "read_stream",
    "tag_in_parallel",
]
