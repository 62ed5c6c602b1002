"""Which tag may follow which, and what a path of tags spells."""

import copy
import itertools

import pytest
import tiny
import torch
from flair.models import SequenceTagger

from flair_jointner.models.tagset import TagSet, encodes_spans, tag_dictionary

SPECIAL = ["<START>", "<STOP>"]
SCHEMES = {
    "BIOES": ["O", "S-x", "B-x", "E-x", "I-x", "S-y", "B-y", "E-y", "I-y", *SPECIAL],
    "BIO": ["O", "B-x", "I-x", "B-y", "I-y", *SPECIAL],
}


@pytest.mark.parametrize(
    "tags, expected",
    [
        (["O", "S-x", "B-x", "E-x", "I-x", "<START>", "<STOP>"], True),
        (["<unk>", "O", "B-x", "I-x"], True),
        (["O", "B-S-size", "I-S-size"], True),
        (["S-ADJ", "NOUN"], False),
        (["B-", "I", "O"], False),
        (["O", "<unk>"], False),
    ],
)
def test_only_a_whole_dictionary_of_span_tags_encodes_spans(tags, expected):
    assert encodes_spans(tiny.dictionary(tags, spans=False)) is expected


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_path_is_allowed_exactly_if_it_is_valid(scheme, length):
    tagset = TagSet(SCHEMES[scheme], has_spans=True, tag_format=scheme)
    chain = tagset.constraint()
    for path in itertools.product(range(len(tagset)), repeat=length):
        score = chain.initial[path[0]] + chain.final[path[-1]]
        score = score + sum(chain.transitions[b, a] for a, b in itertools.pairwise(path))
        valid = tiny.decode([tagset.tags[tag] for tag in path], scheme) is not None
        assert float(score) == (0.0 if valid else float("-inf")), path


@pytest.mark.parametrize("predict_unknown", [True, False])
def test_token_tags_may_stand_anywhere_but_special_ones_nowhere(predict_unknown):
    tags = ["<unk>", "NOUN", "S-ADJ", *SPECIAL]
    chain = TagSet(tags, False, "BIOES").constraint(predict_unknown)
    usable = torch.tensor([predict_unknown, True, True, False, False])
    assert torch.equal(chain.initial == 0, usable)
    assert torch.equal(chain.final == 0, usable)
    assert torch.equal(chain.transitions == 0, usable & usable.unsqueeze(1))


def test_indices_are_those_of_the_dictionary_and_unknown_tags_are_seen():
    tagset = TagSet(SCHEMES["BIO"], True, "BIO")
    assert tagset.indices(["O", "I-y", "B-x"]) == [0, 4, 1]
    assert tagset.indices(["O", "B-z"]) is None
    with_unknown = TagSet(["<unk>", "O", "B-x", "I-x"], True, "BIO")
    assert with_unknown.indices(["O", "B-z"]) == [1, 0]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_spans_of_a_path_are_those_that_it_spells(scheme):
    tagset = TagSet(SCHEMES[scheme], True, scheme)
    entities = [[(0, 1, "x"), (1, 3, "x"), (4, 5, "y")], [], [(0, 2, "y")]]
    lengths = torch.tensor([5, 3, 2])
    mask = torch.arange(5) < lengths.unsqueeze(1)
    paths = torch.full((3, 5), len(tagset) - 1)
    for path, length, spans in zip(paths, lengths.tolist(), entities, strict=True):
        path[:length] = torch.tensor(tagset.indices(tiny.encode(length, spans, scheme)))
    for read in (tagset.spans, tagset.lenient_spans):
        found = [[], [], []]
        for sentence, start, end, kind in zip(
            *(x.tolist() for x in read(paths, mask)), strict=True
        ):
            found[sentence].append((start, end, tagset.types[kind]))
        assert found == entities


@pytest.mark.parametrize("use_crf", [True, False])
@pytest.mark.parametrize("unknown", [True, False])
@pytest.mark.parametrize("tag_format", ["BIOES", "BIO"])
@pytest.mark.parametrize(
    "types",
    [
        tiny.dictionary(add_unk=True),
        tiny.dictionary(("NOUN", "S-ADJ"), spans=False, add_unk=True),
        tiny.dictionary(("NOUN", "VERB"), spans=False),
    ],
)
def test_the_tags_are_those_that_flairs_tagger_makes(types, tag_format, unknown, use_crf):
    tagger = SequenceTagger(
        tiny.words(), copy.deepcopy(types), "ner", hidden_size=4,
        tag_format=tag_format, use_crf=use_crf, allow_unk_predictions=unknown,
    )  # fmt: skip
    before = types.get_items()
    made = tag_dictionary(types, tag_format, use_crf, unknown)
    assert made.get_items() == tagger.label_dictionary.get_items()
    assert types.get_items() == before
