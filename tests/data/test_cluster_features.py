import itertools
import random

import pytest

from flair_jointner.data import cluster_features as module
from flair_jointner.data.cluster_features import cluster_features

pytest.importorskip("pythainlp", reason="the extra [thai] is not installed")


def test_the_features_of_a_cluster():
    first, second = cluster_features(["เสื้อ", "XL"])
    assert first[:12] == [
        "c0+=<", "c1+=<", "c2+=เสื้อ", "c3+=xl", "c4+=>",
        "c0++=<|<", "c1++=<|เสื้อ", "c2++=เสื้อ|xl", "c3++=xl|>",
        "c0+++=<|<|เสื้อ", "c1+++=<|เสื้อ|xl", "c2+++=เสื้อ|xl|>",
    ]  # fmt: skip
    assert first[12:17] == ["t0+=<", "t1+=<", "t2+=LCVTC", "t3+=E", "t4+=>"]
    assert first[24:] == ["before=0", "after=1", "over=0", "dictionary=0|1|0"]
    assert second[24:] == ["before=1", "after=0", "over=0", "dictionary=1|0|0"]
    assert len(first) == len(second) == len(set(first))


@pytest.mark.parametrize(
    ("cluster", "kind"),
    [("น้ำ", "CTF"), ("ซ์", "CK"), ("ๆ", "R"), ("ก็", "CV"), ("๑๒", "D"), ("1,290", "DPD"),
     ("cafe\u0301", "EP"), ("฿", "P"), ("👍🏽", "P")],
)  # fmt: skip
def test_types(cluster, kind):
    assert f"t2+={kind}" in cluster_features([cluster])[0]


def test_digits_are_alike_and_strange_characters_harmless():
    assert cluster_features(["12"]) == cluster_features(["๑๒"])
    assert "c2+=\ufffd" in cluster_features(["\ud800"])[0]
    assert "c2+=\ufffd" in cluster_features(["\x00"])[0]


def test_dictionary_words_are_those_of_brute_force(monkeypatch):
    dictionary = {"a", "ab", "bc", "cab", "abcabc", "aabbccaab", "ccc"}
    monkeypatch.setattr(module, "thai_dictionary", lambda: dictionary)
    draw = random.Random(2)
    for _ in range(300):
        clusters = draw.choices(["a", "b", "c", "ab"], k=draw.randint(0, 12))
        words = [
            (start, end)
            for start, end in itertools.combinations(range(len(clusters) + 1), 2)
            if end - start <= 8 and "".join(clusters[start:end]) in dictionary
        ]
        for place, features in enumerate(cluster_features(clusters)):
            before = max([end - start for start, end in words if end == place], default=0)
            after = max([end - start for start, end in words if start == place], default=0)
            over = max([end - start for start, end in words if start < place < end], default=0)
            assert features[-4:-1] == [f"before={before}", f"after={after}", f"over={over}"]
