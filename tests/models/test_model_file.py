"""Saving and loading whole models, through our loader and through Flair's."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import flair
import pytest
import tiny
import torch
from flair.embeddings import (
    DocumentRNNEmbeddings,
    OneHotEmbeddings,
    StackedEmbeddings,
    TransformerWordEmbeddings,
)
from flair.models import SequenceTagger, TextClassifier
from flair.nn import Classifier
from flair.nn import model as flair_model
from torch import nn

from flair_jointner import DATNet, JointTagger
from flair_jointner.models import BaseTagger, ModelFileError


def one_hot():
    return OneHotEmbeddings(tiny.dictionary(tiny.WORDS, spans=False, add_unk=True))


def own_rnn(kind):
    torch.manual_seed(4)
    return kind(6, 5, num_layers=2, batch_first=True, bidirectional=False, dropout=0.5)


OPTIONS = {
    "plain": {},
    "ner-only": {"classes": None},
    "soft": {"attention": "soft", "residual": False},
    "scaled": {"attention": "scaled", "attention_heads": 4},
    "learned": {"attention": "learned", "class_loss_weight": 0.3, "attention_dropout": 0.7},
    "one-direction": {"bidirectional": False},
    "bio": {"tag_format": "BIO"},
    "unknown": {"allow_unk_predictions": True},
    "own-lstm": {"rnn": own_rnn(nn.LSTM)},
    "own-rnn": {"rnn": own_rnn(nn.RNN)},
    "gru": {"rnn_type": "GRU", "rnn_layers": 2},
    "no-crf": {"use_crf": False, "loss_weights": {"S-COLOUR": 2.0}},
    "no-rnn": {"use_rnn": False},
    "no-projection": {"reproject_embeddings": False},
    "initial-state": {"train_initial_hidden_state": True},
    "unconstrained": {"constrain_decoding": False},
    "dropouts": {"dropout": 0.1, "word_dropout": 0.2, "locked_dropout": 0.3},
    "attention-dropout": {"attention": "soft", "attention_locked_dropout": 0.25},
    "pos": {"types": tiny.dictionary(("NOUN", "S-ADJ"), spans=False, add_unk=True)},
}
EMBEDDINGS = {
    "stack": lambda: StackedEmbeddings([tiny.words(3, "b"), tiny.words(4, "a")]),
    # Flair's files do not keep the name of one-hot embeddings, and names give the order.
    "mixed-stack": lambda: StackedEmbeddings([one_hot(), tiny.words(3, "b"), tiny.words(4, "a")]),
    "one-hot": one_hot,
    "fine-tuned": lambda: tiny.words(fine_tune=True, stable=True),
}


def predictions(tagger, **options):
    sentences = tiny.random_titles(12, seed=6)
    tagger.predict(sentences, return_probabilities_for_all_classes=True, **options)
    return [
        (
            tiny.labels(sentence, tiny.TAG_TYPE, 4),
            tiny.labels(sentence, tiny.CLASS_TYPE, 4),
            [label.score for token in sentence for label in token.get_tags_proba_dist("ner")],
        )
        for sentence in sentences
    ]


def loss(tagger):
    gold = [] if not tagger.predict_spans else tiny.titles()
    return float(tagger.eval().forward_loss(gold)[0].detach())


def modules(tagger):
    """The layers with their settings, dropout rates among them."""
    return [line for line in str(tagger).splitlines() if "rnn" not in line]


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("load", [JointTagger.load, Classifier.load], ids=["ours", "flair's"])
def test_every_option_survives_in_a_file(options, load, tmp_path, monkeypatch):
    tagger = tiny.joint_tagger(**options)
    tagger.save(tmp_path / "tagger.pt")
    monkeypatch.setattr(flair_model, "load_torch_state", lambda file: pytest.fail("unsafe"))
    again = load(tmp_path / "tagger.pt")
    assert type(again) is JointTagger
    assert not again.training
    assert predictions(again) == predictions(tagger)
    assert loss(again) == pytest.approx(loss(tagger))
    assert modules(again) == modules(tagger)
    for name in ("class_loss_weight", "residual", "init_range", "constrain_decoding", "tag_format"):
        assert getattr(again, name) == getattr(tagger, name), name
    again.save(tmp_path / "again.pt")
    assert predictions(JointTagger.load(tmp_path / "again.pt")) == predictions(tagger)


@pytest.mark.parametrize("make", EMBEDDINGS.values(), ids=EMBEDDINGS)
def test_any_embeddings_survive_in_a_file(make, tmp_path):
    tagger = tiny.joint_tagger(make())
    tagger.save(tmp_path / "tagger.pt")
    torch.load(tmp_path / "tagger.pt", weights_only=True)
    assert predictions(JointTagger.load(tmp_path / "tagger.pt")) == predictions(tagger)


def test_a_transformer_survives_in_a_file(tiny_bert, tmp_path):
    tagger = tiny.joint_tagger(TransformerWordEmbeddings(str(tiny_bert)))
    tagger.save(tmp_path / "tagger.pt")
    torch.load(tmp_path / "tagger.pt", weights_only=True)
    assert predictions(JointTagger.load(tmp_path / "tagger.pt")) == predictions(tagger)


def test_a_file_gives_the_same_predictions_in_a_fresh_process(tmp_path):
    tagger = tiny.joint_tagger(attention="learned", bidirectional=False)
    path = tmp_path / "tagger.pt"
    tagger.save(path)
    sentence = tiny.random_titles(1, seed=6)[0]
    tagger.predict(sentence)
    script = """if True:
        import json, sys
        import flair_jointner
        from flair.data import Sentence
        from flair.nn import Classifier
        for load in (flair_jointner.JointTagger.load, Classifier.load):
            tagger = load(sys.argv[1])
            sentence = Sentence(sys.argv[2].split())
            tagger.predict(sentence)
            print("RESULT", json.dumps([str(label) for label in sentence.get_labels()]))
    """
    process = subprocess.run(
        [sys.executable, "-c", script, str(path), sentence.text],
        capture_output=True, text=True, timeout=200, check=True,
    )  # fmt: skip
    found = [line for line in process.stdout.splitlines() if line.startswith("RESULT")]
    expected = "RESULT " + json.dumps([str(label) for label in sentence.get_labels()])
    assert found == [expected, expected]


@pytest.mark.parametrize("as_type", [str, Path])
def test_flairs_loader_hands_our_files_to_our_loader(as_type, tmp_path, monkeypatch):
    tiny.joint_tagger().save(tmp_path / "tagger.pt")
    monkeypatch.setattr(flair_model, "load_torch_state", lambda file: pytest.fail("unsafe"))
    assert isinstance(Classifier.load(as_type(tmp_path / "tagger.pt")), JointTagger)


def test_a_state_can_be_loaded_twice(tmp_path):
    tagger = tiny.joint_tagger()
    tagger.save(tmp_path / "tagger.pt")
    state = torch.load(tmp_path / "tagger.pt", weights_only=True)
    for _ in range(2):
        assert predictions(JointTagger.load(state)) == predictions(tagger)


# ----- what is refused -----


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_file_with_an_object_is_refused_and_loads_with_trust(tmp_path, caplog):
    tagger = tiny.joint_tagger()
    tagger.class_type = Plain("category")  # as if somebody had given a value of an own type
    state = tagger._get_state_dict()
    state["thing"] = Plain("x")
    tagger._get_state_dict = lambda: state
    tagger.save(tmp_path / "tagger.pt")
    assert "can be loaded with trust=True only" in caplog.text
    assert "Plain" in caplog.text
    copied = shutil.copy(tmp_path / "tagger.pt", tmp_path / "copied.pt")
    with pytest.raises(ModelFileError, match="(?s)can run any code.*trust=True.*Plain"):
        JointTagger.load(copied)
    for trusted in (
        JointTagger.load(copied, trust=True),
        JointTagger.load(tmp_path / "tagger.pt"),  # as the trainer does with what it saved
    ):
        assert trusted.class_type.name == "category"
    shutil.copy(copied, tmp_path / "tagger.pt")
    with pytest.raises(ModelFileError, match="trust=True"):
        JointTagger.load(tmp_path / "tagger.pt")


class Plain:
    def __init__(self, name):
        self.name = name


@pytest.mark.parametrize("protocol", [2, 4])
def test_loading_a_poisoned_file_runs_nothing(tmp_path, protocol):
    path, mark = tmp_path / "tagger.pt", tmp_path / "sprung"
    tagger = tiny.joint_tagger()
    poisoned = {**tagger._get_state_dict(), "trap": Trap(mark)}
    torch.save(poisoned, path, pickle_protocol=protocol)
    with pytest.raises(ModelFileError):
        JointTagger.load(path)
    for name, call in (
        ("SequenceTagger", JointTagger.from_sequence_tagger),
        ("TextClassifier", tagger.init_from_classifier),
    ):
        torch.save({**poisoned, "__cls__": name}, path, pickle_protocol=protocol)
        with pytest.raises(ModelFileError, match="trust=True"):
            call(path)
    assert not mark.exists()


def text_classifier():
    return TextClassifier(
        DocumentRNNEmbeddings([tiny.words()], hidden_size=4),
        label_type="category",
        label_dictionary=tiny.dictionary(tiny.CLASSES, spans=False),
    )


def sequence_tagger():
    return SequenceTagger(tiny.words(), tiny.dictionary(), "ner", hidden_size=4)


@pytest.mark.parametrize(
    "make, load, message",
    [
        (text_classifier, JointTagger.load, "holds a TextClassifier, not.*init_from_classifier"),
        (sequence_tagger, JointTagger.load, "holds a SequenceTagger.*from_sequence_tagger"),
        (tiny.joint_tagger, BaseTagger.load, "JointTagger, not a BaseTagger.*JointTagger.load"),
        (text_classifier, JointTagger.from_sequence_tagger, "TextClassifier, not a SequenceTagger"),
        (tiny.joint_tagger, JointTagger.from_sequence_tagger, "JointTagger, not a SequenceTagger"),
    ],
)  # fmt: skip
def test_a_model_of_another_class_is_refused_by_name(make, load, message, tmp_path):
    make().save(tmp_path / "model.pt")
    with pytest.raises(ModelFileError, match=message):
        load(tmp_path / "model.pt")


@pytest.mark.parametrize("content", [b"", b"just a text\n" * 9, b"\x80\x04\x95\xff" * 99])
@pytest.mark.parametrize("trust", [True, False])
def test_a_file_that_is_no_model_is_named_so(content, trust, tmp_path):
    (tmp_path / "tagger.pt").write_bytes(content)
    with pytest.raises(ModelFileError, match="tagger.pt is not a model file"):
        JointTagger.load(tmp_path / "tagger.pt", trust=trust)


@pytest.mark.parametrize("name", ["", "missing.pt", "missing/tagger.pt", "a/b/c"])
def test_a_missing_file_or_a_folder_is_no_question_to_the_hub(name, tmp_path, monkeypatch):
    monkeypatch.setattr(
        SequenceTagger, "_fetch_model", lambda name: pytest.fail(f"asked the hub for {name}")
    )
    with pytest.raises(FileNotFoundError, match="no model file"):
        JointTagger.load(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="no model file"):
        JointTagger.load(name)


def test_flairs_short_names_are_not_downloaded_by_our_class(monkeypatch):
    monkeypatch.setattr(
        SequenceTagger, "_fetch_model", lambda name: pytest.fail(f"asked the hub for {name}")
    )
    for name in ("ner", "de-ner-large", "sentiment", "missing.pt"):
        assert JointTagger._fetch_model(name) == name


@pytest.mark.parametrize("system", [JointTagger, DATNet])
def test_the_code_of_the_model_card_runs(system, tmp_path, monkeypatch, capsys):
    made = system(tiny.words(), tiny.dictionary(), "ner", hidden_size=4)
    made.save(tmp_path / "pytorch_model.bin")
    there = {"owner/tagger-v1.0": str(tmp_path / "pytorch_model.bin")}
    monkeypatch.setattr(SequenceTagger, "_fetch_model", there.__getitem__)
    card = made._generate_model_card("owner/tagger-v1.0")
    assert card.startswith("---\ntags:") and system.__name__ in card
    exec(card.split("```python\n")[1].split("```")[0], {})
    assert "A text to tag" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["somebody/tagger", "somebody/tagger-v1.0", "a/tagger@v2"])
def test_names_on_the_hub_are_fetched_by_flair(name, tmp_path, monkeypatch):
    tagger = tiny.joint_tagger()
    tagger.save(tmp_path / "pytorch_model.bin")
    asked = []

    def fetch(name):
        asked.append(name)
        return str(tmp_path / "pytorch_model.bin")

    monkeypatch.setattr(SequenceTagger, "_fetch_model", fetch)
    assert predictions(JointTagger.load(name)) == predictions(tagger)
    # This is what makes Classifier.load hand the fetched file to our loader.
    assert JointTagger._fetch_model(name) == tmp_path / "pytorch_model.bin"
    assert set(asked) == {name}


@pytest.mark.parametrize("make", [text_classifier, sequence_tagger])
def test_flairs_own_files_still_load_through_flair(make, tmp_path):
    model = make()
    model.save(tmp_path / "model.pt")
    assert type(Classifier.load(tmp_path / "model.pt")) is type(model)


# ----- what is written -----


def test_a_crash_while_saving_leaves_the_old_model_whole(tmp_path, monkeypatch):
    path = tmp_path / "tagger.pt"
    tagger = tiny.joint_tagger()
    expected = predictions(tagger)
    tagger.save(path)
    tagger.linear.weight.data.zero_()

    def crash(value, file, **options):
        file.write(b"half a model")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", crash)
    with pytest.raises(OSError, match="disk full"):
        tagger.save(path)
    monkeypatch.undo()
    assert [file.name for file in tmp_path.iterdir()] == ["tagger.pt"]
    assert predictions(JointTagger.load(path)) == expected


class Sampler:
    """As Flair's trainer gets it: an instance that holds the whole training data."""

    def __init__(self, data):
        self.data = data


def test_objects_in_the_model_card_are_named_and_not_pickled(tmp_path):
    tagger = tiny.joint_tagger()
    card = {
        "flair_version": flair.__version__,
        "pytorch_version": torch.__version__,
        "training_parameters": {"sampler": Sampler(tiny.titles()), "learning_rate": 0.1},
    }
    tagger.model_card = card
    tagger.save(tmp_path / "tagger.pt")
    again = JointTagger.load(tmp_path / "tagger.pt")
    assert again.model_card["training_parameters"]["learning_rate"] == 0.1
    assert "Sampler" in again.model_card["training_parameters"]["sampler"]
    assert again.model_card["pytorch_version"] == str(torch.__version__)
    assert isinstance(tagger.model_card["training_parameters"]["sampler"], Sampler)
    again.print_model_card()


def test_a_model_that_was_never_trained_has_no_card(tmp_path):
    tiny.joint_tagger().save(tmp_path / "tagger.pt")
    assert JointTagger.load(tmp_path / "tagger.pt").model_card is None


def test_a_file_of_a_foreign_class_is_not_recommended_to_any_loader(tmp_path):
    tiny.joint_tagger().save(tmp_path / "ours.pt")
    state = torch.load(tmp_path / "ours.pt", weights_only=False)
    torch.save({**state, "__cls__": "Foreign"}, tmp_path / "foreign.pt")
    with pytest.raises(ModelFileError) as error:
        JointTagger.load(tmp_path / "foreign.pt")
    assert str(error.value).endswith(
        "holds a Foreign, not a JointTagger. This package does not load such a file."
    )


def test_a_folder_is_no_model_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"but a folder: name .*best-model\.pt"):
        JointTagger.load(tmp_path)
