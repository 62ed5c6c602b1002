"""Named-entity recognition for people with little annotation, as a plugin of Flair."""

from importlib.metadata import version

from flair_jointner.models import (
    CharacterCNNEmbeddings,
    DATNet,
    DocumentMaxPoolRNNEmbeddings,
    JointTagger,
)

__version__ = version("flair-jointner")
__all__ = ["CharacterCNNEmbeddings", "DATNet", "DocumentMaxPoolRNNEmbeddings", "JointTagger"]
