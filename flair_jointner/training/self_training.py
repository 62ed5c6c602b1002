"""Self-training: a tagger annotates more sentences for the next one (Yarowsky, 1995)."""

import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flair.data import Corpus, Sentence

from flair_jointner.data.annotation import add_gold_labels
from flair_jointner.data.splits import corpus_of, split_sentences
from flair_jointner.data.whole_files import written_whole
from flair_jointner.models import JointTagger
from flair_jointner.models.tagging import TaggingRun
from flair_jointner.training.settings import train

log = logging.getLogger("flair_jointner")


def self_train(
    make_tagger: Callable[[Corpus], JointTagger],
    corpus: Corpus,
    unlabelled: Sequence[Sentence],
    base_path: str | Path,
    *,
    confidence: float = 0.9,
    rounds: int = 1,
    **settings: Any,
) -> dict[str, Any]:
    """Trains a tagger, lets it annotate, and trains anew on both; the dev data choose the best.

    Ctrl-C ends the round, and no other one begins.

    Args:
        make_tagger: Makes an untrained tagger for a corpus.
        corpus: The annotated sentences.
        unlabelled: Sentences without entities; their class, if they have one, is kept.
        base_path: Folder for ``best-model.pt``, and for what each round leaves: ``round-0`` holds
            the first tagger.
        confidence: See :func:`annotate_confidently`.
        rounds: How often the tagger annotates.
        **settings: Arguments of :func:`~flair_jointner.training.train`.

    Returns:
        What :func:`~flair_jointner.training.train` returns for the tagger with the best dev score.

    Raises:
        ValueError: If the dev data are to be trained on, the tagger finds no entities, or the
            unlabelled sentences have some.
    """
    if settings.get("train_with_dev", False):
        raise ValueError("train_with_dev leaves no dev data, which choose the best tagger here.")
    base_path = Path(base_path)
    model_file = base_path / "best-model.pt"
    first = make_tagger(corpus)
    _check_can_annotate(first, unlabelled)  # before an hour of training
    best = teacher = train(first, corpus, base_path / "round-0", **settings)
    _copy(best["model_file"], model_file)
    for number in range(1, rounds + 1):
        if teacher["interrupted"]:
            break
        tagger = JointTagger.load(teacher["model_file"])
        added = annotate_confidently(tagger, unlabelled, confidence)
        log.info("Round %d: %d of %d sentences are taken.", number, len(added), len(unlabelled))
        if not added:
            break
        together = corpus_of(
            [*split_sentences(corpus.train), *added],
            split_sentences(corpus.dev),
            split_sentences(corpus.test),
        )
        folder = base_path / f"round-{number}"
        teacher = train(make_tagger(together), together, folder, **settings)
        best = max(best, teacher, key=_best_dev_score)
        _copy(best["model_file"], model_file)
    return {**best, "model_file": model_file}


def _copy(model: Path, file: Path) -> None:
    with written_whole(file) as temporary:
        shutil.copyfile(model, temporary)


def _best_dev_score(result: dict[str, Any]) -> float:
    """0 for a training that was interrupted in its first epoch."""
    return max(result["dev_scores"], default=0.0)


def annotate_confidently(
    tagger: JointTagger, sentences: Sequence[Sentence], confidence: float, batch_size: int = 256
) -> list[Sentence]:
    """Annotates the sentences that a tagger is sure of.

    Args:
        tagger: The tagger.
        sentences: The sentences, which stay as they are.
        confidence: The least marginal probability of every tag of a sentence that is taken, those
            outside entities too: one missed entity teaches as wrongly as an invented one.
        batch_size: Number of sentences that go through the network at once.

    Returns:
        New sentences, with the entities found and the class that they had, in the old order.

    Raises:
        ValueError: If the confidence is not between 0 and 1, the tagger finds no entities, or the
            sentences have some.
    """
    if not 0 <= confidence <= 1:
        raise ValueError(f"confidence is {confidence}; it is a probability.")
    _check_can_annotate(tagger, sentences)
    taken: dict[int, Sentence] = {}
    run = TaggingRun(tagger, batch_size, with_probabilities=True, with_scores=False)
    for index, prediction in run.over_sentences(sentences):
        assert prediction.probabilities is not None  # for the type checker; they were asked for
        rows = range(len(prediction.tags))
        if float(prediction.probabilities[rows, prediction.tags].min()) >= confidence:
            taken[index] = _annotated(
                sentences[index], tagger, [span[:3] for span in prediction.spans or []]
            )
    return [taken[index] for index in sorted(taken)]


def _check_can_annotate(tagger: JointTagger, sentences: Sequence[Sentence]) -> None:
    if not tagger.predict_spans:
        raise ValueError("The tagger predicts a tag for each token: self-training is for entities.")
    annotated = sum(bool(sentence.get_labels(tagger.tag_type)) for sentence in sentences)
    if annotated:
        raise ValueError(
            f"{annotated} of the sentences hold labels of type {tagger.tag_type!r} already, and "
            "would be annotated anew: give sentences without, or add these to the training data."
        )


def _annotated(
    sentence: Sentence, tagger: JointTagger, spans: list[tuple[int, int, str]]
) -> Sentence:
    made = Sentence([token.text for token in sentence])
    classes = sentence.get_labels(tagger.class_type) if tagger.class_type else []
    add_gold_labels(
        made,
        tag_type=tagger.tag_type,
        spans=spans,
        class_type=tagger.class_type,
        category=classes[0].value if classes else None,
    )
    return made
