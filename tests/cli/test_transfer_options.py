"""`jointner train --system datnet`: the journey, and options of the other system."""

import json

import pytest
import tiny
from commands import jointner

from flair_jointner import DATNet, JointTagger

pytestmark = pytest.mark.usefixtures("flair_handlers")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A target of the tiny titles, a source with a type of its own, and vectors of each."""
    folder = tmp_path_factory.mktemp("transfer")
    tiny.write_titles(folder, count=90, train=30, dev=30)
    source = (folder / "dev.conll").read_text().replace("B-COLOUR", "B-SHADE")
    (folder / "source.conll").write_text(source)
    for name in ("train", "source"):
        result = jointner(
            "vectors", folder / "categories.txt", "--dimension", 8, "--epochs", 20,
            "-o", folder / f"{name}.bin",
        )  # fmt: skip
        assert result.exit_code == 0, result.output
    return folder


def arguments(folder, output):
    return [
        "train", "--target", folder / "train.conll", "--dev", folder / "dev.conll",
        "--vectors", folder / "train.bin", "--epochs", 2, "-o", folder / output,
    ]  # fmt: skip


def test_a_datnet_trains_is_evaluated_and_tags(folder):
    result = jointner(
        *arguments(folder, "part"), "--system", "datnet", "--source", folder / "source.conll",
        "--source-vectors", folder / "source.bin", "--share", "part", "--hidden-size", 8,
        "--discriminator", "plain", "--reversal-rate", 0.5, "--perturbation", 1, "--decay", 0.05,
        "--test", folder / "test.conll", "--mixing-rate", 0.3,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "Test F1" in result.stdout
    tagger = DATNet.load(folder / "part" / "best-model.pt")
    assert tagger.options == {
        "share": "part", "discriminator": "plain", "alpha": 0.25, "gamma": 2.0,
        "reversal_rate": 0.5,
    }  # fmt: skip
    assert tagger.perturbation == 1.0
    assert tagger.source_tagset.types == ["PRODUCT", "SHADE"]
    assert tagger.source_embeddings.name == "source"
    assert "InverseDecayPlugin" in str(tagger.model_card)
    model = folder / "part" / "best-model.pt"
    result = jointner("evaluate", model, folder / "test.conll", "--fit-temperature")
    assert result.exit_code == 0, result.output
    assert DATNet.load(model).tag_temperature != 1.0
    result = jointner("tag", model, folder / "new.txt")
    assert len([json.loads(line) for line in result.stdout.splitlines()]) == 20
    result = jointner(
        "map", model, "--source", folder / "source.conll", "--target", folder / "test.conll",
        "-o", folder / "map.png", "--sentences", 20, "--perplexity", 5,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert (folder / "map.png").read_bytes().startswith(b"\x89PNG")


def test_its_defaults_are_those_of_the_paper(folder):
    result = jointner(
        *arguments(folder, "plain")[:-3], 1, "-o", folder / "plain", "--system", "datnet",
        "--source", folder / "source.conll", "--discriminator", "none", "--no-characters",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    tagger = DATNet.load(folder / "plain" / "best-model.pt")
    assert tagger.hidden_size == 200
    assert tagger.discriminator is None and tagger.source_embeddings is None
    assert tagger.embeddings.embedding_length == 8


def test_a_joint_tagger_has_characters_where_they_are_asked_for(folder):
    result = jointner(
        *arguments(folder, "joint"), "--characters", "--hidden-size", 8, "--epochs", 1
    )
    assert result.exit_code == 0, result.output
    tagger = JointTagger.load(folder / "joint" / "best-model.pt")
    assert tagger.embeddings.embedding_length == 20 + 8


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--source", "{f}/source.conll"], "--source goes with --system datnet"),
        (["--alpha", "0.1"], "--alpha goes with --system datnet"),
        (["--system", "datnet"], "pass --source FILE"),
        (["--system", "datnet", "--ner-only"], "--ner-only goes with --system joint"),
        (["--system", "datnet", "--self-train", "{f}/new.txt"], "--self-train goes with"),
        (["--system", "datnet", "--source", "{f}/train.conll", "--alpha", "2"], "alpha is 2.0"),
        (["--system", "datnet", "--source", "{f}/source.conll", "--tag-type", "x",
          "--mixing-rate", "1"], "mixing_rate is 1.0"),
        (["--perturbation", "0"], "perturbation is 0.0"),
        (["--decay", "-1"], "decay is -1.0"),
    ],
)  # fmt: skip
def test_options_that_would_change_nothing_are_refused(folder, more, message):
    result = jointner(*arguments(folder, "none"), *(text.format(f=folder) for text in more))
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (folder / "none").exists()
