"""From a corpus to a tagger that is ready to train."""

import logging
from typing import Any

from flair.data import Corpus
from flair.embeddings import TokenEmbeddings
from flair.models import TextClassifier

from flair_jointner.data.splits import split_sentences
from flair_jointner.models import CharacterCNNEmbeddings, DATNet, JointTagger
from flair_jointner.models.embedding import join_characters, split_characters
from flair_jointner.models.transfer import token_embeddings_of

log = logging.getLogger("flair_jointner")

_WITHOUT_CLASSES = "train without classes (class_type=None; --ner-only on the command line)"


def build_tagger(
    corpus: Corpus,
    embeddings: TokenEmbeddings,
    tag_type: str,
    class_type: str | None,
    classifier: TextClassifier | None = None,
    *,
    with_characters: bool = False,
    **tagger: Any,
) -> JointTagger:
    """Makes a tagger for the labels of a corpus.

    Args:
        corpus: Its training split holds the entity types and the classes.
        embeddings: The token embeddings.
        tag_type: Label type of the entities.
        class_type: Label type of the sentence's class; None for NER only.
        classifier: A pre-trained classifier, the encoder of which the tagger starts from.
        with_characters: Whether a character CNN stands beside the embeddings, as it has to if the
            classifier has one: over the characters of the classifier, or of the training data.
        **tagger: Further arguments of :class:`~flair_jointner.JointTagger`.

    Returns:
        The tagger.

    Raises:
        ValueError: If the arguments contradict each other, a label type has no label, or the
            classifier does not fit.
    """
    training = split_sentences(corpus.train)
    for label_type, otherwise in ((tag_type, "annotate some"), (class_type, _WITHOUT_CLASSES)):
        if label_type and not any(sentence.get_labels(label_type) for sentence in training):
            raise ValueError(
                f"The training data hold no label of type {label_type!r}: check the label type, or "
                f"{otherwise}."
            )
    classes = corpus.make_label_dictionary(class_type, add_unk=False) if class_type else None
    if with_characters:
        characters = training if classifier is None else _characters_of(classifier)
        embeddings = join_characters(embeddings, characters)
    made = JointTagger(
        embeddings,
        corpus.make_label_dictionary(tag_type, add_unk=False),
        tag_type,
        classes,
        class_type,
        **tagger,
    )
    if classifier is not None:
        made.init_from_classifier(classifier)
    return made


def _characters_of(classifier: TextClassifier) -> tuple[str, ...]:
    _, known = split_characters(token_embeddings_of(classifier))
    if known is None:
        raise ValueError(
            "The classifier has no vectors from characters, and the tagger that starts from it "
            "needs the same input: pre-train it with them (with_characters=True; `jointner "
            "pretrain --characters`), or leave them out."
        )
    return known.characters


def build_transfer_tagger(
    source: Corpus,
    target: Corpus,
    embeddings: TokenEmbeddings,
    tag_type: str,
    source_embeddings: TokenEmbeddings | None = None,
    *,
    with_characters: bool = True,
    **tagger: Any,
) -> DATNet:
    """Makes a tagger for the labels of two corpora.

    Args:
        source: Its training split holds the entity types of the source.
        target: Its training split holds those of the target.
        embeddings: The token embeddings of the target.
        tag_type: Label type of the entities.
        source_embeddings: Those of the source; None takes the target's for both.
        with_characters: Whether there is a character CNN over the characters of both, shared.
        **tagger: Further arguments of :class:`~flair_jointner.DATNet`.

    Returns:
        The tagger.

    Raises:
        ValueError: If the arguments contradict each other, or a resource has no label.
    """
    types = []
    for name, corpus in (("source", source), ("target", target)):
        if not any(sentence.get_labels(tag_type) for sentence in split_sentences(corpus.train)):
            raise ValueError(
                f"The training data of the {name} hold no label of type {tag_type!r}: check the "
                "tag type, and give annotated sentences."
            )
        types.append(corpus.make_label_dictionary(tag_type, add_unk=False))
    characters = None
    if with_characters:
        both = [*split_sentences(source.train), *split_sentences(target.train)]
        characters = CharacterCNNEmbeddings(both)
    made = DATNet(embeddings, types[1], tag_type, source_embeddings, types[0], characters, **tagger)
    _report_decoders(made)
    return made


def _report_decoders(tagger: DATNet) -> None:
    """Says whether the resources share a decoder: a type that is spelled otherwise parts them."""
    own, of_source = tagger.tagset.types, tagger.source_tagset.types
    if tagger.source_decoder is None:
        log.info("Source and target share a decoder, for %s.", ", ".join(own))
    else:
        log.info(
            "Source and target have a decoder each: of the target's types the source, with %s, "
            "lacks %s.",
            ", ".join(of_source),
            ", ".join(sorted(set(own) - set(of_source))),
        )
