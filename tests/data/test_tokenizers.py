import sys

import pytest

from flair_jointner.data import MissingPackage, make_tokenizer
from flair_jointner.data.segmenter import save_segmenter
from flair_jointner.data.thai import pythainlp

TEXT = "เสื้อยืด สีดำ(XL)"


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("space", "เสื้อยืด สีดำ(XL)"),
        ("thai", "เสื้อยืด สี ดำ ( XL )"),
        ("thai-cluster", "เสื้อ ยืด สี ดำ ( XL )"),
    ],
)
def test_tokenizers_by_name(name, tokens):
    if name.startswith("thai"):
        pytest.importorskip("pythainlp", reason="the extra [thai] is not installed")
    assert make_tokenizer(name).tokenize(TEXT) == tokens.split()


def test_segtok_is_flairs_default():
    assert make_tokenizer("segtok").tokenize("a cat's, b") == ["a", "cat", "'s", ",", "b"]


def test_a_segmenter_by_its_file(tmp_path):
    pytest.importorskip("pythainlp", reason="the extra [thai] is not installed")
    save_segmenter(tmp_path / "m.json", {}, {"BB": 0, "BI": 1, "IB": 0, "II": 1})
    assert make_tokenizer(f"segmenter:{tmp_path}/m.json").tokenize(TEXT) == TEXT.split()


@pytest.mark.parametrize("name", ["newmm", "", "Thai", "segmenter"])
def test_an_unknown_name(name):
    with pytest.raises(ValueError, match="segtok, space, thai, thai-cluster, segmenter:FILE"):
        make_tokenizer(name)


def test_a_missing_segmenter(tmp_path):
    pytest.importorskip("pythainlp", reason="the extra [thai] is not installed")
    with pytest.raises(FileNotFoundError, match="no segmenter"):
        make_tokenizer(f"segmenter:{tmp_path}/none.json")


def test_a_missing_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "pythainlp", None)
    pythainlp.cache_clear()
    with pytest.raises(MissingPackage, match=r"pip install 'flair-jointner\[thai\]'"):
        make_tokenizer("thai")
