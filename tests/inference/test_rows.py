import itertools

import pytest
import tiny
from flair.data import Sentence
from flair.tokenization import SpaceTokenizer

from flair_jointner.inference import tag_texts


@pytest.fixture(scope="module")
def tagger():
    return tiny.joint_tagger()


def random_texts(count):
    return [sentence.text for sentence in tiny.random_titles(count)]


def test_rows_say_what_predict_says(tagger):
    texts = random_texts(40)
    rows = list(tag_texts(tagger, texts, tokenizer=SpaceTokenizer(), batch_size=7, chunk_size=16))
    assert [row["text"] for row in rows] == texts
    assert sum(len(row["entities"]) for row in rows) > 20
    for text, row in zip(texts, rows, strict=True):
        sentence = Sentence(text, use_tokenizer=SpaceTokenizer())
        tagger.predict(sentence)
        assert row["category"] == sentence.get_label(tiny.CLASS_TYPE).value
        assert row["score"] == pytest.approx(sentence.get_label(tiny.CLASS_TYPE).score, abs=1e-4)
        expected = [
            (span.text, span.start_position, span.end_position, span.get_label("ner").value)
            for span in sentence.get_spans("ner")
        ]
        found = [(e["text"], e["start"], e["end"], e["type"]) for e in row["entities"]]
        assert found == expected
        assert all(0 < e["score"] <= 1 for e in row["entities"])


@pytest.mark.parametrize(
    "text",
    [
        "  mibal   rofen tagop  ",
        "mi\u200bbal rofen\u200b \u200btagop kelum",  # zero-width spaces, which Flair drops
        "\ufeffmibal rofen (tagop), kelum!",
        "mibal\u3000rofen\tsulum",
        "😀 mibal 😀 rofen sulum",
        "mibal ro\u0301fen sulum",
    ],
)
def test_offsets_count_characters_of_the_text_as_it_came(tagger, text):
    (row,) = tag_texts(tagger, [text])
    assert row["text"] == text
    assert row["entities"]
    for entity in row["entities"]:
        assert text[entity["start"] : entity["end"]] == entity["text"]
        assert entity["text"] == entity["text"].strip()


@pytest.mark.parametrize("text", ["", "   ", "\u200b"])
def test_a_text_without_tokens_gets_an_empty_row_in_its_place(tagger, text):
    rows = list(tag_texts(tagger, ["mibal", text, "rofen"]))
    assert rows[1] == {"text": text, "category": None, "score": None, "entities": []}
    assert [row["text"] for row in rows] == ["mibal", text, "rofen"]
    assert rows[2]["category"] in tiny.CLASSES


def test_a_tagger_without_sentence_head_gives_no_category():
    (row,) = tag_texts(tiny.joint_tagger(classes=None), ["mibal rofen"])
    assert row["category"] is None and row["score"] is None


def test_texts_are_taken_a_chunk_at_a_time(tagger):
    endless = itertools.cycle(random_texts(5))
    rows = list(itertools.islice(tag_texts(tagger, endless, chunk_size=4), 9))
    assert len(rows) == 9
