"""The first station of a tagger: sentences to one padded tensor."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeGuard

import flair
import torch
from flair.data import Sentence
from flair.embeddings import StackedEmbeddings, TokenEmbeddings, WordEmbeddings
from torch import Tensor


def embed_batch(embeddings: TokenEmbeddings, sentences: list[Sentence]) -> Tensor:
    """Embeds sentences without a tensor per token where the embeddings allow it.

    Static word vectors, alone or in a stack, are looked up once for the batch. Any other
    embeddings go through :meth:`flair.embeddings.TokenEmbeddings.embed`. Members of a stack stand
    in the alphabetical order of their names, as in Flair, so that the weights of a Flair tagger
    over a stack fit.

    Args:
        embeddings: Any token embeddings.
        sentences: Non-empty sentences.

    Returns:
        ``[batch, longest, embedding_length]``, zero on padding.
    """
    if isinstance(embeddings, StackedEmbeddings) and all(map(_has_table, embeddings.embeddings)):
        members = sorted(embeddings.embeddings, key=lambda member: member.name)
        return torch.cat([embed_batch(member, sentences) for member in members], dim=-1)
    if _has_table(embeddings):
        return _look_up(embeddings, sentences)
    return _embed_tokens(embeddings, sentences)


def get_names(embeddings: TokenEmbeddings) -> list[str]:
    """Names of embeddings and of all members of a stack.

    They give the members of a stack their order, but Flair's files keep those of some kinds only.

    Args:
        embeddings: Any token embeddings.

    Returns:
        The names, for :func:`set_names`.
    """
    return [part.name for part in _parts(embeddings)]


def set_names(embeddings: TokenEmbeddings, names: Sequence[str]) -> None:
    """Gives embeddings that were read from a file the names that they had.

    Args:
        embeddings: The embeddings.
        names: What :func:`get_names` gave.
    """
    for part, name in zip(_parts(embeddings), names, strict=True):
        part.name = name


@contextmanager
def sentence_context(embeddings: TokenEmbeddings, sentences: Sequence[Sentence]) -> Iterator[None]:
    """Links neighbouring sentences while embeddings that read them (FLERT) need it.

    Flair leaves the links behind, and linked sentences are too deep to pickle.

    Args:
        embeddings: The embeddings about to be used.
        sentences: Sentences in the order of their text.
    """
    fresh = [sentence for sentence in sentences if not sentence.is_context_set()]
    reads_neighbours = any(
        getattr(module, "context_length", 0) > 0 for module in embeddings.modules()
    )
    if reads_neighbours:
        Sentence.set_context_for_sentences(list(sentences))
    try:
        yield
    finally:
        for sentence in fresh if reads_neighbours else []:
            sentence._previous_sentence = sentence._next_sentence = None
            sentence._has_context = False


def _parts(embeddings: TokenEmbeddings) -> list[TokenEmbeddings]:
    return [module for module in embeddings.modules() if isinstance(module, TokenEmbeddings)]


def _has_table(embeddings: TokenEmbeddings) -> TypeGuard[WordEmbeddings]:
    return type(embeddings) is WordEmbeddings and embeddings.field is None


def _look_up(embeddings: WordEmbeddings, sentences: list[Sentence]) -> Tensor:
    unknown = len(embeddings.vocab)  # the last row of Flair's table, all zeros
    rows = [
        torch.tensor([embeddings.get_cached_token_index(token.text) for token in sentence])
        for sentence in sentences
    ]
    indices = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=unknown)
    vectors = embeddings.embedding(indices.to(embeddings.embedding.weight.device))
    if embeddings.layer_norm is not None:
        vectors = embeddings.layer_norm(vectors)
    # A fine-tuned table, or layer normalisation, may move the unknown word away from zero.
    lengths = torch.tensor([len(sentence) for sentence in sentences], device=vectors.device)
    padding = torch.arange(indices.size(1), device=vectors.device) >= lengths.unsqueeze(1)
    return vectors.masked_fill(padding.unsqueeze(-1), 0.0).to(flair.device)


def _embed_tokens(embeddings: TokenEmbeddings, sentences: list[Sentence]) -> Tensor:
    embeddings.embed(sentences)
    names = embeddings.get_names()
    rows = [
        torch.stack([token.get_embedding(names) for token in sentence]) for sentence in sentences
    ]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
