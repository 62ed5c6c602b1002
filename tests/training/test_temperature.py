"""Temperatures whose scores say best what is right."""

import math

import numpy as np
import pytest
import tiny
import torch
from flair.data import Sentence

from flair_jointner import JointTagger
from flair_jointner.inference.calibration import reliability, score_predictions
from flair_jointner.training import fit_temperatures


def overconfident_tagger(**options):
    """A random tagger whose scores are five times as large as they deserve."""
    tagger = tiny.joint_tagger(init_range=0.7, use_rnn=False, **options)
    with torch.no_grad():
        for head in (tagger.linear, tagger.class_head):
            head.weight.mul_(5)
            head.bias.mul_(5)
        if tagger.use_crf:
            free = tagger.crf.transitions > -100
            tagger.crf.transitions[free] *= 5
    return tagger


def own_words(tagger, count=150):
    """Titles annotated by sampling: their tags and classes are as probable as a fifth says."""
    tagger.tag_temperature, tagger.class_temperature = 5.0, 5.0
    sentences = tiny.random_titles(count, longest=5, seed=4)
    generator = torch.Generator().manual_seed(1)
    for sentence in sentences:
        with torch.no_grad():
            output = tagger.forward(*tagger.embed([sentence]))
        shares = (output.emissions[0] / 5).softmax(1)
        for place in range(len(sentence)):
            tag = tagger.tagset.tags[int(torch.multinomial(shares[place], 1, generator=generator))]
            if tag.startswith("S-"):
                sentence[place : place + 1].add_label(tiny.TAG_TYPE, tag[2:])
        shares = (tagger.class_logits(output)[0] / 5).softmax(0)
        drawn = int(torch.multinomial(shares, 1, generator=generator))
        sentence.add_label(tiny.CLASS_TYPE, tagger.classes[drawn])
    tagger.tag_temperature = tagger.class_temperature = 1.0
    return sentences


def test_overconfident_scores_are_found_out():
    tagger = overconfident_tagger(use_crf=False)
    sentences = own_words(tagger)
    found = fit_temperatures(tagger, sentences)
    assert found == (tagger.tag_temperature, tagger.class_temperature)
    assert 3.0 < found.classes < 8.0
    assert found.tags > 2.0


def class_loss(tagger, sentences, temperature):
    with torch.no_grad():
        output = tagger.forward(*tagger.embed(sentences))
    targets, known = tagger.gold_classes(sentences)
    logits = tagger.class_logits(output)[known] / temperature
    return float(torch.nn.functional.cross_entropy(logits, targets))


def test_no_other_temperature_is_better():
    tagger = overconfident_tagger()
    sentences = tiny.titles()
    best = fit_temperatures(tagger, sentences).classes
    losses = [class_loss(tagger, sentences, best * factor) for factor in (0.9, 1.0, 1.1)]
    assert losses[1] == min(losses)


def as_sure_as_a_fifth(tagger, count=400):
    """Titles whose entities are those found, each right as often as a temperature of 5 says."""
    tagger.tag_temperature = 5.0
    sentences = tiny.random_titles(count, longest=5, seed=4)
    tagger.predict(sentences)
    generator = torch.Generator().manual_seed(1)
    for sentence in sentences:
        kept = [
            label
            for label in sentence.get_labels(tiny.TAG_TYPE)
            if float(torch.rand((), generator=generator)) < label.score
        ]
        sentence.remove_labels(tiny.TAG_TYPE)
        for label in kept:
            label.data_point.add_label(tiny.TAG_TYPE, label.value)
    tagger.tag_temperature = 1.0
    return sentences


def entity_loss(tagger, sentences):
    entities, _ = score_predictions(tagger, sentences)
    right = entities.scores * entities.correct + (1 - entities.scores) * (1 - entities.correct)
    return -np.log(right.clip(1e-6)).sum()


@pytest.mark.parametrize("options", [{}, {"use_crf": False}, {"tag_format": "BIO"}])
def test_no_other_temperature_says_better_which_entities_are_right(options):
    tagger = overconfident_tagger(**options)
    sentences = as_sure_as_a_fifth(tagger)
    best = fit_temperatures(tagger, sentences).tags
    assert 4.0 < best < 6.5
    losses = []
    for factor in (0.8, 0.95, 1.0, 1.05, 1.25):
        tagger.tag_temperature = best * factor
        losses.append(entity_loss(tagger, sentences))
    assert losses[2] == min(losses) and losses[0] > 1.0001 * losses[2] < losses[4]


def test_missed_entities_do_not_make_sure_ones_unsure():
    """Of the gold entities half are not found: the scores of those that are found stay true."""
    tagger = overconfident_tagger()
    sentences = as_sure_as_a_fifth(tagger)
    before = fit_temperatures(tagger, sentences).tags
    found = 0
    for sentence in sentences:
        predicted = tagger_spans(tagger, sentence)
        for token in sentence:
            if not any(token in span.tokens for span in predicted):
                sentence[token.idx - 1 : token.idx].add_label(tiny.TAG_TYPE, "PRODUCT")
                found += 1
    assert found > 100
    assert fit_temperatures(tagger, sentences).tags == pytest.approx(before)
    entities, _ = score_predictions(tagger, sentences)
    assert reliability(entities).error < 0.05


def tagger_spans(tagger, sentence):
    copy = Sentence([token.text for token in sentence])
    tagger.predict(copy)
    return [sentence[span.tokens[0].idx - 1 : span.tokens[-1].idx] for span in copy.get_spans()]


def test_a_tagger_that_finds_nothing_keeps_its_temperature(caplog):
    tagger = overconfident_tagger(use_crf=False)
    with torch.no_grad():
        tagger.linear.bias[tagger.tagset.tags.index("O")] += 100
    tagger.tag_temperature = 1.5
    assert fit_temperatures(tagger, tiny.titles()).tags == 1.5
    assert "finds nothing in the sentences" in caplog.text


def test_a_temperature_changes_scores_only_and_is_saved(tmp_path):
    tagger = overconfident_tagger()
    sentences = tiny.random_titles(30)
    tagger.predict(sentences, label_name="before")
    tagger.tag_temperature, tagger.class_temperature = 4.0, 2.0
    tagger.save(tmp_path / "model.pt")
    again = JointTagger.load(tmp_path / "model.pt")
    assert (again.tag_temperature, again.class_temperature) == (4.0, 2.0)
    again.predict(sentences, label_name="after")
    lower = 0
    for sentence in sentences:
        before, after = tiny.labels(sentence, "before"), tiny.labels(sentence, "after")
        assert [label[:2] for label in before] == [label[:2] for label in after]
        lower += sum(one[2] > two[2] for one, two in zip(before, after, strict=True))
    assert lower > 20


def test_a_tagger_without_sentence_head_has_one_temperature():
    tagger = tiny.joint_tagger(classes=None)
    found = fit_temperatures(tagger, tiny.titles())
    assert found.classes is None and math.isfinite(found.tags)


def test_sentences_whose_entities_are_all_unknown_are_refused():
    """What is left of them, without any entity, would say nothing of the scores of entities."""
    tagger = tiny.joint_tagger(types=("BRAND",))
    before = tagger.tag_temperature
    with pytest.raises(ValueError, match="It knows BRAND; found: COLOUR, PRODUCT"):
        fit_temperatures(tagger, tiny.titles())
    assert tagger.tag_temperature == before


def test_sentences_with_classes_alone_fit_those(caplog):
    tagger = overconfident_tagger()
    sentences = [
        tiny.title(known.text, category=known.get_label(tiny.CLASS_TYPE).value, annotated=False)
        for known in tiny.titles()
    ]
    tagger.tag_temperature = 1.5
    found = fit_temperatures(tagger, sentences)
    assert found.tags == tagger.tag_temperature == 1.5
    assert found.classes == tagger.class_temperature != 1.0
    assert "temperature of the tags stays 1.50" in caplog.text


def test_sentences_without_annotation_are_refused():
    with pytest.raises(ValueError, match="No sentence has labels of type 'ner'"):
        fit_temperatures(tiny.joint_tagger(), [tiny.title("mibal", annotated=False)])


def test_gold_tags_that_cannot_be_predicted_do_not_count():
    types = tiny.dictionary(("NOUN", "VERB", "O"), spans=False, add_unk=True)
    tagger = tiny.joint_tagger(types=types, classes=None)
    sentences = tiny.random_titles(30)
    tagger.predict(sentences[:15])  # gold tags that it finds probable, beside some that it may not
    for number, sentence in enumerate(sentences[15:]):
        for place, token in enumerate(sentence):
            known = ("NOUN", "VERB", "O")[(number + place) % 3]
            token.add_label(tiny.TAG_TYPE, known if number < 10 else "ADJECTIVE")
    found = fit_temperatures(tagger, sentences[:25]).tags
    assert 0.1 < found < 20.0  # neither end of the range
    assert fit_temperatures(tagger, sentences).tags == pytest.approx(found, rel=1e-3)
    with pytest.raises(ValueError, match="found: ADJECTIVE"):
        fit_temperatures(tagger, sentences[25:])


@pytest.mark.parametrize("training", [True, False])
def test_the_tagger_stays_in_its_mode(training):
    tagger = overconfident_tagger().train(training)
    fit_temperatures(tagger, tiny.titles())
    assert tagger.training is training


def test_a_temperature_at_the_end_of_what_is_tried_is_said(caplog):
    tagger = overconfident_tagger()
    sentences = tiny.random_titles(4)
    tagger.predict(sentences)  # its own tags are all right, so no temperature is low enough
    fit_temperatures(tagger, sentences)
    assert "the sentences are too few, or all tagged rightly" in caplog.text
