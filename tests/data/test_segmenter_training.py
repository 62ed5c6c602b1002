import random
import sys
from pathlib import Path

import pytest

from flair_jointner.data import (
    MissingPackage,
    ThaiTokenizer,
    character_clusters,
    read_sentences,
    train_segmenter,
    word_scores,
    words_of,
)
from flair_jointner.data import segmenter_training as module
from flair_jointner.data.cluster_features import cluster_features
from flair_jointner.data.segmented_text import word_groups

pytest.importorskip("pythainlp", reason="the extra [thai] is not installed")
pycrfsuite = pytest.importorskip("pycrfsuite", reason="the extra [thai] is not installed")

DIALOGUES = Path(__file__).parents[3] / "shared" / "data" / "dialog-th"
# A dictionary holds the compounds whole; these sentences always part them.
PHRASES = ["เสื้อ ยืด", "กางเกง ขา สั้น", "ผู้ หญิง", "นาฬิกา ปลุก", "สี แดง", "XL", "12 โมง"]


def sentences(count, seed=1):
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        words = " ".join(draw.choices(PHRASES, k=draw.randint(2, 6))).split()
        found.append([part for word in words for part in (word, *[" "] * (draw.random() < 0.1))])
    return found


def texts(cut):
    return ["".join(words) for words in cut]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train_segmenter(sentences(150), tmp_path_factory.mktemp("ไทย") / "words.json")


def test_it_learns_the_corpus_own_words(trained):
    unseen = sentences(60, seed=2)
    assert word_scores(unseen, map_list(trained, unseen)).f1 > 0.97
    assert word_scores(unseen, map_list(ThaiTokenizer(), unseen)).f1 < 0.7


def map_list(tokenizer, cut):
    return [tokenizer.tokenize(text) for text in texts(cut)]


def test_the_same_sentences_give_the_same_file(trained, tmp_path):
    again = train_segmenter(iter(sentences(150)), tmp_path / "words.json", show_progress=False)
    assert Path(again.file).read_bytes() == Path(trained.file).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["words.json"]


def test_labels_are_those_of_crfsuite(tmp_path, monkeypatch):
    kept, weights_of = [], module._weights_of

    def keep(model):
        kept.append(Path(model).read_bytes())
        return weights_of(model)

    monkeypatch.setattr(module, "_weights_of", keep)
    ours = train_segmenter(sentences(40), tmp_path / "words.json", max_iterations=8)
    tagger = pycrfsuite.Tagger()
    (tmp_path / "theirs").write_bytes(kept[0])
    tagger.open(str(tmp_path / "theirs"))
    compared = 0
    for group in (group for words in sentences(100, seed=3) for group in word_groups(words)):
        clusters = character_clusters("".join(group))
        theirs = tagger.tag(cluster_features(clusters))
        cut = zip(clusters, theirs, strict=True)
        words = "".join(f" {cluster}" if label == "B" else cluster for cluster, label in cut)
        assert ours.tokenize("".join(group)) == words.split()
        compared += len(clusters)
    assert compared > 500


def test_a_word_that_begins_inside_a_cluster_is_counted(tmp_path, caplog):
    caplog.set_level("INFO", "flair_jointner")
    train_segmenter([["นา", "ฬิ", "กา"], ["เส", "ื้อ"]], tmp_path / "words.json")
    assert "5 words, 1 of which begin inside a character cluster" in caplog.text


def test_one_word_is_enough(tmp_path):
    assert train_segmenter([["ไป"]], tmp_path / "words.json").tokenize("ไป") == ["ไป"]


@pytest.mark.parametrize("nothing", [[], [[]], [[" ", "\u200b"]]])
def test_nothing_to_learn_from(tmp_path, nothing):
    with pytest.raises(ValueError, match="no word to learn from"):
        train_segmenter(nothing, tmp_path / "words.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("setting", [{"l1": -1}, {"l2": -0.1}, {"max_iterations": 0}])
def test_settings_out_of_range(tmp_path, setting):
    with pytest.raises(ValueError, match="penalties from 0 and iterations from 1"):
        train_segmenter([["ไป"]], tmp_path / "words.json", **setting)


def test_an_interruption_leaves_no_file(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.tqdm, "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_segmenter(sentences(20), tmp_path / "words.json")
    assert not list(tmp_path.iterdir())


def test_without_crfsuite_the_error_says_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pycrfsuite", None)
    with pytest.raises(MissingPackage, match=r"python-crfsuite .*'flair-jointner\[thai\]'"):
        train_segmenter([["ไป"]], tmp_path / "words.json")


@pytest.mark.skipif(not DIALOGUES.exists(), reason=f"there is no {DIALOGUES}")
def test_real_dialogues(tmp_path):
    train, test = (
        words_of(read_sentences(DIALOGUES / f"{split}-th.tsv")) for split in ("train", "test")
    )
    known = set(texts(train))
    unseen = [words for words in test if "".join(words) not in known]
    segmenter = train_segmenter(train, tmp_path / "words.json", max_iterations=60)
    assert word_scores(unseen, map_list(segmenter, unseen)).f1 > 0.96
    assert word_scores(unseen, map_list(ThaiTokenizer(), unseen)).f1 < 0.75
