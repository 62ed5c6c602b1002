"""What stands in the figures."""

import dataclasses

import numpy as np
import pytest
import tiny
from matplotlib.colors import to_hex

from flair_jointner.inference import explain
from flair_jointner.inference.attention_figure import MOST_TOKENS, attention_figure
from flair_jointner.inference.explanation import ExplainedEntity


def explained(text="robal rogop rolum", heads=2, **options):
    options = {"attention": "learned", "attention_heads": heads, **options}
    return explain(tiny.joint_tagger(**options), text)


def heat_maps(figure):
    return [axes for axes in figure.axes if axes.get_images()]


def texts(figure):
    return [text.get_text() for text in figure.texts]


def tick_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_each_head_has_a_heat_map_on_one_colour_scale():
    found = explained()
    maps = heat_maps(attention_figure(found))
    assert [axes.get_title() for axes in maps] == ["head 1", "head 2"]
    for axes, weights in zip(maps, found.weights, strict=True):
        np.testing.assert_array_equal(axes.get_images()[0].get_array(), weights)
        assert axes.get_images()[0].get_clim() == (0, found.weights.max())


@pytest.mark.parametrize("heads", [1, 2, 4, 8])
def test_tokens_stand_at_the_left_and_below_the_last_map_of_each_column(heads):
    maps = heat_maps(attention_figure(explained(heads=heads)))
    tokens = ["robal", "rogop", "rolum"]
    across = min(heads, 4)
    for place, axes in enumerate(maps):
        assert tick_labels(axes.yaxis) == (tokens if place % across == 0 else [])
        assert tick_labels(axes.xaxis) == (tokens if place >= heads - across else [])
    assert maps[0].get_ylabel() == "query token" and maps[-1].get_xlabel() == "key token"


def test_the_temperatures_stand_at_their_rows():
    found = explained()
    (bars,) = [axes for axes in attention_figure(found).axes if axes.get_title() == "temperature"]
    np.testing.assert_allclose([p.get_width() + 1 for p in bars.patches], found.temperatures)
    assert bars.get_xlim() == (1, found.highest_temperature)
    assert bars.get_ylim() == heat_maps(attention_figure(found))[0].get_ylim()
    assert [text.get_text() for text in bars.texts] == [f"{t:.2f}" for t in found.temperatures]


def test_a_constant_temperature_is_told_in_the_title_only():
    figure = attention_figure(explained(attention="scaled"))
    assert "temperature" not in [axes.get_title() for axes in figure.axes]
    assert "scaled attention, 2 heads, temperature 2.00" in texts(figure)


def test_the_title_names_class_and_entities_in_the_colours_of_their_tokens():
    entities = [
        ExplainedEntity(0, 1, "COLOUR", "robal", 0.5),
        ExplainedEntity(1, 3, "PRODUCT", "rogop rolum", 0.25),
    ]
    found = dataclasses.replace(explained(), entities=entities, category=("garden", 0.75))
    figure = attention_figure(found)
    assert set(texts(figure)) >= {"garden 0.75", "COLOUR: robal 0.50", "PRODUCT: rogop rolum 0.25"}
    colours = {text.get_text().split(":")[0]: text.get_color() for text in figure.texts}
    for axis in (heat_maps(figure)[0].yaxis, heat_maps(figure)[0].xaxis):
        of_tokens = [label.get_color() for label in axis.get_ticklabels()]
        assert of_tokens == [colours["COLOUR"], colours["PRODUCT"], colours["PRODUCT"]]
    assert to_hex(colours["COLOUR"]) != to_hex(colours["PRODUCT"])


def test_many_entities_go_on_in_the_next_line():
    entities = [ExplainedEntity(0, 1, "COLOUR", "x" * 50, 0.5)] * 3
    lines = texts(attention_figure(dataclasses.replace(explained(), entities=entities)))
    assert len([line for line in lines if "xxx" in line]) == 3


def test_a_long_sentence_grows_up_to_the_stated_number_of_tokens():
    def size(tokens):
        return attention_figure(explained(["mibal"] * tokens)).get_size_inches()

    assert (size(30) > size(10)).all()
    np.testing.assert_array_equal(size(MOST_TOKENS), size(MOST_TOKENS + 30))
    figure = attention_figure(explained(["mibal"] * (MOST_TOKENS + 30)))
    shape = (MOST_TOKENS, MOST_TOKENS)
    assert heat_maps(figure)[0].get_images()[0].get_array().shape == shape
    assert any(line.endswith("the first 60 of 90 tokens") for line in texts(figure))


def test_soft_attention_is_one_strip_with_its_numbers():
    found = explained(attention="soft")
    (strip,) = heat_maps(attention_figure(found))
    np.testing.assert_array_equal(strip.get_images()[0].get_array(), found.weights[None])
    assert [text.get_text() for text in strip.texts] == [f"{w:.3f}" for w in found.weights]
    assert tick_labels(strip.xaxis) == ["robal", "rogop", "rolum"]
