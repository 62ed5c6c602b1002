"""Scores against seqeval and against Flair's own evaluation."""

import copy

import flair
import pytest
import tiny
from flair.data import Sentence
from flair.nn import Classifier
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.scheme import IOB2, IOBES

from flair_jointner.data import read_columns
from flair_jointner.models.evaluation import Fact, class_scores, entity_result, gold_facts

MICRO = ("micro avg", "f1-score")
SCHEMES = {"BIOES": IOBES, "BIO": IOB2}


def half_right(tagger, count=40, seed=3):
    """Sentences whose gold labels are the tagger's own predictions, many of them spoilt."""
    sentences = tiny.random_titles(count, seed=seed)
    guesses = copy.deepcopy(sentences)
    tagger.predict(guesses, label_name="guess")
    for index, (sentence, guess) in enumerate(zip(sentences, guesses, strict=True)):
        for number, (start, end, kind) in enumerate(tiny.spans(guess, "guess")):
            fate = (index + number) % 4
            if fate == 0:  # another type
                kind = tiny.TYPES[tiny.TYPES.index(kind) - 1]
            if fate == 1 and end - start > 1:  # another end
                end -= 1
            if fate != 2:  # or not there at all
                sentence[start:end].add_label(tiny.TAG_TYPE, kind)
        if tagger.class_type:
            best = guess.get_label("guess_category").value
            sentence.add_label(tiny.CLASS_TYPE, best if index % 3 else tiny.CLASSES[0])
    return sentences


def tagger_and_data(**options):
    tagger = tiny.joint_tagger(**options)
    tagger.linear.bias.data[0] = -2.0  # less O
    return tagger, half_right(tagger)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_micro_scores_are_those_of_seqeval(scheme):
    tagger, sentences = tagger_and_data(tag_format=scheme)
    result = tagger.evaluate(sentences, tiny.TAG_TYPE)
    tagger.predict(sentences, label_name="found")
    gold, found = (
        [tiny.encode(len(s), tiny.spans(s, name), scheme) for s in sentences]
        for name in (tiny.TAG_TYPE, "found")
    )
    strict = {"mode": "strict", "scheme": SCHEMES[scheme]}
    assert 0.2 < result.main_score < 0.9
    assert result.main_score == pytest.approx(f1_score(gold, found, **strict))
    assert result.scores["micro avg", "precision"] == pytest.approx(
        precision_score(gold, found, **strict)
    )
    assert result.scores["micro avg", "recall"] == pytest.approx(
        recall_score(gold, found, **strict)
    )
    macro = f1_score(gold, found, average="macro", **strict)
    assert result.scores["macro avg", "f1-score"] == pytest.approx(macro)


def flairs_evaluation(tagger, sentences, **options):
    """Flair's own method, which predicts and compares in its own way."""
    result = Classifier.evaluate(tagger, sentences, tiny.TAG_TYPE, **options)
    for sentence in sentences:
        sentence.remove_labels("predicted")
        sentence.remove_labels(f"predicted_{tiny.CLASS_TYPE}")
    return result


def assert_same_scores(ours, theirs):
    for key in [("micro avg", "f1-score"), ("macro avg", "f1-score"), ("micro avg", "recall")]:
        assert ours.scores[key] == pytest.approx(theirs.scores[key]), key
    assert ours.main_score == pytest.approx(theirs.main_score)
    assert ours.scores["accuracy"] == pytest.approx(theirs.scores["accuracy"], abs=1e-4)
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-5)


@pytest.mark.parametrize(
    "options",
    [{}, {"use_crf": False}, {"types": ("COLOUR",)}, {"classes": None}, {"tag_format": "BIO"}],
)
def test_the_scores_are_flairs_where_everything_is_annotated(options):
    tagger = tiny.joint_tagger(**options)
    tagger.linear.bias.data[0] = -2.0
    sentences = half_right(tagger)
    for sentence in sentences:  # with one type there is no other to take
        for label in sentence.get_labels(tiny.TAG_TYPE):
            if label.value not in options.get("types", tiny.TYPES):
                label.data_point.set_label(tiny.TAG_TYPE, "COLOUR")
    theirs = flairs_evaluation(tagger, sentences, mini_batch_size=64)
    assert_same_scores(tagger.evaluate(sentences, tiny.TAG_TYPE), theirs)
    report = tagger.evaluate(sentences, tiny.TAG_TYPE).classification_report
    for kind in options.get("types", tiny.TYPES):
        assert report[kind]["f1-score"] == pytest.approx(
            theirs.classification_report[kind]["f1-score"]
        )
        assert report[kind]["support"] == theirs.classification_report[kind]["support"]


def test_the_loss_does_not_depend_on_the_batch_size():
    tagger, sentences = tagger_and_data()
    losses = [tagger.evaluate(sentences, tiny.TAG_TYPE, mini_batch_size=n).loss for n in (1, 7, 99)]
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)
    for sentence in sentences[::2]:
        sentence.remove_labels(tiny.CLASS_TYPE)
    losses = [tagger.evaluate(sentences, tiny.TAG_TYPE, mini_batch_size=n).loss for n in (1, 7, 99)]
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)


@pytest.mark.parametrize("metric", [("macro avg", "recall"), ("COLOUR", "precision")])
def test_the_main_score_is_the_metric_asked_for(metric):
    tagger, sentences = tagger_and_data()
    result = tagger.evaluate(sentences, tiny.TAG_TYPE, main_evaluation_metric=metric)
    assert result.main_score == result.classification_report[metric[0]][metric[1]]
    assert result.main_score != result.scores[MICRO]


# ----- what counts -----


def test_an_excluded_type_counts_neither_as_gold_nor_as_predicted():
    tagger, sentences = tagger_and_data()
    result = tagger.evaluate(sentences, tiny.TAG_TYPE, exclude_labels=["COLOUR"])
    tagger.predict(sentences, label_name="found")
    gold, found = (
        [
            tiny.encode(len(s), [span for span in tiny.spans(s, name) if span[2] == "PRODUCT"])
            for s in sentences
        ]
        for name in (tiny.TAG_TYPE, "found")
    )
    assert result.main_score == pytest.approx(f1_score(gold, found, mode="strict", scheme=IOBES))
    assert "COLOUR" not in result.classification_report


def test_sentences_without_annotation_do_not_count():
    tagger, sentences = tagger_and_data()
    expected = tagger.evaluate(sentences, tiny.TAG_TYPE)
    more = [tiny.title(s.text, annotated=False) for s in tiny.random_titles(20, seed=8)]
    found = tagger.evaluate([*more[:9], *sentences, *more[9:]], tiny.TAG_TYPE)
    assert found.scores == pytest.approx(expected.scores)


def test_sentences_without_entities_do_count():
    tagger, sentences = tagger_and_data()
    expected = tagger.evaluate(sentences, tiny.TAG_TYPE)
    found = tagger.evaluate([*sentences, *tiny.random_titles(20, seed=8)], tiny.TAG_TYPE)
    assert found.main_score < expected.main_score - 0.01


def test_types_outside_the_gold_dictionary_count_as_unknown():
    tagger, sentences = tagger_and_data()
    known = tiny.dictionary(["PRODUCT"], spans=False, add_unk=True)
    ours = tagger.evaluate(sentences, tiny.TAG_TYPE, gold_label_dictionary=known)
    theirs = flairs_evaluation(tagger, sentences, gold_label_dictionary=known, mini_batch_size=64)
    assert ours.classification_report["<unk>"]["support"] > 0
    assert_same_scores(ours, theirs)


def test_empty_sentences_count_nothing():
    tagger, sentences = tagger_and_data()
    expected = tagger.evaluate(sentences, tiny.TAG_TYPE)
    found = tagger.evaluate([Sentence([]), *sentences, Sentence([])], tiny.TAG_TYPE)
    assert found.scores == pytest.approx(expected.scores)


def test_nothing_to_score_is_score_zero():
    tagger = tiny.joint_tagger()
    result = tagger.evaluate([tiny.title("mibal", annotated=False)], tiny.TAG_TYPE)
    assert result.main_score == 0.0
    assert result.scores[MICRO] == 0.0
    assert "No sentence is annotated" in result.detailed_results
    result = tagger.evaluate([tiny.title("mibal")], tiny.TAG_TYPE, exclude_labels=list(tiny.TYPES))
    assert result.main_score == 0.0
    assert "no gold entities" in result.detailed_results


def test_the_sentences_are_left_as_they_are(tmp_path):
    tagger, sentences = tagger_and_data()
    before = [[str(label) for label in s.get_labels()] for s in sentences]
    layers = [set(s.annotation_layers) for s in sentences]
    tagger.evaluate(sentences, tiny.TAG_TYPE, out_path=tmp_path / "out.tsv")
    assert [[str(label) for label in s.get_labels()] for s in sentences] == before
    assert [set(s.annotation_layers) for s in sentences] == layers
    assert all(not token.annotation_layers for s in sentences for token in s)
    assert not any(token._embeddings for s in sentences for token in s)


def test_the_file_holds_token_gold_and_prediction(tmp_path):
    tagger, sentences = tagger_and_data()
    tagger.evaluate(sentences, tiny.TAG_TYPE, out_path=tmp_path / "out.tsv")
    tagger.predict(sentences, label_name="found")
    expected = ""
    for sentence in sentences:
        gold, found = (
            tiny.encode(len(sentence), tiny.spans(sentence, name), "BIO")
            for name in (tiny.TAG_TYPE, "found")
        )
        for token, right, predicted in zip(sentence, gold, found, strict=True):
            expected += f"{token.text} {right} {predicted}\n"
        expected += "\n"
    assert (tmp_path / "out.tsv").read_text(encoding="utf-8") == expected
    assert "B-PRODUCT B-COLOUR\n" in expected


# ----- categories -----


def test_the_columns_of_tokens_with_spaces_are_set_apart_by_tabs(tmp_path):
    sentence = Sentence(["mibal rofen", "tagop"])
    sentence[0:1].add_label(tiny.TAG_TYPE, "COLOUR")
    tiny.joint_tagger().evaluate([sentence], tiny.TAG_TYPE, out_path=tmp_path / "found.tsv")
    rows = [line.split("\t") for line in (tmp_path / "found.tsv").read_text().split("\n")[:2]]
    assert [row[:2] for row in rows] == [["mibal rofen", "B-COLOUR"], ["tagop", "O"]]
    assert [len(row) for row in rows] == [3, 3]
    (again,) = read_columns(tmp_path / "found.tsv", tag_column=1)
    assert tiny.spans(again, tiny.TAG_TYPE) == [(0, 1, "COLOUR")]


def test_the_category_has_accuracy_and_macro_f1_beside_the_entities():
    tagger, sentences = tagger_and_data()
    unlabelled = tiny.random_titles(5, seed=11)
    tagger.predict(sentences, label_name="found")
    gold = [s.get_label(tiny.CLASS_TYPE).value for s in sentences]
    found = [s.get_label("found_category").value for s in sentences]
    accuracy = sum(g == f for g, f in zip(gold, found, strict=True)) / len(gold)
    scores = []
    for kind in sorted(set(gold) | set(found)):
        both = sum(g == f == kind for g, f in zip(gold, found, strict=True))
        scores.append(2 * both / (gold.count(kind) + found.count(kind)))
    macro = sum(scores) / len(scores)

    result = tagger.evaluate([*sentences, *unlabelled], tiny.TAG_TYPE)
    assert 0.5 < accuracy < 1.0
    assert result.scores["class", "accuracy"] == pytest.approx(accuracy)
    assert result.scores["class", "macro avg", "f1-score"] == pytest.approx(macro)
    assert f"category of the sentence ({len(sentences)} sentences)" in result.detailed_results
    assert f"- Accuracy {accuracy:.4f}" in result.detailed_results
    assert f"- F-score (macro) {macro:.4f}" in result.detailed_results


def test_without_a_gold_category_none_is_scored():
    result = tiny.joint_tagger().evaluate(tiny.random_titles(5), tiny.TAG_TYPE)
    assert not [key for key in result.scores if key[0] == "class"]
    assert "of the sentence" not in result.detailed_results


def test_without_a_sentence_head_no_category_is_scored():
    result = tiny.joint_tagger(classes=None).evaluate(tiny.titles(), tiny.TAG_TYPE)
    assert not [key for key in result.scores if key[0] == "class"]


def test_categories_of_unannotated_sentences_count():
    tagger = tiny.joint_tagger()
    sentence = tiny.title("mibal rofen", category="garden", annotated=False)
    result = tagger.evaluate([sentence], tiny.TAG_TYPE)
    assert "(1 sentences)" in result.detailed_results
    assert result.loss > 1e-3


# ----- tags of tokens -----


POS = ("NOUN", "S-ADJ", "VERB")


def pos_tagger():
    tagger = tiny.joint_tagger(types=tiny.dictionary(POS, spans=False), classes=None)
    sentences = tiny.random_titles(20, seed=5)
    guesses = copy.deepcopy(sentences)
    tagger.predict(guesses, label_name="guess")
    for index, (sentence, guess) in enumerate(zip(sentences, guesses, strict=True)):
        for place, (token, told) in enumerate(zip(sentence, guess, strict=True)):
            wrong = (index + place) % 3 == 0
            value = POS[(index + place) % 2] if wrong else told.get_label("guess").value
            token.add_label(tiny.TAG_TYPE, value)
    return tagger, sentences


def test_tags_of_tokens_are_scored_as_flair_does(tmp_path):
    tagger, sentences = pos_tagger()
    theirs = flairs_evaluation(tagger, sentences, mini_batch_size=64)
    ours = tagger.evaluate(sentences, tiny.TAG_TYPE, out_path=tmp_path / "out.tsv")
    assert 0.3 < ours.main_score < 1.0
    assert_same_scores(ours, theirs)
    first = (tmp_path / "out.tsv").read_text(encoding="utf-8").splitlines()[0].split()
    assert first[1] == sentences[0][0].get_label(tiny.TAG_TYPE).value
    assert first[2] in POS


def test_token_tags_that_begin_like_a_span_tag_are_not_taken_for_spans():
    tagger, sentences = pos_tagger()
    assert not tagger.predict_spans
    tagger.predict(sentences)
    values = {token.get_label(tiny.TAG_TYPE).value for s in sentences for token in s}
    assert "S-ADJ" in values
    assert values <= set(POS)
    assert all(not s.get_spans(tiny.TAG_TYPE) for s in sentences)
    flair.set_seed(1)
    assert tagger.forward_loss(sentences)[0].item() > 0


# ----- the parts -----


def test_gold_facts_are_spans_or_tokens_but_never_the_label_of_the_sentence():
    sentence = Sentence(["a", "b", "c"])
    sentence[0:2].add_label("ner", "x")
    sentence[2].add_label("ner", "y")
    sentence[1].add_label("ner", "O")
    sentence.add_label("ner", "category")
    assert gold_facts(sentence, 5, "ner") == {Fact(5, 0, 2, "x"), Fact(5, 2, 3, "y")}


def test_a_loss_of_zero_is_told_as_a_tiny_one():
    # Flair's AnnealOnPlateau fails with a TypeError when a score repeats after a loss of 0.
    result = entity_result({Fact(0, 0, 1, "x")}, {Fact(0, 0, 1, "x")}, loss=0.0)
    assert 0.0 < result.loss < 1e-300


def test_entities_are_matched_by_place_and_type():
    gold = {Fact(0, 0, 2, "x"), Fact(1, 0, 1, "x"), Fact(1, 3, 4, "y"), Fact(2, 0, 1, "y")}
    found = {Fact(0, 0, 2, "x"), Fact(1, 0, 2, "x"), Fact(1, 3, 4, "x")}
    result = entity_result(gold, found, None)
    assert result.scores["micro avg", "precision"] == pytest.approx(1 / 3)
    assert result.scores["micro avg", "recall"] == pytest.approx(1 / 4)
    assert result.main_score == pytest.approx(2 / 7)
    assert result.scores["accuracy"] == pytest.approx(1 / 5)
    assert result.classification_report["y"]["support"] == 2


def test_class_scores_of_no_sentence_are_zero():
    assert class_scores([], []) == (0.0, 0.0, 0)


def test_the_file_holds_what_does_not_count_too(tmp_path):
    tagger, sentences = tagger_and_data()
    hidden = tiny.title("mibal rofen tagop kelum", annotated=False)
    everything = [*sentences, hidden]
    files = [tmp_path / "all.tsv", tmp_path / "some.tsv"]
    tagger.evaluate(sentences, tiny.TAG_TYPE, out_path=files[0])
    known = tiny.dictionary(["PRODUCT"])
    tagger.evaluate(
        everything, tiny.TAG_TYPE, files[1], exclude_labels=["COLOUR"], gold_label_dictionary=known
    )
    both, more = (file.read_text(encoding="utf-8") for file in files)
    assert more.startswith(both) and "B-COLOUR" in both
    tagger.predict(hidden, label_name="found")
    found = tiny.encode(4, tiny.spans(hidden, "found"), "BIO")
    assert [line.split()[2] for line in more[len(both) :].split("\n")[:4]] == found


def test_the_accuracy_of_the_classes_may_be_the_main_score():
    tagger, sentences = tagger_and_data()
    metric = ("class", "accuracy")
    result = tagger.evaluate(sentences, tiny.TAG_TYPE, main_evaluation_metric=metric)
    assert result.main_score == result.scores[metric] != result.scores[MICRO]


def test_an_unknown_main_score_is_refused():
    tagger, sentences = tagger_and_data()
    with pytest.raises(
        ValueError, match=r"\('micro', 'f1'\): choose one of .*'micro avg', 'f1-score'"
    ):
        tagger.evaluate(sentences, tiny.TAG_TYPE, main_evaluation_metric=("micro", "f1"))


def test_without_annotation_nothing_is_scored_and_it_says_so():
    tagger, sentences = tagger_and_data()
    bare = [tiny.title(s.to_plain_string(), annotated=False) for s in sentences]
    result = tagger.evaluate(bare, tiny.TAG_TYPE)
    assert "No sentence is annotated with entities." in result.detailed_results
