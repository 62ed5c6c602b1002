"""Which strings get into a dictionary, and what it finds."""

import random
from collections import Counter

import pytest
import tiny

from flair_jointner.data.dictionary import EntityDictionary, entity_dictionary


def entries(*sentences, **options):
    made = entity_dictionary([tiny.title(*s) for s in sentences], **options)
    return {" ".join(words): entity_type for words, entity_type in made.entries.items()}


def repeat(count, *sentence):
    return [sentence] * count


def test_entities_of_one_token_and_more_with_their_types():
    made = entity_dictionary(tiny.titles())
    assert made.entries == {
        ("mibal",): "COLOUR",
        ("tagop", "kelum", "sulum"): "PRODUCT",
        ("sufen",): "PRODUCT",
        ("tabal", "kefen"): "PRODUCT",
        ("unheard",): "COLOUR",
        ("sulum",): "COLOUR",
        ("sugop",): "COLOUR",
    }
    assert made.left_out == {}


def test_an_ambiguous_string_needs_the_share_of_its_most_frequent_type():
    red = [*repeat(4, "red", [(0, 1, "COLOUR")]), *repeat(1, "red", [(0, 1, "BRAND")])]
    other = ("bag", [(0, 1, "PRODUCT")])
    assert entries(*red, other) == {"red": "COLOUR", "bag": "PRODUCT"}  # 4 of 5 is enough
    made = entity_dictionary([tiny.title(*s) for s in [*red, other]], min_share=0.81)
    assert list(made.entries) == [("bag",)]
    assert made.left_out == {"ambiguous": 1}


def test_a_string_outside_entities_counts_against_its_type():
    men = [*repeat(3, "bag men", [(1, 2, "GROUP")]), *repeat(1, "for men")]
    bag, cup = ("bag", [(0, 1, "PRODUCT")]), ("cup", [(0, 1, "PRODUCT")])
    made = entity_dictionary([tiny.title(*s) for s in [*men, bag, cup]])
    assert made.entries == {("cup",): "PRODUCT"}
    assert made.left_out == {"outside": 2}  # "men" 3 of 4, and "bag" 1 of 4
    assert entries(*men, bag, cup, min_share=0.75) == {"men": "GROUP", "cup": "PRODUCT"}


def test_places_inside_and_across_other_entities_say_nothing():
    assert entries(
        ("red", [(0, 1, "COLOUR")]),
        ("big red bag", [(0, 3, "PRODUCT")]),
        ("red wine", [(0, 1, "COLOUR")]),
        ("dark red", [(0, 2, "COLOUR")]),
        ("wine red", [(0, 1, "PRODUCT")]),
        ("wine", [(0, 1, "PRODUCT")]),
        min_share=0.6,
    ) == {"red": "COLOUR", "big red bag": "PRODUCT", "dark red": "COLOUR", "wine": "PRODUCT"}


def test_min_count_counts_all_types():
    sentences = [("a", [(0, 1, "X")]), ("a", [(0, 1, "Y")]), ("b", [(0, 1, "X")])]
    assert entries(*sentences, min_count=2, min_share=0.5) == {"a": "X"}  # on a tie, the first
    made = entity_dictionary([tiny.title(*s) for s in sentences], min_count=2, min_share=0.5)
    assert made.left_out == {"rare": 1}


def test_case():
    sentences = [("Red", [(0, 1, "COLOUR")]), ("RED", [(0, 1, "COLOUR")])]
    assert entries(*sentences) == {"Red": "COLOUR", "RED": "COLOUR"}
    made = entity_dictionary([tiny.title(*s) for s in sentences], ignore_case=True)
    assert made.entries == {("red",): "COLOUR"}
    assert made.find(["reD", "wine"]) == [(0, 1, "COLOUR")]


def test_sentences_that_nobody_annotated_are_passed_over():
    sentences = [tiny.title("red", [(0, 1, "COLOUR")])]
    sentences += [tiny.title("red", annotated=False) for _ in range(9)]
    assert entity_dictionary(sentences).entries == {("red",): "COLOUR"}


@pytest.mark.parametrize("min_share", [0.0, 0.5, 0.8, 1.0])
def test_the_rules_against_counting_by_hand(min_share):
    generator = random.Random(3)
    sentences, inside, outside = [], {}, Counter()
    for _ in range(60):
        tokens, spans, place = generator.choices("abc", k=8), [], 0
        while place < 8:
            length = generator.randint(1, 2)
            if generator.random() < 0.6 and place + length <= 8:
                spans.append((place, place + length, generator.choice("XXXY")))
            place += length
        sentences.append(tiny.title(" ".join(tokens), spans))
        for start, end, kind in spans:
            inside.setdefault(tuple(tokens[start:end]), Counter())[kind] += 1
        covered = {place for start, end, _ in spans for place in range(start, end)}
        for length in (1, 2):
            for start in range(9 - length):
                if not covered & set(range(start, start + length)):
                    outside[tuple(tokens[start : start + length])] += 1
    expected = {
        words: counts.most_common(1)[0][0]
        for words, counts in inside.items()
        if max(counts.values()) / (sum(counts.values()) + outside[words]) >= min_share
    }
    if expected:
        made = entity_dictionary(sentences, min_share=min_share)
        assert made.entries == expected
        assert len(made.entries) + sum(made.left_out.values()) == len(inside)
    else:
        with pytest.raises(ValueError, match=f"None of the {len(inside)} strings"):
            entity_dictionary(sentences, min_share=min_share)


@pytest.mark.parametrize(
    ("sentences", "options", "message"),
    [
        ([("red bag",)], {}, "no entity of type 'ner' in the 1 annotated"),
        ([("a", [(0, 1, "X")])], {"min_count": 2}, "1 are too rare.*--min-count"),
        ([("a", [(0, 1, "X")])], {"min_count": 0}, "min_count is 0"),
        ([("a", [(0, 1, "X")])], {"min_share": 1.5}, "min_share 1.5"),
    ],
)
def test_bad_input(sentences, options, message):
    with pytest.raises(ValueError, match=message):
        entries(*sentences, **options)


def test_a_dictionary_of_ones_own():
    made = EntityDictionary({("Red",): "COLOUR"}, ignore_case=True)
    assert made.find(["a", "RED"]) == [(1, 2, "COLOUR")]
    with pytest.raises(ValueError, match="'RED' has the types 'COLOUR' and 'BRAND'"):
        EntityDictionary({("Red",): "COLOUR", ("RED",): "BRAND"}, ignore_case=True)
    with pytest.raises(ValueError, match="no sequence"):
        EntityDictionary({})
