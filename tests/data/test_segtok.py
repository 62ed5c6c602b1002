"""The remembering tokenizer gives what Flair's default gives."""

import random
import threading

import pytest
from flair.data import Sentence
from flair.tokenization import SegtokTokenizer

from flair_jointner.data import segtok
from flair_jointner.data.segtok import RememberingSegtokTokenizer, default_tokenizer

PIECES = [
    *("a", "ab", "Bc", "s", "t", "12", "Ñ", "İ", "́", "ไทย", "中", "Ⅳ", "²", "₂", "km", "_"),
    *(".", "..", "...", "!", "?", "?!", "。", "！", ",", ";", ":", "-", "‐", "\u00ad", "/", "&"),
    *("'", "’", "´", '"', "”", "(", ")", "[", "]", "e.g.", "U.S.", "it's", "dogs'", "et al."),
    *(" ", " ", "  ", "\t", "\u00a0", "\u3000", "\u2028", "\n", "\r", "\x1f", "\x0b", "\x85"),
]


def test_tokens_are_those_of_segtok_whatever_the_text():
    source, ours, theirs = random.Random(0), RememberingSegtokTokenizer(), SegtokTokenizer()
    for _ in range(20_000):
        text = "".join(source.choice(PIECES) for _ in range(source.randrange(10)))
        expected = theirs.tokenize(text)
        assert ours.tokenize(text) == expected, repr(text)
        assert ours.tokenize(text) == expected, f"{text!r} from memory"


@pytest.fixture
def cuts(monkeypatch):
    """The texts that segtok itself is asked to cut."""
    asked, original = [], SegtokTokenizer.run_tokenize
    monkeypatch.setattr(
        SegtokTokenizer,
        "run_tokenize",
        staticmethod(lambda text: asked.append(text) or original(text)),
    )
    return asked


def test_known_words_are_not_cut_again(cuts):
    tokenizer = RememberingSegtokTokenizer()
    tokens = ["Áo", "(", "trắng", ")", ",", "size", "M", "."]
    assert tokenizer.tokenize("Áo (trắng), size M.") == tokens
    assert tokenizer.tokenize("size (trắng), M.") == ["size", *tokens[1:5], "M", "."]
    assert cuts == ["Áo (trắng), size M."]


@pytest.mark.parametrize("text", ["One. Two", "One\ntwo", "One!) two", "a\x1fb"])
def test_a_text_of_several_sentences_is_left_to_segtok(text, cuts):
    tokenizer = RememberingSegtokTokenizer()
    tokenizer.tokenize(text)
    tokenizer.tokenize(text)
    assert cuts == [text, text]


def test_characters_that_always_split_are_left_to_segtok():
    ours, theirs = (kind(["§"]) for kind in (RememberingSegtokTokenizer, SegtokTokenizer))
    for _ in range(2):
        assert ours.tokenize("§5 a§b") == theirs.tokenize("§5 a§b") == ["§", "5", "a", "§", "b"]


def test_memory_stays_bounded(monkeypatch):
    monkeypatch.setattr(segtok, "_MOST_WORDS", 10)
    tokenizer = RememberingSegtokTokenizer()
    for number in range(100):
        assert tokenizer.tokenize(f"word{number}") == [f"word{number}"]
        assert len(tokenizer._known) <= 11


def test_threads_may_share_it(monkeypatch):
    monkeypatch.setattr(segtok, "_MOST_WORDS", 5)
    tokenizer, wrong = RememberingSegtokTokenizer(), []

    def cut(offset):
        for number in range(offset, offset + 2000):
            words = [f"w{(number * step) % 17}" for step in (1, 3, 5)]
            if tokenizer.tokenize(" ".join(words)) != words:
                wrong.append(words)

    threads = [threading.Thread(target=cut, args=(100 * index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_sentences_take_it_for_flairs():
    text = "Kem dưỡng da (50ml) của L'Oréal, chính hãng 100%!"
    ours, theirs = Sentence(text, default_tokenizer()), Sentence(text, SegtokTokenizer())
    assert [t.text for t in ours] == [t.text for t in theirs]
    assert [t.start_position for t in ours] == [t.start_position for t in theirs]
