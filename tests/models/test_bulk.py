"""Rows say what predict says, with offsets into the text as it came."""

import copy
import itertools
import pickle
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import tiny
import torch
from flair.data import Sentence
from flair.embeddings import OneHotEmbeddings, StackedEmbeddings
from flair.tokenization import SpaceTokenizer

from flair_jointner import CharacterCNNEmbeddings, JointTagger
from flair_jointner.data import ThaiTokenizer
from flair_jointner.models import joint, word_encoder
from flair_jointner.models.fast_paths import FastPaths
from flair_jointner.models.folding import FOLDED_METHODS
from flair_jointner.models.numbered_words import SpelledWords
from flair_jointner.models.tagging import TaggingRun


@pytest.fixture(scope="module")
def tagger():
    return tiny.joint_tagger()


def random_texts(count):
    return [sentence.text for sentence in tiny.random_titles(count)]


def test_rows_say_what_predict_says(tagger):
    texts = random_texts(40)
    rows = list(tagger.tag(texts, tokenizer=SpaceTokenizer(), batch_size=7, chunk_size=16))
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
    (row,) = tagger.tag([text])
    assert row["text"] == text
    assert row["entities"]
    for entity in row["entities"]:
        assert text[entity["start"] : entity["end"]] == entity["text"]
        assert entity["text"] == entity["text"].strip()


@pytest.mark.parametrize("text", ["", "   ", "\u200b"])
def test_a_text_without_tokens_gets_an_empty_row_in_its_place(tagger, text):
    rows = list(tagger.tag(["mibal", text, "rofen"]))
    assert rows[1] == {"text": text, "category": None, "score": None, "entities": []}
    assert [row["text"] for row in rows] == ["mibal", text, "rofen"]
    assert rows[2]["category"] in tiny.CLASSES


def test_a_tagger_without_sentence_head_gives_no_category():
    (row,) = tiny.joint_tagger(classes=None).tag(["mibal rofen"])
    assert row["category"] is None and row["score"] is None


def test_texts_are_taken_a_chunk_at_a_time(tagger):
    endless = itertools.cycle(random_texts(5))
    rows = list(itertools.islice(tagger.tag(endless, chunk_size=4), 9))
    assert len(rows) == 9


# ----- the folded network -----


def pairs(rows, others):
    """Rows with the same text, category and entities; scores agree to a few digits."""
    for row, other in zip(rows, others, strict=True):
        assert (row["text"], row["category"]) == (other["text"], other["category"])
        if row["score"] is not None:
            assert row["score"] == pytest.approx(other["score"], abs=1e-4)
        for one, two in zip(row["entities"], other["entities"], strict=True):
            assert {**one, "score": 0} == {**two, "score": 0}
            assert one["score"] == pytest.approx(two["score"], abs=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"attention": "learned"},
        {"bidirectional": False, "attention": "soft"},
        {"reproject_embeddings": False, "tag_format": "BIO"},
        {"use_crf": False, "classes": None},
        {"constrain_decoding": False},
    ],
)
def test_the_folded_network_tags_like_the_plain_one(options):
    tagger = tiny.joint_tagger(**options)
    texts = [*random_texts(150), "", "unheard words only"]
    assert tagger.describe_fast_path()["folded_lstm"] == "on"
    rows = list(tagger.tag(texts, tokenizer=SpaceTokenizer()))
    assert tagger.folded.encoder is not None
    tagger.fast_paths = FastPaths(folded_lstm=False)
    pairs(rows, tagger.tag(texts, tokenizer=SpaceTokenizer()))
    sentences = [Sentence(text, use_tokenizer=SpaceTokenizer()) for text in texts if text]
    tagger.fast_paths = FastPaths()
    tagger.predict(sentences)
    for sentence, row in zip(sentences, [row for row in rows if row["text"]], strict=True):
        found = [(span.start_position, span.end_position) for span in sentence.get_spans("ner")]
        assert found == [(e["start"], e["end"]) for e in row["entities"]]


def letters(**options):
    torch.manual_seed(1)
    return CharacterCNNEmbeddings("abcdefghijklmnopqrstuvwxyz", **options)


SPELLED = {
    "characters": letters,
    "words-and-characters": lambda: StackedEmbeddings([tiny.words(), letters()]),
    "two-tables": lambda: StackedEmbeddings([tiny.words(name="b"), tiny.words(3, name="a")]),
    "all": lambda: StackedEmbeddings(
        [tiny.words(name="b"), letters(name="c"), StackedEmbeddings([tiny.words(3, name="a")])]
    ),
}


def unheard(count, seed=5):
    """Words without a vector, each with a spelling of its own, among known ones."""
    rng = random.Random(seed)
    syllables = ["mi", "ro", "ta", "bal", "fen", "gop", "xu", "é"]
    return [
        " ".join("".join(rng.choices(syllables, k=rng.randint(2, 4))) for _ in range(1 + at % 9))
        for at in range(count)
    ]


@pytest.mark.parametrize("perturbation", [None, 1.0])
@pytest.mark.parametrize("make", SPELLED.values(), ids=SPELLED)
def test_vectors_from_characters_and_of_several_tables_are_folded(make, perturbation):
    tagger = tiny.joint_tagger(make(), perturbation=perturbation)
    if perturbation is not None:
        tagger.train().forward_loss(tiny.titles())[0].backward()  # moves what normalises
        tagger.eval()
    texts = [*random_texts(150), *unheard(100), "", "xumi"]
    assert tagger.describe_fast_path()["folded_lstm"] == "on"
    rows = list(tagger.tag(texts, batch_size=9))
    assert tagger.folded.encoder is not None
    tagger.fast_paths = FastPaths(folded_lstm=False)
    pairs(rows, tagger.tag(texts, batch_size=9))


@pytest.mark.parametrize("room", [1, 40, 150])
def test_words_are_numbered_anew_when_there_is_no_room_for_more(room, monkeypatch):
    monkeypatch.setattr(SpelledWords, "room", room)
    monkeypatch.setattr(TaggingRun, "_batches", batches_of_nine)
    tagger = tiny.joint_tagger(SPELLED["words-and-characters"]())
    texts = [*unheard(200), *random_texts(200), *unheard(200, seed=6)]
    forgotten = []
    forget = SpelledWords.forget
    monkeypatch.setattr(
        SpelledWords, "forget", lambda self: forgotten.append(self.met) or forget(self)
    )
    rows = list(tagger.tag(texts))
    assert len(forgotten) > 2
    assert room < max(forgotten) < room + 9 * 9 + 1
    assert tagger.folded.encoder._gates is not None
    tagger.fast_paths = FastPaths(folded_lstm=False)
    pairs(rows, tagger.tag(texts))


def batches_of_nine(self, lengths, show_progress=False):
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    return [order[start : start + 9] for start in range(0, len(order), 9)]


def test_threads_that_share_a_tagger_over_characters_do_not_mix_up_words(monkeypatch):
    monkeypatch.setattr(SpelledWords, "room", 60)
    tagger = tiny.joint_tagger(SPELLED["words-and-characters"]())
    batches = [[*unheard(150, seed=seed), *random_texts(50)] for seed in range(3)]
    expected = [list(tagger.tag(texts, chunk_size=20)) for texts in batches]

    def tag(texts):
        return list(tagger.tag(texts, chunk_size=20))

    with ThreadPoolExecutor(3) as pool:
        for found, known in zip(pool.map(tag, batches * 4), expected * 4, strict=True):
            pairs(found, known)


def test_threads_leave_the_tagger_in_the_mode_that_it_was_in():
    tagger = tiny.joint_tagger(dropout=0.5)
    texts = random_texts(400)
    expected = list(tagger.tag(texts, chunk_size=20))
    tagger.train()
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(lambda _: list(tagger.tag(texts, chunk_size=20)), range(6)):
            pairs(found, expected)
    assert tagger.training and tagger.rnn.training


@pytest.mark.parametrize("part", ["table", "convolution", "normalisation"])
def test_changed_characters_are_folded_anew(part):
    tagger = tiny.joint_tagger(letters(), perturbation=1.0)
    texts = unheard(100)
    before = list(tagger.tag(texts))
    changed = getattr(tagger.embeddings, part)
    value = changed.mean if part == "normalisation" else changed.weight
    value.data.add_(0.5)
    after = list(tagger.tag(texts))
    assert after != before
    tagger.fast_paths = FastPaths(folded_lstm=False)
    pairs(after, tagger.tag(texts))


@pytest.mark.parametrize("kept", ["gates", "nothing"])
def test_a_vocabulary_too_large_for_a_table_is_computed_by_batch(monkeypatch, kept):
    tagger = tiny.joint_tagger()
    texts = random_texts(100)
    rows = list(tagger.tag(texts))
    numbers = 2 * 4 * tagger.hidden_size * len(tagger.embeddings.embedding.weight)
    monkeypatch.setattr(word_encoder, "_TABLE_BYTES", 4 * numbers if kept == "gates" else 0)
    tagger.folded.encoder = None
    pairs(rows, tagger.tag(texts))
    encoder = tagger.folded.encoder
    assert (encoder._gates is not None) == (kept == "gates") and encoder._begun is None


@pytest.mark.parametrize("change", ["step", "data", "order", "words", "frozen words"])
def test_changed_weights_are_folded_anew(change):
    tagger = tiny.joint_tagger(tiny.words(fine_tune=True) if change == "words" else None)
    texts = random_texts(100)
    before = list(tagger.tag(texts))
    if change == "data":
        tagger.rnn.weight_hh_l0.data.mul_(-3)
    elif change == "order":
        with torch.no_grad():
            tagger.rnn.weight_hh_l0.copy_(tagger.rnn.weight_hh_l0.flip(0))
    elif change == "frozen words":
        tagger.embeddings.embedding.weight.data.mul_(-3)
    elif change == "words":
        with torch.no_grad():
            tagger.embeddings.embedding.weight.mul_(-3)
    else:
        torch.optim.Adam(tagger.parameters(), lr=0.5, fused=True).zero_grad()
        tagger.train().forward_loss(tiny.titles())[0].backward()
        torch.optim.Adam(tagger.parameters(), lr=0.5, fused=True).step()
        tagger.eval()
    after = list(tagger.tag(texts))
    assert after != before
    tagger.fast_paths = FastPaths(folded_lstm=False)
    pairs(after, tagger.tag(texts))


def test_a_pass_under_the_callers_autocast_leaves_later_ones_alone():
    tagger, fresh = tiny.joint_tagger(), tiny.joint_tagger()
    fresh.load_state_dict(tagger.state_dict())
    texts = random_texts(100)
    with torch.autocast("cpu", torch.bfloat16):
        list(tagger.tag(texts))
        tagger.predict([Sentence(text) for text in texts])
    assert list(tagger.tag(texts)) == list(fresh.tag(texts))


@pytest.mark.parametrize("station", FOLDED_METHODS)
def test_a_station_of_a_subclass_is_not_folded_away(station):
    own = type("Own", (JointTagger,), {station: lambda self, *args: None})
    tagger = tiny.joint_tagger()
    tagger.__class__ = own
    assert tagger.describe_fast_path()["folded_lstm"] == f"Own has its own {station}"


def test_a_tagger_loaded_in_inference_mode_tags_outside_of_it(tmp_path):
    tiny.joint_tagger().save(tmp_path / "tagger.pt")
    with torch.inference_mode():
        tagger = JointTagger.load(tmp_path / "tagger.pt")
    texts = random_texts(100)
    assert list(tagger.tag(texts)) == list(JointTagger.load(tmp_path / "tagger.pt").tag(texts))


def test_an_empty_token_is_refused_where_tokens_are_counted(tagger):
    for count in (1, 200):  # few tokens are not folded
        with pytest.raises(ValueError, match="is empty"):
            tagger.predict_tokens([["mibal", "", "rofen"]] * count)


def test_tokens_are_taken_as_they_are(tagger):
    rows = list(tagger.tag([["mibal", "a b", "rofen"], [], ["kelum"]]))
    assert [row["text"] for row in rows] == ["mibal a b rofen", "", "kelum"]
    for row in rows:
        for entity in row["entities"]:
            assert row["text"][entity["start"] : entity["end"]] == entity["text"]


@pytest.mark.parametrize("count", [1, 80])
def test_empty_tokens_are_none(tagger, count):
    tokens = ["mibal", "", "rofen", "tagop", ""]
    assert tokens.count("") == 2
    for row in tagger.tag([tokens] * count):
        assert row["text"] == "mibal  rofen tagop "
        (expected,) = tagger.tag([[token for token in tokens if token]])
        assert row["score"] == pytest.approx(expected["score"], abs=1e-5)
        found = [entity["text"].split() for entity in row["entities"]]
        assert found == [entity["text"].split() for entity in expected["entities"]]
        for entity in row["entities"]:
            assert row["text"][entity["start"] : entity["end"]] == entity["text"]


def test_batches_are_made_larger_for_many_short_sentences_of_like_length(tagger, monkeypatch):
    sizes = []
    run = TaggingRun._run_words
    monkeypatch.setattr(
        TaggingRun, "_run_words", lambda self, batch: sizes.append(len(batch)) or run(self, batch)
    )
    texts = [["mibal"] * 1000] * 64 + [["mibal"] * 128] * 100 + [["mibal"]] * 300
    assert len(list(tagger.tag(texts, batch_size=20))) == len(texts)
    # 16,384 tokens are 16 of the long ones; then the sentences of 128 tokens, with some more to be
    # enough; then 256 of the others, and what remains.
    assert sizes == [20, 20, 20, 20, 96, 256, 32]


@pytest.mark.parametrize("system", [None, "learned"])
def test_self_attention_takes_fewer_long_sentences_at_once(system, monkeypatch):
    sizes = []
    run = TaggingRun._run_words
    monkeypatch.setattr(
        TaggingRun, "_run_words", lambda self, batch: sizes.append(len(batch)) or run(self, batch)
    )
    monkeypatch.setattr(joint, "_MOST_WEIGHTS", 4 * 2 * 100**2)
    tagger = tiny.joint_tagger(attention=system, attention_heads=2)
    texts = [["mibal"] * 400] * 3 + [["mibal"] * 100] * 6
    assert len(list(tagger.tag(texts, batch_size=9))) == 9
    assert sizes == ([9] if system is None else [1, 1, 1, 4, 2])


def test_bfloat16_changes_little():
    tagger = tiny.joint_tagger(attention="learned", init_range=0.5)
    texts = random_texts(200)
    exact, rounded = list(tagger.tag(texts)), list(tagger.tag(texts, bfloat16=True))
    changed = sum(a["category"] != b["category"] for a, b in zip(exact, rounded, strict=True))
    assert changed < 10
    scores = zip(exact, rounded, strict=True)
    assert max(abs(a["score"] - b["score"]) for a, b in scores) < 0.1


@pytest.mark.parametrize(
    "options, reason",
    [
        ({"rnn_layers": 2}, "LSTM of one layer"),
        ({"rnn_type": "GRU"}, "LSTM of one layer"),
        ({"use_rnn": False}, "LSTM of one layer"),
        ({"train_initial_hidden_state": True}, "initial state"),
        ({"embeddings": "one-hot"}, "not WordEmbeddings without a field or CharacterCNN"),
    ],
)
def test_what_cannot_be_folded_says_why_and_tags_all_the_same(options, reason):
    if options.get("embeddings") == "one-hot":
        members = [tiny.words(), OneHotEmbeddings(tiny.dictionary(tiny.WORDS, add_unk=True))]
        options = {**options, "embeddings": StackedEmbeddings(members)}
    tagger = tiny.joint_tagger(**options)
    assert reason in tagger.describe_fast_path()["folded_lstm"]
    rows = list(tagger.tag(random_texts(70)))
    assert len(rows) == 70 and tagger.folded.encoder is None


def test_other_fast_paths_are_described_too():
    described = tiny.joint_tagger(use_crf=False).describe_fast_path()
    assert described == {
        "word_table": "on",
        "memory": "on",
        "fast_lstm": "on",
        "scaled_crf": "there is no CRF",
        "folded_lstm": "on",
    }
    tagger = tiny.joint_tagger(OneHotEmbeddings(tiny.dictionary(tiny.WORDS)))
    described = tagger.describe_fast_path()["word_table"]
    assert described == "OneHotEmbeddings is embedded token by token"


def test_a_carriage_return_in_a_text_keeps_the_offsets(tagger):
    (row,) = tagger.tag(["T-\rmibal rofen tagop"])
    assert row["text"] == "T-\rmibal rofen tagop"
    (other,) = tagger.tag(["T- mibal rofen tagop"])
    assert [e["start"] for e in row["entities"]] == [e["start"] for e in other["entities"]]


def test_sizes_below_one_are_refused(tagger):
    with pytest.raises(ValueError, match="chunk_size 0"):
        tagger.tag(["mibal"], chunk_size=0)
    with pytest.raises(ValueError, match="batch_size is 0"):
        tagger.tag(["mibal"], batch_size=0)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("mibal rofen", r"several texts: pass a list of them, as \['mibal rofen'\]"),
        ([None], "was given None"),
        ([b"mibal"], "was given b'mibal'"),
        ([["mibal", 5]], r"was given \['mibal', 5\]"),
        ([Sentence("mibal")], "Sentence objects go to predict"),
    ],
)
def test_what_is_no_text_is_refused(tagger, texts, message):
    with pytest.raises(TypeError, match=message):
        list(tagger.tag(texts))


def failing(count):
    yield from random_texts(count)
    raise ConnectionError("the source of the texts is gone")


@pytest.mark.parametrize("count", [0, 3, 10, 25])
def test_texts_before_an_error_in_their_source_are_tagged(tagger, count):
    rows = tagger.tag(failing(count), chunk_size=10)
    found = [next(rows) for _ in range(count)]
    assert [row["text"] for row in found] == random_texts(count)
    with pytest.raises(ConnectionError):
        next(rows)
    assert list(rows) == []


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda tagger: pickle.loads(pickle.dumps(tagger))]
)
def test_a_tagger_that_has_tagged_can_be_copied_and_pickled(copied):
    # Large enough for matrices in oneDNN's own layout, which cannot be copied.
    tagger = tiny.joint_tagger(tiny.words(100), hidden_size=128, attention_heads=4)
    texts = random_texts(100)
    rows = list(tagger.tag(texts))
    again = copied(tagger)
    assert tagger.folded.encoder is not None and again.folded.encoder is None
    pairs(again.tag(texts), rows)


@pytest.mark.parametrize("engine", ["newmm", "tcc"])
def test_offsets_in_thai_titles(engine):
    pytest.importorskip("pythainlp", reason="the extra [thai] is not installed")
    tokenizer = ThaiTokenizer(engine)
    texts = [
        "เสื้อยืดผู้ชายคอกลม  สีดำ ไซซ์ XL",
        "รองเท้า\u200bผ้าใบ\ufeffผู้หญิง ลด50% 👍🏽สีดำ",
        " กระเป๋า\u00a0หนังแท้ ราคา฿1,290 (สีดำ)",
    ]
    vocabulary = sorted({token for text in texts for token in tokenizer.tokenize(text)})
    tagger = tiny.joint_tagger(tiny.words(vocabulary=vocabulary))
    rows = list(tagger.tag(texts, tokenizer=tokenizer))
    assert sum(len(row["entities"]) for row in rows) > 5
    for text, row in zip(texts, rows, strict=True):
        sentence = Sentence(text, use_tokenizer=tokenizer)
        tagger.predict(sentence)
        spans = sentence.get_spans("ner")
        assert len(row["entities"]) == len(spans)
        for entity, span in zip(row["entities"], spans, strict=True):
            assert row["text"][entity["start"] : entity["end"]] == entity["text"]
            bare = entity["text"].replace("\u200b", "").replace("\ufeff", "")
            assert (bare, entity["type"]) == (span.text, span.get_label("ner").value)


def test_each_tagged_token_is_an_entity_where_tags_encode_no_spans():
    tagger = tiny.joint_tagger(types=tiny.dictionary(("NOUN", "VERB", "O"), spans=False))
    sentences = tiny.random_titles(20)
    rows = list(tagger.tag([[token.text for token in sentence] for sentence in sentences]))
    tagger.predict(sentences)
    for sentence, row in zip(sentences, rows, strict=True):
        found = [(token.text, label.value, label.score) for token in sentence
                 for label in token.get_labels(tiny.TAG_TYPE) if label.value != "O"]  # fmt: skip
        entities = [(e["text"], e["type"], pytest.approx(e["score"])) for e in row["entities"]]
        assert found == entities
        assert all(row["text"][e["start"] : e["end"]] == e["text"] for e in row["entities"])
    assert sum(len(row["entities"]) for row in rows) > 20


def test_a_pass_in_inference_mode_leaves_later_ones_alone():
    tagger = tiny.joint_tagger()
    with torch.inference_mode():
        tagger.predict([Sentence(["mibal"] * 256)])
    sentences = tiny.random_titles(100)
    tagger.predict(sentences)
    again = tiny.random_titles(100)
    tagger.fast_paths.folded_lstm = False
    tagger.predict(again)
    for one, other in zip(sentences, again, strict=True):
        assert tiny.spans(one, tiny.TAG_TYPE) == tiny.spans(other, tiny.TAG_TYPE)


def test_word_vectors_trained_by_a_fused_optimizer_are_folded_anew():
    tagger = tiny.joint_tagger(tiny.words(fine_tune=True))
    for weight in tagger.parameters():
        weight.requires_grad_(False)
    table = tagger.embeddings.embedding.weight.requires_grad_()
    tagger.predict(tiny.random_titles(100))
    optimizer = torch.optim.Adam([table], lr=1.0, fused=True)
    for _ in range(5):
        optimizer.zero_grad()
        tagger.forward_loss(tiny.titles())[0].backward()
        optimizer.step()
    sentences, again = tiny.random_titles(100), tiny.random_titles(100)
    tagger.predict(sentences)
    tagger.fast_paths.folded_lstm = False
    tagger.predict(again)
    for one, other in zip(sentences, again, strict=True):
        assert tiny.spans(one, tiny.TAG_TYPE) == tiny.spans(other, tiny.TAG_TYPE)
