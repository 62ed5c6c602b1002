"""A sentence classifier, the encoder of which a tagger starts from (§3.3 of the paper)."""

from pathlib import Path
from typing import Any

from flair.data import Corpus
from flair.embeddings import TokenEmbeddings
from flair.models import TextClassifier

from flair_jointner.data.splits import corpus_of, split_sentences
from flair_jointner.models import DocumentMaxPoolRNNEmbeddings
from flair_jointner.models.embedding import join_characters
from flair_jointner.training.settings import train


def pretrain_classifier(
    corpus: Corpus,
    embeddings: TokenEmbeddings,
    base_path: str | Path,
    *,
    class_type: str = "category",
    with_characters: bool = False,
    hidden_size: int = 256,
    epochs: int = 2,
    **overrides: Any,
) -> tuple[TextClassifier, dict[str, Any]]:
    """Trains a classifier over projection, BiLSTM and max-pooling.

    Args:
        corpus: Sentences with a class; those without are left out.
        embeddings: The token embeddings, which the tagger has to use as well.
        base_path: Folder for ``best-model.pt`` and the logs.
        class_type: Label type of the class.
        with_characters: Whether a character CNN over the characters of the training data stands
            beside the embeddings. The tagger needs one as well, and starts from its weights.
        hidden_size: Hidden units per direction.
        epochs: Number of epochs; the paper finds 2 enough for its large data.
        **overrides: Arguments of ``ModelTrainer.train`` that replace those of the paper.

    Returns:
        The classifier with the best weights, and what :func:`train` returns.

    Raises:
        ValueError: If no sentence of a split has a class.
    """
    corpus = with_classes(corpus, class_type)
    if with_characters:
        embeddings = join_characters(embeddings, split_sentences(corpus.train))
    classifier = TextClassifier(
        DocumentMaxPoolRNNEmbeddings([embeddings], hidden_size=hidden_size),
        label_type=class_type,
        label_dictionary=corpus.make_label_dictionary(class_type, add_unk=False),
    )
    result = train(classifier, corpus, base_path, max_epochs=epochs, **overrides)
    return classifier, result


def with_classes(corpus: Corpus, class_type: str) -> Corpus:
    """The sentences of a corpus that have a class; Flair's classifier cannot do with others.

    Args:
        corpus: Any corpus.
        class_type: Label type of the class.

    Returns:
        A corpus with the same splits.

    Raises:
        ValueError: If there are no training data, or no sentence of a split has a class.
    """
    splits = {}
    for name in ("train", "dev", "test"):
        sentences = split_sentences(getattr(corpus, name))
        splits[name] = [sentence for sentence in sentences if sentence.has_label(class_type)]
        if not splits[name] and (sentences or name == "train"):
            raise ValueError(
                f"Of {len(sentences)} {name} sentences none has a label of type {class_type!r}: "
                "check the label type, and give sentences with a class."
            )
    return corpus_of(**splits, name=corpus.name)
