"""The systems that a user trains, each on the road of :mod:`flair_jointner.models.network`."""

from flair_jointner.models.character_cnn import CharacterCNNEmbeddings
from flair_jointner.models.datnet import DATNet
from flair_jointner.models.datnet_arguments import DISCRIMINATORS, SHARES
from flair_jointner.models.document import DocumentMaxPoolRNNEmbeddings
from flair_jointner.models.joint import ATTENTIONS, JointTagger
from flair_jointner.models.loading import load_tagger
from flair_jointner.models.state import ModelFileError
from flair_jointner.models.tagger import BaseTagger
from flair_jointner.models.transfer import TransferReport, load_classifier

__all__ = [
    "ATTENTIONS",
    "DISCRIMINATORS",
    "SHARES",
    "BaseTagger",
    "CharacterCNNEmbeddings",
    "DATNet",
    "DocumentMaxPoolRNNEmbeddings",
    "JointTagger",
    "ModelFileError",
    "TransferReport",
    "load_classifier",
    "load_tagger",
]
