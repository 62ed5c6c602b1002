"""Explanations as straight tables of text."""

import dataclasses

import numpy as np
import pytest
import tiny

from flair_jointner.inference import describe_explanation, explain


@pytest.fixture
def known():
    """An explanation with weights and temperatures that are easy to follow."""
    found = explain(tiny.joint_tagger(attention="learned"), "mibal 黑色 น้ำ")
    heads = [[[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [1.0, 0.0, 0.0]]] * 2
    heads[1] = [[0.1, 0.3, 0.6], [0.1, 0.1, 0.8], [0.0, 1.0, 0.0]]
    return dataclasses.replace(
        found,
        tags=["O", "B-PRODUCT", "E-PRODUCT"],
        tag_scores=np.array([0.9, 0.8, 0.7]),
        category=("garden", 0.61),
        weights=np.array(heads),
        temperatures=np.array([1.0, 2.5, 3.0]),
        gate=0.125,
    )


def test_the_description_is_a_straight_table(known):
    assert describe_explanation(known).splitlines() == [
        "garden 0.61",
        "learned attention, 2 heads, temperatures between 1 and 3.00, gate 0.125",
        "   token  tag        score  temperature  attends to",
        "1  mibal  O          0.90   1.00         น้ำ (3) 0.40, mibal (1) 0.30, 黑色 (2) 0.30",
        "2  黑色   B-PRODUCT  0.80   2.50         น้ำ (3) 0.80, mibal (1) 0.10, 黑色 (2) 0.10",
        "3  น้ำ     E-PRODUCT  0.70   3.00         mibal (1) 0.50, 黑色 (2) 0.50, น้ำ (3) 0.00",
    ]


def test_the_description_of_soft_attention_has_a_weight_per_token():
    found = explain(tiny.joint_tagger(attention="soft", classes=None), "mibal rofen")
    lines = describe_explanation(found).splitlines()
    assert lines[0] == "soft attention"
    assert lines[1].split() == ["token", "tag", "score", "weight"]
    assert [line.split()[-1] for line in lines[2:]] == [f"{w:.2f}" for w in found.weights]


def test_the_description_of_a_constant_temperature_says_it_once():
    found = explain(tiny.joint_tagger(attention="scaled"), "mibal rofen")
    text = describe_explanation(found)
    assert "scaled attention, 2 heads, temperature 2.00\n" in text
    assert text.count("temperature") == 1
