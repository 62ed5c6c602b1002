"""A word segmenter for Thai, which has learned from a segmented corpus."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flair_jointner.data.cluster_features import cluster_features
from flair_jointner.data.saved_tokenizer import SavedTokenizer
from flair_jointner.data.thai import character_clusters, pythainlp, split_at_spaces
from flair_jointner.data.whole_files import written_whole

BEGIN, INSIDE = "B", "I"
TRANSITIONS = ("BB", "BI", "IB", "II")
_FORMAT = "flair-jointner segmenter 1"  # another number when the features change


class CRFSegmenter(SavedTokenizer):
    """Cuts Thai text into words with a model of :func:`~flair_jointner.data.train_segmenter`.

    A linear-chain CRF says of each character cluster (Theeramunkong et al., 2000) whether a word
    begins with it. That is the segmenter of Kruengkrai et al. (2020, §3.3), who simplified the
    word-character hybrid model of Kruengkrai et al. (2009, *An Error-Driven Word-Character Hybrid
    Model for Joint Chinese Word Segmentation and POS Tagging*) and trained it with CRFsuite
    (Okazaki, 2007) on the BEST corpus. The paper does not list its features; ours are those of
    :func:`~flair_jointner.data.cluster_features.cluster_features`.

    A word always begins after whitespace. Tokens are pieces of the text as it stands. The model is
    a JSON file of weights, which CRFsuite is not needed to read.
    """

    def __init__(self, file: str | Path) -> None:
        """Reads a model.

        Args:
            file: The model.

        Raises:
            FileNotFoundError: If there is no such file.
            MissingPackage: If PyThaiNLP is not installed.
            ValueError: If the file is no such model.
        """
        super().__init__()
        pythainlp()
        self.file = str(file)
        self._weights, self._transitions = _read_model(Path(file))

    def tokenize(self, text: str) -> list[str]:
        """Cuts a text.

        Args:
            text: The text.

        Returns:
            Its words from left to right.
        """
        return [word for piece in split_at_spaces(text) for word in self._cut(piece)]

    def _cut(self, piece: str) -> list[str]:
        clusters = character_clusters(piece)
        words: list[str] = []
        for cluster, begins in zip(clusters, self._begins(clusters), strict=True):
            if begins:
                words.append(cluster)
            else:
                words[-1] += cluster
        return words

    def _begins(self, clusters: Sequence[str]) -> list[bool]:
        """Whether a word begins at each cluster, on the best path that begins with a word.

        Viterbi's algorithm with two labels: a cluster's features score its beginning a word against
        its being inside one, which scores 0.
        """
        weights = self._weights
        begin_begin, begin_inside, inside_begin, inside_inside = self._transitions
        begin, inside = 0.0, float("-inf")  # the best path so far that ends in each label
        back: list[tuple[bool, bool]] = []  # whether the label before was the beginning of a word
        for features in cluster_features(clusters)[1:]:
            score = sum(weights.get(feature, 0.0) for feature in features)
            steps = (begin + begin_begin, inside + inside_begin)
            stays = (begin + begin_inside, inside + inside_inside)
            back.append((steps[0] >= steps[1], stays[0] >= stays[1]))
            begin, inside = max(steps) + score, max(stays)
        label = begin >= inside
        path = [label]
        for from_begin, from_inside in reversed(back):
            label = from_begin if label else from_inside
            path.append(label)
        return path[::-1]

    @property
    def name(self) -> str:
        """The class and the model's name."""
        return f"{super().name}_{Path(self.file).stem}"

    def settings(self) -> dict[str, Any]:
        """The arguments that make this tokenizer."""
        return {"file": self.file}


def save_segmenter(
    file: str | Path, weights: Mapping[str, float], transitions: Mapping[str, float]
) -> None:
    """Writes a model for :class:`CRFSegmenter`, whole or not at all.

    Args:
        file: Where it goes. A missing folder is made.
        weights: Of each feature, how much more it speaks for the beginning of a word.
        transitions: The weight of one label after another: "BB", "BI", "IB" and "II".
    """
    model = {"format": _FORMAT, "transitions": dict(transitions), "weights": dict(weights)}
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    with written_whole(file) as temporary:
        temporary.write_text(json.dumps(model, ensure_ascii=False), "utf-8")


def _read_model(path: Path) -> tuple[dict[str, float], tuple[float, ...]]:
    """The weights of the features, and those of `TRANSITIONS` in their order."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no segmenter at {path}.")
    try:
        model = json.loads(path.read_text("utf-8"))
        if model["format"] != _FORMAT:
            raise ValueError(f"its format is {model['format']!r}")
        weights = {str(name): float(weight) for name, weight in model["weights"].items()}
        transitions = tuple(float(model["transitions"][pair]) for pair in TRANSITIONS)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # Without its arguments: a decoding error has the whole file among them.
        raise ValueError(
            f"{path} is no segmenter ({type(error).__name__}: {error}); expected: a file that "
            "`jointner segmenter train` has made."
        ) from error
    return weights, transitions
