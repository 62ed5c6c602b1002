"""Many texts to rows."""

from flair_jointner.inference.inputs import TextInput, read_inputs, read_stream
from flair_jointner.inference.workers import tag_in_parallel

__all__ = ["TextInput", "read_inputs", "read_stream", "tag_in_parallel"]
