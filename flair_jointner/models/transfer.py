"""Weights of a pre-trained sentence classifier as the start of a tagger.

Kruengkrai et al. (2020), §3.3.
"""

from dataclasses import dataclass, field
from pathlib import Path

import torch
from flair.embeddings import (
    DocumentRNNEmbeddings,
    TokenEmbeddings,
    TransformerDocumentEmbeddings,
    TransformerWordEmbeddings,
    WordEmbeddings,
)
from flair.models import SequenceTagger, TextClassifier
from torch import nn

from flair_jointner.models.character_cnn import CharacterCNNEmbeddings
from flair_jointner.models.document import DocumentMaxPoolRNNEmbeddings
from flair_jointner.models.embedding import separate_members
from flair_jointner.models.state import ModelFileError, class_name, read_flair_state


@dataclass
class TransferReport:
    """What a transfer of weights did.

    Attributes:
        copied: Names of the tagger's parameters that have the classifier's values now.
        left_in_classifier: Names of the classifier's parameters that have no place in the tagger.
        left_in_tagger: Names of the tagger's parameters that keep their own values.
    """

    copied: list[str] = field(default_factory=list)
    left_in_classifier: list[str] = field(default_factory=list)
    left_in_tagger: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """The report in three lines."""
        return (
            f"Copied from the classifier: {', '.join(self.copied)}\n"
            f"Not copied from the classifier: {', '.join(self.left_in_classifier)}\n"
            f"New in the tagger: {', '.join(self.left_in_tagger)}"
        )


def load_classifier(path: str | Path, trust: bool = False) -> TextClassifier:
    """Loads a classifier that Flair's trainer saved, without running code from the file.

    Args:
        path: The file.
        trust: Whether the file may hold objects, the reading of which can run any code.

    Returns:
        The classifier.

    Raises:
        FileNotFoundError: If there is no such file.
        ModelFileError: If it holds something else, or needs trust.
    """
    _require_class(path, "TextClassifier")
    return TextClassifier.load(read_flair_state(path, trust))


def load_sequence_tagger(path: str | Path, trust: bool = False) -> SequenceTagger:
    """Loads a tagger that Flair saved, without running code from the file.

    Args:
        path: The file.
        trust: Whether the file may hold objects, the reading of which can run any code.

    Returns:
        The tagger.

    Raises:
        FileNotFoundError: If there is no such file.
        ModelFileError: If it holds something else, or needs trust.
    """
    _require_class(path, "SequenceTagger")
    state = read_flair_state(path, trust)
    # Flair's files do not say in how many directions the tagger reads; its weights do.
    bidirectional = "rnn.weight_ih_l0_reverse" in state["state_dict"]
    return SequenceTagger._init_model_with_state_dict(state, bidirectional=bidirectional)


def _require_class(path: str | Path, expected: str) -> None:
    name = class_name(path)
    if name not in (None, expected):
        raise ModelFileError(f"{path} holds a {name}, not a {expected}.")


def token_embeddings_of(classifier: TextClassifier) -> TokenEmbeddings:
    """The token embeddings below the recurrent encoder of a classifier.

    Args:
        classifier: Over ``DocumentRNNEmbeddings`` or ``DocumentMaxPoolRNNEmbeddings``.

    Returns:
        The embeddings.

    Raises:
        ValueError: If the classifier stands on anything else.
    """
    document = classifier.embeddings
    if not isinstance(document, (DocumentRNNEmbeddings, DocumentMaxPoolRNNEmbeddings)):
        raise ValueError(
            f"A classifier over {type(document).__name__} has no token embeddings of its own: make "
            "those of the tagger, and call its init_from_classifier."
        )
    return document.embeddings


def copy_encoder(classifier: TextClassifier, tagger: SequenceTagger) -> TransferReport:
    """Copies the layers that a classifier and a tagger share.

    Args:
        classifier: Over ``DocumentRNNEmbeddings``, ``DocumentMaxPoolRNNEmbeddings`` or
            ``TransformerDocumentEmbeddings``.
        tagger: The tagger that receives them.

    Returns:
        What was copied and what was not.

    Raises:
        ValueError: If the two do not fit: both sides are named.
    """
    document = classifier.embeddings
    if isinstance(document, (DocumentRNNEmbeddings, DocumentMaxPoolRNNEmbeddings)):
        pairs = _recurrent_pairs(document, tagger)
    elif isinstance(document, TransformerDocumentEmbeddings):
        pairs = _transformer_pairs(document, tagger)
    else:
        raise ValueError(
            f"A classifier over {type(document).__name__} shares no layer with a tagger: train it "
            "over DocumentMaxPoolRNNEmbeddings, DocumentRNNEmbeddings or "
            "TransformerDocumentEmbeddings."
        )
    with torch.no_grad():
        for source, target in pairs:
            for name, parameter in target.named_parameters():
                parameter.copy_(source.get_parameter(name))
    return _report(classifier, tagger, pairs)


Pairs = list[tuple[nn.Module, nn.Module]]


def _recurrent_pairs(
    document: DocumentRNNEmbeddings | DocumentMaxPoolRNNEmbeddings, tagger: SequenceTagger
) -> Pairs:
    if not tagger.use_rnn:
        raise ValueError("The classifier has a recurrent layer, the tagger has use_rnn=False.")
    pairs = _character_pairs("word embeddings", document.embeddings, tagger.embeddings)
    projection = document.word_reprojection_map
    if isinstance(document, DocumentRNNEmbeddings) and not document.reproject_words:
        projection = None  # Flair makes the layer all the same
    _require_equal(
        "projection of the embeddings", projection is not None, tagger.reproject_embeddings
    )
    _require_equal("RNN type", type(document.rnn).__name__, type(tagger.rnn).__name__)
    for title, name in (
        ("bidirectional", "bidirectional"),
        ("number of RNN layers", "num_layers"),
        ("RNN input size", "input_size"),
        ("hidden size per direction", "hidden_size"),
    ):
        _require_equal(title, getattr(document.rnn, name), getattr(tagger.rnn, name))
    if projection is not None:
        pairs.append((projection, tagger.embedding2nn))
    return [*pairs, (document.rnn, tagger.rnn)]


def _transformer_pairs(document: TransformerDocumentEmbeddings, tagger: SequenceTagger) -> Pairs:
    if not isinstance(tagger.embeddings, TransformerWordEmbeddings):
        raise ValueError(
            "The classifier stands on TransformerDocumentEmbeddings, the tagger on "
            f"{type(tagger.embeddings).__name__}: give it TransformerWordEmbeddings of the same "
            "model."
        )
    source, target = document.model, tagger.embeddings.model
    _require_equal("transformer class", type(source).__name__, type(target).__name__)
    shapes = [{n: tuple(p.shape) for n, p in m.named_parameters()} for m in (source, target)]
    for name in sorted(shapes[0].keys() | shapes[1].keys()):
        _require_equal(f"transformer parameter {name}", shapes[0].get(name), shapes[1].get(name))
    vocabularies = [document.tokenizer.get_vocab(), tagger.embeddings.tokenizer.get_vocab()]
    if vocabularies[0] != vocabularies[1]:
        raise ValueError("Classifier and tagger differ in the vocabulary of their tokenizers.")
    return [(source, target)]


def _require_equal(what: str, classifier: object, tagger: object) -> None:
    if classifier != tagger:
        raise ValueError(
            f"Classifier and tagger differ in {what}: {classifier} in the classifier, {tagger} in "
            "the tagger. Make the tagger like the classifier, or train the classifier anew."
        )


def _character_pairs(what: str, classifier: TokenEmbeddings, tagger: TokenEmbeddings) -> Pairs:
    """Requires that two token embeddings give the same vectors, once the pairs are copied."""
    ours, theirs = separate_members(tagger), separate_members(classifier)
    _require_equal(
        f"kind of {what}", [type(e).__name__ for e in theirs], [type(e).__name__ for e in ours]
    )
    _require_equal(
        f"size of {what}", [e.embedding_length for e in theirs], [e.embedding_length for e in ours]
    )
    pairs: Pairs = []
    for their, our in zip(theirs, ours, strict=True):
        if isinstance(their, WordEmbeddings) and isinstance(our, WordEmbeddings):
            _compare_vectors(their, our)
        elif isinstance(their, CharacterCNNEmbeddings) and isinstance(our, CharacterCNNEmbeddings):
            _compare_characters(their, our)
            pairs.append((their, our))
        elif not _same_parameters(their, our):
            raise ValueError(
                f"Classifier and tagger differ in the weights of {their.name} and {our.name}."
            )
    return pairs


def _compare_vectors(classifier: WordEmbeddings, tagger: WordEmbeddings) -> None:
    """Vocabularies may differ, but a word that both know has one vector."""
    shared = [word for word in tagger.vocab if word in classifier.vocab]
    names = f"{classifier.name!r} in the classifier, {tagger.name!r} in the tagger"
    if not shared:
        raise ValueError(f"Classifier and tagger have no word in common: {names}.")
    theirs = classifier.embedding.weight[[classifier.vocab[word] for word in shared]]
    ours = tagger.embedding.weight[[tagger.vocab[word] for word in shared]]
    different = ((theirs.cpu() - ours.cpu()).abs().amax(dim=1) > 1e-6).nonzero().flatten()
    if len(different):
        raise ValueError(
            f"Classifier and tagger differ in the vectors of {len(different)} of {len(shared)} "
            f"words, {shared[int(different[0])]!r} among them: {names}. Use the same word vectors "
            "for both."
        )


def _compare_characters(classifier: CharacterCNNEmbeddings, tagger: CharacterCNNEmbeddings) -> None:
    different = sorted({*classifier.characters} ^ {*tagger.characters})
    if different:
        raise ValueError(
            f"Classifier and tagger differ in {len(different)} characters, {different[0]!r} among "
            f"them: make {tagger.name!r} with the characters of {classifier.name!r}."
        )
    for name, parameter in tagger.named_parameters():
        shape = tuple(classifier.get_parameter(name).shape)
        _require_equal(f"{tagger.name!r}, {name}", shape, tuple(parameter.shape))


def _same_parameters(first: nn.Module, second: nn.Module) -> bool:
    mine, theirs = dict(first.named_parameters()), dict(second.named_parameters())
    return mine.keys() == theirs.keys() and all(
        mine[name].shape == theirs[name].shape and torch.equal(mine[name], theirs[name])
        for name in mine
    )


def _report(classifier: TextClassifier, tagger: SequenceTagger, pairs: Pairs) -> TransferReport:
    sources = {id(p) for source, _ in pairs for p in source.parameters()}
    targets = {id(p) for _, target in pairs for p in target.parameters()}
    report = TransferReport()
    for name, parameter in tagger.named_parameters():
        if parameter.requires_grad or id(parameter) in targets:
            (report.copied if id(parameter) in targets else report.left_in_tagger).append(name)
    report.left_in_classifier = [
        name
        for name, parameter in classifier.named_parameters()
        if parameter.requires_grad and id(parameter) not in sources
    ]
    return report
