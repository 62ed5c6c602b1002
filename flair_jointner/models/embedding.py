"""The first station of a tagger: sentences to one padded tensor."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeGuard

import flair
import torch
from flair.data import Sentence
from flair.embeddings import StackedEmbeddings, TokenEmbeddings, WordEmbeddings
from torch import Tensor, nn

from flair_jointner.models.batching import pad_indices, token_mask
from flair_jointner.models.character_cnn import CharacterCNNEmbeddings
from flair_jointner.models.fast_paths import SentenceMemory

WordIndices = SentenceMemory[list[tuple[WordEmbeddings, list[int]]]]
"""Rows of the tokens of a sentence, in each static word embedding that was asked for them."""


def embed_batch(
    embeddings: TokenEmbeddings,
    sentences: list[Sentence],
    known: WordIndices | None = None,
    word_table: bool = True,
) -> Tensor:
    """Embeds sentences without a tensor per token where the embeddings allow it.

    Static word vectors, and vectors from characters, come from one call for the batch, alone or as
    members of a stack. Any other embeddings go through
    :meth:`flair.embeddings.TokenEmbeddings.embed`. Members of a stack stand in the alphabetical
    order of their names, as in Flair, so that the weights of a Flair tagger over a stack fit.

    Args:
        embeddings: Any token embeddings.
        sentences: Non-empty sentences.
        known: Where word indices are remembered; None to remember none.
        word_table: Whether anything is embedded for the whole batch at once.

    Returns:
        ``[batch, longest, embedding_length]``, zero on padding.
    """
    if not word_table:
        return _embed_tokens(embeddings, sentences)
    vectors = [_embed_member(member, sentences, known) for member in separate_members(embeddings)]
    return vectors[0] if len(vectors) == 1 else torch.cat(vectors, dim=-1)


def _embed_member(
    member: TokenEmbeddings, sentences: list[Sentence], known: WordIndices | None
) -> Tensor:
    if has_table(member):
        return _look_up(member, sentences, known)
    if isinstance(member, CharacterCNNEmbeddings):
        return member.embed_batch(sentences)
    return _embed_tokens(member, sentences)


def has_table(embeddings: TokenEmbeddings) -> TypeGuard[WordEmbeddings]:
    """Tells whether embeddings are static word vectors, which one table holds.

    Args:
        embeddings: Any token embeddings.

    Returns:
        True if they are.
    """
    return type(embeddings) is WordEmbeddings and embeddings.field is None


def separate_members(embeddings: TokenEmbeddings) -> list[TokenEmbeddings]:
    """The members of a stack, and of stacks in it, in the order of their vectors.

    Args:
        embeddings: Any token embeddings.

    Returns:
        Them; the embeddings alone, if they are no stack, or Flair orders their vectors by more
        names than one for each member.
    """
    members = _leaves(embeddings)
    names = [name for member in members for name in member.get_names()]
    if len(set(names)) != len(members) or names != [member.name for member in members]:
        return [embeddings]
    return sorted(members, key=lambda member: member.name)


def _leaves(embeddings: TokenEmbeddings) -> list[TokenEmbeddings]:
    if not isinstance(embeddings, StackedEmbeddings):
        return [embeddings]
    return [leaf for member in embeddings.embeddings for leaf in _leaves(member)]


def join_characters(
    embeddings: TokenEmbeddings, characters: Iterable[Sentence] | Iterable[str]
) -> StackedEmbeddings:
    """Puts vectors from characters, with random weights, beside other embeddings.

    Args:
        embeddings: The embeddings.
        characters: As :class:`~flair_jointner.models.CharacterCNNEmbeddings` takes them.

    Returns:
        A stack. Vectors stand in the order of names: that of the characters comes before those of
        files, so that a classifier and a tagger agree whatever file the words are from.
    """
    members = [CharacterCNNEmbeddings(characters, name="0-character-cnn"), embeddings]
    return StackedEmbeddings(members, overwrite_names=False)


def split_characters(
    embeddings: TokenEmbeddings,
) -> tuple[TokenEmbeddings, CharacterCNNEmbeddings | None]:
    """Undoes :func:`join_characters`.

    Args:
        embeddings: Any token embeddings.

    Returns:
        The embeddings without those from characters, and these; all, and None, if there are none
        from characters, or nothing else.
    """
    leaves = _leaves(embeddings)
    characters = [leaf for leaf in leaves if isinstance(leaf, CharacterCNNEmbeddings)]
    others = [leaf for leaf in leaves if leaf not in characters]
    if len(characters) != 1 or not others:
        return embeddings, None
    if len(others) == 1:
        return others[0], characters[0]
    return StackedEmbeddings(others, overwrite_names=False), characters[0]


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
def sentence_context(embeddings: nn.Module, sentences: Sequence[Sentence]) -> Iterator[None]:
    """Links neighbouring sentences while embeddings that read them (FLERT) need it.

    Flair leaves the links behind, and linked sentences are too deep to pickle.

    Args:
        embeddings: The embeddings about to be used, or a model that holds them.
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


def forget_trained(embeddings: nn.Module, sentences: Sequence[Sentence]) -> None:
    """Drops vectors that were stored in sentences and may since have been trained further.

    Flair reuses vectors that were computed without a gradient, as in evaluation, as if they were
    static.

    Args:
        embeddings: The embeddings about to be used, or a model that holds them.
        sentences: The sentences.
    """
    trained = [part for part in _parts(embeddings) if not part.static_embeddings]
    names = [name for part in trained for name in part.get_names()]
    for sentence in sentences if names else []:
        sentence.clear_embeddings(names)


def _parts(embeddings: nn.Module) -> list[TokenEmbeddings]:
    return [module for module in embeddings.modules() if isinstance(module, TokenEmbeddings)]


def _look_up(
    embeddings: WordEmbeddings, sentences: list[Sentence], known: WordIndices | None
) -> Tensor:
    unknown = len(embeddings.vocab)  # the last row of Flair's table, all zeros
    rows = [_word_indices(embeddings, sentence, known) for sentence in sentences]
    indices = pad_indices(rows, unknown)
    vectors = embeddings.embedding(indices.to(embeddings.embedding.weight.device))
    if embeddings.layer_norm is not None:
        vectors = embeddings.layer_norm(vectors)
    # A fine-tuned table, or layer normalisation, may move the unknown word away from zero.
    return vectors.to(flair.device).masked_fill(~token_mask(rows).unsqueeze(-1), 0.0)


def _word_indices(
    embeddings: WordEmbeddings, sentence: Sentence, known: WordIndices | None
) -> list[int]:
    rows = [] if known is None else known.get(sentence, len(sentence), lambda _: [])
    for owner, indices in rows:
        if owner is embeddings:
            return indices
    find = embeddings.get_cached_token_index  # to look this up takes longer than the index
    indices = [find(token.text) for token in sentence.tokens]
    rows.append((embeddings, indices))
    return indices


def _embed_tokens(embeddings: TokenEmbeddings, sentences: list[Sentence]) -> Tensor:
    embeddings.embed(sentences)
    names = embeddings.get_names()
    rows = [
        torch.stack([token.get_embedding(names) for token in sentence]) for sentence in sentences
    ]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
