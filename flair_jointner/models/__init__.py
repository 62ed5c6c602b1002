"""The systems that a user trains, each on the road of :mod:`flair_jointner.models.network`.

From Flair's tagger to a system each class adds one thing::

    flair.models.SequenceTagger
      ModelFile             (model_file.py)  files that hold data, not objects
        TaggerNetwork       (network.py)     the road: embed, encode, enrich, emit
          TrainableTagger   (trainable.py)   gold tags, losses, adversarial training
            BaseTagger      (tagger.py)      predict, tag, evaluate
              JointTagger   (joint.py)       attention and a sentence head
              DATNet        (datnet.py)      two resources

A new system is a subclass of ``BaseTagger``. It overrides the stations that it changes (``embed``,
``encode``, ``enrich``, ``emit``), ``losses`` if it adds one, ``decode`` if it predicts more than
tags, ``most_sentences`` if its memory grows faster than the number of tokens, and, for the
arguments of its constructor, ``_get_state_dict`` and ``_init_model_with_state_dict``. Its weights
are folded for tagging unless it changes ``embed`` or ``encode``
(:mod:`flair_jointner.models.folding`).
"""

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
