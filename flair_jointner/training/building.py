"""From a corpus to a tagger that is ready to train."""

from typing import Any

from flair.data import Corpus
from flair.embeddings import TokenEmbeddings
from flair.models import TextClassifier

from flair_jointner.models import JointTagger


def build_tagger(
    corpus: Corpus,
    embeddings: TokenEmbeddings,
    tag_type: str,
    class_type: str | None,
    classifier: TextClassifier | None = None,
    **tagger: Any,
) -> JointTagger:
    """Makes a tagger for the labels of a corpus.

    Args:
        corpus: Its training split holds the entity types and the classes.
        embeddings: The token embeddings.
        tag_type: Label type of the entities.
        class_type: Label type of the sentence's class; None for NER only.
        classifier: A pre-trained classifier, the encoder of which the tagger starts from.
        **tagger: Further arguments of :class:`~flair_jointner.JointTagger`.

    Returns:
        The tagger.

    Raises:
        ValueError: If the arguments contradict each other, or the classifier does not fit.
    """
    classes = corpus.make_label_dictionary(class_type, add_unk=False) if class_type else None
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
