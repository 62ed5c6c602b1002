"""Places of token sequences, against a plain loop over all of them."""

import random

import pytest

from flair_jointner.data.matching import TokenMatcher


def all_places(sequences, tokens):
    return sorted(
        (start, start + len(sequence))
        for sequence in sequences
        for start in range(len(tokens))
        if tuple(tokens[start : start + len(sequence)]) == sequence
    )


def longest_places(sequences, tokens):
    """From the left, at each token: the longest sequence that begins there, then on behind it."""
    found, start = [], 0
    while start < len(tokens):
        ends = [end for begin, end in all_places(sequences, tokens) if begin == start]
        if ends:
            found.append((start, max(ends)))
        start = max(ends, default=start + 1)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_places_are_those_of_a_plain_loop(seed):
    generator = random.Random(seed)
    overlapping = 0
    for _ in range(300):
        words = [f"w{n}" for n in range(generator.randint(1, 4))]
        sequences = {
            tuple(generator.choices(words, k=generator.randint(1, 5)))
            for _ in range(generator.randint(1, 8))
        }
        tokens = generator.choices([*words, "unknown"], k=generator.randint(0, 15))
        matcher = TokenMatcher(sequences)
        places = all_places(sequences, tokens)
        assert sorted(matcher.find_all(tokens)) == places
        longest = longest_places(sequences, tokens)
        assert matcher.find_longest(tokens) == longest
        overlapping += longest != places
    assert overlapping > 50


@pytest.mark.parametrize(
    ("sequences", "text", "expected"),
    [
        (["a b", "b c d"], "a b c d", [(0, 2)]),  # leftmost, though the other one is longer
        (["a", "a b c"], "a b a b c", [(0, 1), (2, 5)]),
        (["b", "a b d"], "a b c", [(1, 2)]),  # the longer one breaks off behind the shorter one
        (["a b", "a b c a b d"], "a b c a b d", [(0, 6)]),
        (["ab", "b"], "ab a b", [(0, 1), (2, 3)]),  # never a part of a token
        (["a"], "", []),
    ],
)
def test_leftmost_longest(sequences, text, expected):
    assert TokenMatcher(s.split() for s in sequences).find_longest(text.split()) == expected


def test_a_token_may_hold_spaces():
    assert TokenMatcher([["a b"]]).find_longest(["a", "b", "a b"]) == [(2, 3)]


@pytest.mark.parametrize(
    ("sequences", "message"), [([], "no sequence to look for"), ([["a"], []], "An empty sequence")]
)
def test_without_a_sequence_nothing_can_be_found(sequences, message):
    with pytest.raises(ValueError, match=message):
        TokenMatcher(sequences)
