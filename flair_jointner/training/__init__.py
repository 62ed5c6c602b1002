"""What stands around Flair's ``ModelTrainer``."""

from flair_jointner.training.best_model import BestModelPlugin
from flair_jointner.training.building import build_tagger, build_transfer_tagger
from flair_jointner.training.decay import InverseDecayPlugin
from flair_jointner.training.mean_gradient import MeanGradientPlugin
from flair_jointner.training.pretraining import pretrain_classifier
from flair_jointner.training.self_training import annotate_confidently, self_train
from flair_jointner.training.settings import LEAST_UPDATES, PAPER_SETTINGS, train
from flair_jointner.training.temperature import fit_temperatures

__all__ = [
    "LEAST_UPDATES",
    "PAPER_SETTINGS",
    "BestModelPlugin",
    "InverseDecayPlugin",
    "MeanGradientPlugin",
    "annotate_confidently",
    "build_tagger",
    "build_transfer_tagger",
    "fit_temperatures",
    "pretrain_classifier",
    "self_train",
    "train",
]
