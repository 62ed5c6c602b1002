"""Every token stands in the text where it says, whatever is mixed with the Thai."""

import os
import pickle
import random
import subprocess
import sys
import unicodedata

import pytest
from flair.data import Sentence

from flair_jointner.data import MissingPackage, ThaiTokenizer, character_clusters
from flair_jointner.data.thai import (
    ENGINES,
    SPACES,
    is_thai,
    pythainlp,
    split_at_spaces,
    thai_dictionary,
)

pytest.importorskip("pythainlp", reason="the extra [thai] is not installed")

TITLES = [
    "เสื้อยืดผู้ชายคอกลม สีดำ ไซซ์ XL",
    "รองเท้าผ้าใบผู้หญิง  รุ่นใหม่   ลด50%",
    "ครีมกันแดด SPF50+ PA+++ ขนาด 30ml",
    "หม้อหุงข้าวไฟฟ้า 1.8 ลิตร (สีขาว)",
    "เคสมือถือ iPhone13 Pro Max กันกระแทก",
    "กระเป๋าสะพายข้าง หนังแท้ ราคา฿1,290",
    "ของเล่นเด็ก👶🏽ตัวต่อไม้ 100ชิ้น🎉",
    "น้ำยาล้างจาน 500มล. x 3 ขวด",
    "ผ้าม่านกันแสง UV 2.5 เมตร/ผืน",
    "ชุดนอนลายการ์ตูนน่ารักๆ ผ้าcotton",
    "ยางรถยนต์ 195/65R15 ปี๒๕๖๗",
    "หูฟังบลูทูธ TWS-5.0\tเสียงดี\u00a0แบตอึด",
    "L'Oréal ลิปสติก เนื้อแมทท์ café au lait",
]
STUFF = [
    "เสื้อ", "ผู้หญิง", "น้ำ", "กางเกงขาสั้น", "ๆ", "ฯ", "ก", "เ", "า", "ำ", "ะ", "แก้ว", "พ.ศ.",
    "์", "้", "ื", "ุ", "ั๊", "฿", "๑๒", "a", "Size", "é", "e\u0301", "ß", "中文", "ລາວ", "12", "3.5",
    "12:00", "-", "'", "’", ".", ",", "%", "+++", "_", "/", "😀", "👍🏽", "👩\u200d👧", "\u200d",
    "\u200b", "\u200c", "\ufeff", "\ufe0f", "\u2060", "\u00ad", " ", "  ", "\t", "\n", "\u00a0",
    "\u3000", "\x00", "\ud800",
]  # fmt: skip


def mixtures(count, stuff, seed=3):
    draw = random.Random(seed)
    return ["".join(draw.choices(stuff, k=draw.randint(0, 14))) for _ in range(count)]


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("เสื้อยืดผู้ชาย  คอกลม 😀 size XL", "เสื้อยืด ผู้ชาย คอกลม 😀 size XL"),
        ("ราคา฿199.50บาท (ลด50%)", "ราคา ฿ 199.50 บาท ( ลด 50 % )"),
        ("L'Oréal cafe\u0301s T-shirt XL/XXL", "L'Oréal cafe\u0301s T-shirt XL / XXL"),
        ("พ.ศ.๒๕๖๗", "พ.ศ. ๒๕๖๗"),
        ("เด็ก👩\u200d👧👍🏽ดี", "เด็ก 👩\u200d👧 👍🏽 ดี"),
        ("ผ้า\u200bม่าน\ufeffดี", "ผ้า ม่าน ดี"),
        ("ปั่น๊้้", "ปั่น๊้้"),
        (" \t\u00a0\u200b", ""),
        ("", ""),
    ],
)
def test_words(title, words):
    assert ThaiTokenizer().tokenize(title) == words.split(" " if words else None)


@pytest.mark.parametrize(
    ("text", "clusters"),
    [
        ("เสื้อยืดผู้ชาย", "เสื้อ ยืด ผู้ ชา ย"),
        ("ไซซ์XL๑๒ชิ้น", "ไซ ซ์ XL ๑๒ ชิ้ น"),
        ("์ก", "์ ก"),
        ("A้B", "A้ B"),
        ("12:00น.", "12:00 น ."),
        ("1,290.-", "1,290 . -"),
    ],
)
def test_character_clusters(text, clusters):
    assert character_clusters(text) == clusters.split()
    assert ThaiTokenizer("tcc").tokenize(text) == clusters.split()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("title", TITLES)
def test_offsets_of_titles_are_exact(engine, title):
    sentence = Sentence(title, use_tokenizer=ThaiTokenizer(engine))
    assert len(sentence) >= 5
    for token in sentence:
        assert title[token.start_position : token.end_position] == token.text
    assert "".join(token.text for token in sentence) == "".join(title.split())


@pytest.mark.parametrize("engine", ENGINES)
def test_any_mixture_is_cut_without_loss(engine):
    tokenizer = ThaiTokenizer(engine)
    for text in mixtures(1500, STUFF):
        tokens = tokenizer.tokenize(text)
        assert "".join(tokens) == SPACES.sub("", text)
        assert not any(SPACES.search(token) or not token for token in tokens)
        place = 0
        for token in tokens:
            start = text.index(token, place)
            if unicodedata.category(token[0])[0] == "M":  # nothing stands before it
                assert start == 0 or SPACES.fullmatch(text[start - 1])
            place = start + len(token)


@pytest.mark.parametrize("engine", ENGINES)
def test_sentences_of_any_mixture_have_exact_offsets(engine):
    # Flair drops other zero-width characters from the text before it counts.
    dropped = {"\u200b", "\u200c", "\ufeff", "\ufe0f", ""}
    tokenizer = ThaiTokenizer(engine)
    for text in mixtures(500, [part for part in STUFF if part not in dropped], seed=4):
        for token in Sentence(text, use_tokenizer=tokenizer):
            assert text[token.start_position : token.end_position] == token.text


def test_words_end_where_clusters_end():
    for text in mixtures(500, STUFF, seed=5):
        for piece in split_at_spaces(text):
            ends = {sum(map(len, character_clusters(piece)[:n])) for n in range(len(piece) + 1)}
            words = ThaiTokenizer().tokenize(piece)
            assert {sum(map(len, words[: n + 1])) for n in range(len(words))} <= ends


def test_what_is_thai():
    assert is_thai("aก") and is_thai("้") and is_thai("ๆ")
    assert not any(map(is_thai, ("", "abc", "฿", "๑", "ລ")))


def test_the_dictionary_is_that_of_newmm():
    assert {"เสื้อยืด", "นาฬิกาปลุก"} <= thai_dictionary()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_copy_cuts_the_same(engine):
    tokenizer = ThaiTokenizer(engine)
    for copy in (
        pickle.loads(pickle.dumps(tokenizer)),
        ThaiTokenizer.from_dict(tokenizer.to_dict()),
    ):
        assert copy == tokenizer
        assert [copy.tokenize(t) for t in TITLES] == [tokenizer.tokenize(t) for t in TITLES]
    assert tokenizer.name == f"ThaiTokenizer_{engine}"


def test_an_unknown_engine():
    with pytest.raises(ValueError, match="engine is 'deepcut'; possible: newmm, tcc"):
        ThaiTokenizer("deepcut")


def test_without_pythainlp_the_error_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "pythainlp", None)
    pythainlp.cache_clear()
    with pytest.raises(MissingPackage, match=r"pip install 'flair-jointner\[thai\]'"):
        ThaiTokenizer()


def test_a_text_of_a_hundred_thousand_characters():
    text = TITLES[0] * 3000
    assert "".join(ThaiTokenizer().tokenize(text)) == "".join(text.split())


OFFLINE = """
import os, socket
def refuse(*_, **__): raise OSError("there is no network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from flair_jointner.data.thai import ThaiTokenizer, thai_dictionary
print(*ThaiTokenizer().tokenize("เสื้อยืดผู้ชาย"), len(thai_dictionary()) > 10_000)
print("PYTHAINLP_READ_ONLY" in os.environ)
"""


def test_no_network_is_needed_and_nothing_written_in_the_home_directory(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "PYTHONIOENCODING": "utf-8"}
    environment |= {"FLAIR_CACHE_ROOT": str(tmp_path / "flair")}
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE], env=environment, capture_output=True, encoding="utf-8"
    )
    assert done.stdout.splitlines() == ["เสื้อยืด ผู้ชาย True", "False"], done.stderr
    assert not (home / "pythainlp-data").exists()
