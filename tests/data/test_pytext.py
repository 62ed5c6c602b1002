import gzip
import json
import logging
import re
import unicodedata
from pathlib import Path

import pytest

from flair_jointner.data.errors import DataError
from flair_jointner.data.pytext import read_pytext_tsv

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the corpora of ../shared/data")


def tokenize(utterance, form="NFC"):
    """Write the JSON column; with form="NFD" its offsets count the decomposed utterance."""
    matches = list(re.finditer(r"[\w:]+|[^\w\s]", unicodedata.normalize("NFC", utterance)))
    starts = [len(unicodedata.normalize(form, utterance[: m.start()])) for m in matches]
    lengths = [len(unicodedata.normalize(form, m.group())) for m in matches]
    tokens = [m.group().lower() for m in matches]
    spans = [{"start": s, "length": n} for s, n in zip(starts, lengths, strict=True)]
    return json.dumps({"tokenizations": [{"tokens": tokens, "tokenSpans": spans}]})


def line_of(utterance, slots="", intent="alarm/set", form="NFC"):
    return "\t".join([intent, slots, utterance, "xx_XX", tokenize(utterance, form)])


@pytest.fixture
def write(tmp_path):
    def write_file(*lines, name="f.tsv"):
        path = tmp_path / name
        content = "".join(f"{line}\n" for line in lines).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write_file


def spans_of(sentence):
    return [
        (span.start_position, span.end_position, span.text, span.get_label("ner").value)
        for span in sentence.get_spans("ner")
    ]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("name", ["f.tsv", "f.tsv.gz"])
def test_tokens_keep_text_and_offsets_of_the_utterance(write, form, name):
    utterance = "  Póngame  café, a las 7:30 Mañana "
    (sentence,) = read_pytext_tsv(write(line_of(utterance, "17:34:time", form=form), name=name))
    texts = ["Póngame", "café", ",", "a", "las", "7:30", "Mañana"]
    assert [token.text for token in sentence] == texts
    for token in sentence:
        assert utterance[token.start_position : token.end_position] == token.text
    assert sentence.to_original_text() == utterance.rstrip()
    assert spans_of(sentence) == [(17, 34, "a las 7:30 Mañana", "time")]
    assert sentence.get_label("category").value == "alarm/set"


def test_a_missing_intent_is_no_category(write):
    path = write(line_of("hello", intent=""), "", line_of("bye", intent="bye"))
    first, second = read_pytext_tsv(path, "slot", "intent")
    assert first.get_labels("intent") == []
    assert second.get_label("intent").value == "bye"
    assert read_pytext_tsv(path, class_type=None)[1].get_labels() == []


def test_slots_cover_whole_tokens_and_a_warning_counts_them(write, caplog):
    path = write(
        line_of("wake me tomorrow", "8:15:time"),  # a letter too few
        line_of("wake me tomorrow", "7:16:time"),  # a space too many
        line_of("at noontime", "3:7:time,7:11:word"),  # two in one token
        line_of("at noon today", "-2:7:time,8:99:day"),  # beyond the utterance
    )
    with caplog.at_level(logging.WARNING, "flair_jointner"):
        sentences = read_pytext_tsv(path)
    assert [spans_of(sentence) for sentence in sentences] == [
        [(8, 16, "tomorrow", "time")],
        [(8, 16, "tomorrow", "time")],
        [(3, 11, "noontime", "time")],
        [(0, 7, "at noon", "time"), (8, 13, "today", "day")],
    ]
    assert "of 6 slots, 4 do not end at token boundaries" in caplog.text
    assert "1 more share their only token" in caplog.text


def test_nothing_is_logged_when_all_slots_fit(write, caplog):
    read_pytext_tsv(write(line_of("at noon", "3:7:time")))
    assert not caplog.records


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        ("a\tb\tc", "3 column"),
        ("x\t\thi\tl\t{no json", "the tokenisation '{no json'"),
        ("x\t\thi\tl\t[]", "the tokenisation"),
        ('x\t\thi\tl\t{"tokenizations": [{"tokens": [], "tokenSpans": []}]}', "0 tokens"),
        (line_of("at noon").replace("at noon", "by noon"), "do not give the tokens"),
        (line_of("at noon").replace("at noon", "at noon now"), "the text 'now'"),
        (line_of("at noon", "3-7-time"), "the slot '3-7-time'"),
        (line_of("at noon", "7:3:time"), "the slot '7:3:time'"),
        (line_of("at noon", "3:7:"), "the slot '3:7:'"),
        (line_of("at noon", "2:3:time"), "on no text"),
        (line_of("at noon", "50:53:time"), "on no text"),
        (line_of("at noon", "0:5:a,3:7:b"), "the slot '3:7:b' inside another"),
    ],
)
def test_malformed_lines(write, bad, found):
    path = write(line_of("one"), "", bad, line_of("two"))
    with pytest.raises(DataError) as error:
        read_pytext_tsv(path)
    assert error.value.line == 3
    assert found in error.value.found
    assert len(read_pytext_tsv(path, skip_malformed=True)) == 2


def test_empty_or_missing_files(write, tmp_path):
    with pytest.raises(DataError, match="no sentence"):
        read_pytext_tsv(write(""))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_pytext_tsv(tmp_path / "nowhere.tsv")


@needs_data
@pytest.mark.parametrize(
    ("name", "sentences", "slots", "changed", "dropped"),
    [
        ("dialog-th/train-th.tsv", 2156, 3070, 64, 1),
        ("dialog-th/test-th.tsv", 1692, 2505, 53, 2),
        ("dialog-es/train-es.tsv", 3617, 5625, 18, 0),
        ("dialog-es/eval-es.tsv", 1983, 3020, 9, 0),
        ("dialog-es/test-es.tsv", 3043, 4719, 19, 0),
    ],
)
def test_real_files_keep_offsets_and_slots(caplog, name, sentences, slots, changed, dropped):
    path = SHARED / name
    with caplog.at_level(logging.WARNING, "flair_jointner"):
        read = read_pytext_tsv(path)
    assert len(read) == sentences
    assert f"of {slots} slots, {changed} do not" in caplog.text
    assert sum(len(sentence.get_spans("ner")) for sentence in read) == slots - dropped
    exact = 0
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n") if line]
    for sentence, (intent, slot_text, utterance, _, _) in zip(read, rows, strict=True):
        assert sentence.get_label("category").value == intent
        assert sentence.to_original_text() == utterance.rstrip()
        gold = {tuple(slot.split(":", 2)) for slot in slot_text.split(",") if slot}
        found = {(str(start), str(end), kind) for start, end, _, kind in spans_of(sentence)}
        exact += len(gold & found)
    # A slot that differs only by white space at its ends is not counted as changed.
    assert slots - changed - dropped - 5 <= exact <= slots - changed - dropped
