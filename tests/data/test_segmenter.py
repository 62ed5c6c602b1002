import itertools
import json
import pickle
import random

import pytest
from flair.data import Sentence

from flair_jointner.data import CRFSegmenter, character_clusters
from flair_jointner.data.cluster_features import cluster_features
from flair_jointner.data.segmenter import TRANSITIONS, save_segmenter

pytest.importorskip("pythainlp", reason="the extra [thai] is not installed")

TEXT = "เสื้อยืดผู้ชายคอกลม  สีดำไซซ์XL 👍🏽"


@pytest.fixture
def random_segmenter(tmp_path):
    """A model with a random weight for each feature of the text."""
    draw = random.Random(6)
    clusters = [character_clusters(piece) for piece in TEXT.split()]
    names = {name for part in clusters for row in cluster_features(part) for name in row}
    weights = {name: draw.gauss(0, 1) for name in sorted(names)}
    transitions = {pair: draw.gauss(0, 2) for pair in TRANSITIONS}
    save_segmenter(tmp_path / "sub" / "words.json", weights, transitions)
    return CRFSegmenter(tmp_path / "sub" / "words.json"), weights, transitions


def test_the_words_are_those_of_the_best_of_all_paths(random_segmenter):
    segmenter, weights, transitions = random_segmenter
    found = []
    for piece in TEXT.split():
        clusters = character_clusters(piece)
        scores = [sum(weights[name] for name in row) for row in cluster_features(clusters)]

        def score(path, scores=scores):
            steps = sum(transitions["".join(pair)] for pair in itertools.pairwise(path))
            return steps + sum(s for s, label in zip(scores, path, strict=True) if label == "B")

        paths = (("B", *rest) for rest in itertools.product("BI", repeat=len(clusters) - 1))
        best = max(paths, key=score)
        for cluster, label in zip(clusters, best, strict=True):
            if label == "B":
                found.append(cluster)
            else:
                found[-1] += cluster
    assert segmenter.tokenize(TEXT) == found
    assert 3 < len(found) < sum(len(character_clusters(piece)) for piece in TEXT.split())


def test_offsets_are_exact(random_segmenter):
    for token in Sentence(TEXT, use_tokenizer=random_segmenter[0]):
        assert TEXT[token.start_position : token.end_position] == token.text


def test_a_text_without_words(random_segmenter):
    assert random_segmenter[0].tokenize(" \u200b\t") == []


def test_a_copy_cuts_the_same(random_segmenter):
    segmenter, *_ = random_segmenter
    config = json.loads(json.dumps(segmenter.to_dict()))
    assert config["file"] == segmenter.file
    for copy in (CRFSegmenter.from_dict(config), pickle.loads(pickle.dumps(segmenter))):
        assert copy == segmenter
        assert copy.tokenize(TEXT) == segmenter.tokenize(TEXT)
    assert segmenter.name == "CRFSegmenter_words"


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no segmenter at .*none\.json"):
        CRFSegmenter(tmp_path / "none.json")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"lCRF\x00\xff", b"[]", b"{}", b'{"format": "flair-jointner segmenter 0"}',
        b'{"format": "flair-jointner segmenter 1", "weights": {}, "transitions": {"BB": 1}}',
        b'{"format": "flair-jointner segmenter 1", "weights": {"a": "b"}, "transitions": {}}',
        b'{"format": "flair-jointner segmenter 1", "weights": [], "transitions": {}}',
    ],
)  # fmt: skip
def test_a_file_that_is_no_segmenter(tmp_path, content):
    path = tmp_path / "words.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"words\.json is no segmenter .*segmenter train"):
        CRFSegmenter(path)


def test_what_a_file_holds_is_not_in_the_error(tmp_path):
    path = tmp_path / "vectors.bin"
    path.write_bytes(bytes(range(128, 256)) * 1000)
    with pytest.raises(ValueError, match="no segmenter") as caught:
        CRFSegmenter(path)
    assert len(str(caught.value)) < 500
