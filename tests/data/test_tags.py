from itertools import product

import pytest
from seqeval.metrics.sequence_labeling import get_entities

from flair_jointner.data.tags import (
    TagError,
    detect_scheme,
    is_tag,
    normalize_scheme,
    spans_from_tags,
)

PREFIXES = {  # begin, inside, end, single
    "BIO": "BIIB",
    "BIOES": "BIES",
    "BMES": "BMES",
    "BILOU": "BILU",
}


def write_tags(length, spans, scheme):
    """Write spans as tags, by each scheme's definition."""
    tags = ["O"] * length
    for start, end, entity_type in spans:
        if scheme == "IOB1":
            touches = any(s[1] == start and s[2] == entity_type for s in spans)
            letters = ("B" if touches else "I") + "I" * (end - start - 1)
        else:
            begin, inside, last, single = PREFIXES[scheme]
            middle = inside * (end - start - 2)
            letters = single if end - start == 1 else begin + middle + last
        tags[start:end] = [f"{letter}-{entity_type}" for letter in letters]
    return tags


def all_span_sets(length, types=("X", "Y-z"), start=0):
    """Yield every set of spans without overlap in a sentence."""
    if start >= length:
        yield []
        return
    for rest in all_span_sets(length, types, start + 1):
        yield rest
    for end, entity_type in product(range(start + 1, length + 1), types):
        for rest in all_span_sets(length, types, end):
            yield [(start, end, entity_type), *rest]


@pytest.mark.parametrize("scheme", ["IOB1", *PREFIXES])
def test_every_set_of_spans_survives_the_round_trip(scheme):
    count = 0
    for length in range(6):
        for spans in all_span_sets(length):
            tags = write_tags(length, spans, scheme)
            assert spans_from_tags(tags, scheme) == spans, tags
            count += 1
    assert count > 500


@pytest.mark.parametrize("scheme", PREFIXES)
def test_every_tag_sequence_is_either_an_error_or_the_tags_of_its_spans(scheme):
    letters = sorted(set(PREFIXES[scheme]))
    tags = ["O", *(f"{letter}-{t}" for letter in letters for t in ("X", "Y"))]
    valid = 0
    for sequence in product(tags, repeat=4):
        try:
            spans = spans_from_tags(sequence, scheme)
        except TagError as error:
            assert 0 <= error.position < 4
        else:
            assert write_tags(4, spans, scheme) == list(sequence)
            valid += 1
    assert valid == sum(1 for _ in all_span_sets(4, ("X", "Y")))


def test_iob1_reads_any_sequence_as_seqeval_does():
    for sequence in product(["O", "B-X", "I-X", "B-Y", "I-Y"], repeat=4):
        expected = [(start, end + 1, kind) for kind, start, end in get_entities(list(sequence))]
        assert spans_from_tags(sequence, "IOB1") == expected


@pytest.mark.parametrize("kind", ["a-b", "PER.NAM", "weather/noun", "地点", "X Y", "-", "O"])
def test_types_may_hold_anything(kind):
    assert spans_from_tags([f"B-{kind}", f"I-{kind}", "O"], "BIO") == [(0, 2, kind)]


@pytest.mark.parametrize(
    ("scheme", "tags", "position"),
    [
        ("BIO", ["O", "I-X"], 1),
        ("BIO", ["B-X", "I-Y"], 1),
        ("BIO", ["B-X", "E-X"], 1),
        ("BIO", ["O", "B-"], 1),
        ("BIO", ["O", "O", "B"], 2),
        ("BIO", ["o"], 0),
        ("BIO", [""], 0),
        ("BIO", ["O", "LOC"], 1),
        ("IOB1", ["O", "S-X"], 1),
        ("BIOES", ["O", "E-X"], 1),
        ("BIOES", ["B-X", "O"], 0),
        ("BIOES", ["O", "B-X", "I-X"], 2),
        ("BIOES", ["B-X", "S-X"], 0),
        ("BMES", ["B-X", "I-X"], 1),
        ("BILOU", ["U-X", "L-X"], 1),
    ],
)
def test_invalid_sequences_name_the_position(scheme, tags, position):
    with pytest.raises(ValueError) as error:
        spans_from_tags(tags, scheme)
    assert error.value.position == position


def test_a_stray_inside_tag_tells_the_way_out():
    with pytest.raises(TagError, match="'I-X'.*scheme='IOB1'"):
        spans_from_tags(["I-X"], "BIO")
    assert spans_from_tags(["I-X"], "IOB1") == [(0, 1, "X")]


def test_an_unclosed_entity_names_the_letter_that_closes():
    with pytest.raises(TagError, match="end in L-"):
        spans_from_tags(["B-X"], "BILOU")


def test_schemes_have_other_names():
    assert normalize_scheme("iob2") == "BIO"
    assert normalize_scheme("IOBES") == "BIOES"
    assert normalize_scheme("BMESO") == "BMES"
    assert normalize_scheme("BIOUL") == "BILOU"
    with pytest.raises(ValueError, match="'BIOX'.*IOB1, BIO, BIOES, BMES, BILOU"):
        spans_from_tags(["O"], "BIOX")


@pytest.mark.parametrize(
    ("sentences", "scheme"),
    [
        ([["O", "O"]], "BIO"),
        ([], "BIO"),
        ([["B-X", "I-X"], ["O", "B-Y"]], "BIO"),
        ([["I-X", "I-X"], ["O", "I-Y", "B-Y"]], "IOB1"),
        ([["I-X", "I-Y"]], "IOB1"),
        ([["B-X", "O", "I-Y"]], "BIO"),
        ([["O", "B-X", "I-X", "O", "I-Y", "O", "I-X"]], "BIO"),
        ([["I-X", "O"]] * 40 + [["O", "B-X"]], "IOB1"),
        ([["B-X", "I-X"], ["O", "S-Y"]], "BIOES"),
        ([["B-X", "E-X"]], "BIOES"),
        ([["B-X", "M-X", "E-X"], ["S-X"]], "BMES"),
        ([["B-X", "L-X"]], "BILOU"),
        ([["U-X"]], "BILOU"),
    ],
)
def test_the_scheme_of_a_file_is_found(sentences, scheme):
    assert detect_scheme(sentences) == scheme


@pytest.mark.parametrize("scheme", ["IOB1", *PREFIXES])
def test_the_scheme_of_written_tags_is_found(scheme):
    spans = [(0, 3, "X"), (3, 4, "X"), (5, 6, "Y")]
    tags = [write_tags(6, spans, scheme), write_tags(6, [(1, 2, "Y"), (3, 5, "X")], scheme)]
    assert detect_scheme(tags) == scheme


def test_what_looks_like_a_tag():
    assert all(map(is_tag, ["O", "B-X", "U-a b", "M-地点"]))
    assert not any(map(is_tag, ["", "X", "B", "B-", "X-LOC", "_", "OO", "b-X"]))
