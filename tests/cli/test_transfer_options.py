"""`jointner train --system datnet`: the journey, and options of the other system."""

import json
import shutil

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
    shutil.copytree(folder / "part", folder / "other" / "part")
    result = jointner(
        "map", model, folder / "other" / "part" / "best-model.pt", "--source",
        folder / "source.conll", "--target", folder / "test.conll", "-o", folder / "map.svg",
        "--sentences", 20, "--perplexity", 5,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    drawn = (folder / "map.svg").read_text()
    assert "-- part/best-model.pt --" in drawn and "-- other/part/best-model.pt --" in drawn


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
        (["--source-encoding", "latin-1"], "--source-encoding goes with --system datnet"),
        (["--system", "datnet", "--source", "{f}/source.conll", "--discriminator", "none",
          "--alpha", "0.1"], "--alpha changes nothing with --discriminator none"),
        (["--attention-gate"], "--attention-gate changes nothing with --attention none"),
        (["--confidence", "0.5"], "--confidence changes nothing without --self-train"),
    ],
)  # fmt: skip
def test_options_that_would_change_nothing_are_refused(folder, more, message):
    result = jointner(*arguments(folder, "none"), *(text.format(f=folder) for text in more))
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (folder / "none").exists()


def test_a_source_may_have_another_encoding_than_the_target(folder, tmp_path):
    source = (folder / "source.conll").read_text().replace("mibal", "mïbal")
    (tmp_path / "source.conll").write_text(source, encoding="latin-1")
    target = (folder / "train.conll").read_text().replace("mibal", "müßal")
    (tmp_path / "target.conll").write_text(target, encoding="utf-8")
    run = [*arguments(folder, tmp_path / "out"), "--system", "datnet", "--hidden-size", 4,
           "--epochs", 1, "--source", tmp_path / "source.conll", "--train",
           tmp_path / "target.conll"]  # fmt: skip
    result = jointner(*run)
    assert result.exit_code == 2 and "there are --source-encoding" in result.stderr
    result = jointner(*run, "--source-encoding", "latin-1")
    assert result.exit_code == 0, result.output
    tagger = DATNet.load(tmp_path / "out" / "best-model.pt")
    (characters, _) = tagger.embeddings.embeddings
    assert {"ï", "ü", "ß"} <= set(characters.characters)
    assert "Ã" not in characters.characters
    result = jointner(
        "map", tmp_path / "out" / "best-model.pt", "--source", tmp_path / "source.conll",
        "--source-encoding", "latin-1", "--target", tmp_path / "target.conll", "--sentences", 6,
        "-o", tmp_path / "map.png",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert (tmp_path / "map.png").stat().st_size > 5_000


def test_whether_resources_share_a_decoder_is_said(folder, tmp_path, caplog):
    with caplog.at_level("INFO", logger="flair_jointner"):
        for name in ("source", "dev"):
            result = jointner(
                *arguments(folder, tmp_path / name), "--system", "datnet", "--hidden-size", 4,
                "--epochs", 1, "--source", folder / f"{name}.conll",
            )  # fmt: skip
            assert result.exit_code == 0, result.output
    assert "of the target's types the source, with PRODUCT, SHADE, lacks COLOUR" in caplog.text
    assert "Source and target share a decoder, for COLOUR, PRODUCT." in caplog.text
