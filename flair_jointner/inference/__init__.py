"""Many texts in, rows of plain data out."""

from flair_jointner.inference.inputs import TextInput, read_inputs, read_stream
from flair_jointner.inference.rows import tag_texts

__all__ = ["TextInput", "read_inputs", "read_stream", "tag_texts"]
