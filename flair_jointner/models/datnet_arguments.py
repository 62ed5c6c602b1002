"""What DATNet can be asked for, and what goes together."""

from typing import Any, Literal, get_args

from flair.data import Dictionary
from flair.embeddings import TokenEmbeddings

from flair_jointner.models.tagset import encodes_spans

Share = Literal["full", "part"]
Discriminator = Literal["grad", "plain"]
SHARES: tuple[str, ...] = get_args(Share)
DISCRIMINATORS: tuple[str, ...] = get_args(Discriminator)


def covers(source: Dictionary, target: Dictionary) -> bool:
    """Whether the source has all entity types of the target, in labels of the same kind.

    Args:
        source: Entity types of the source.
        target: Entity types of the target.

    Returns:
        True if it has: one decoder serves both then.
    """
    kinds = {dictionary.span_labels or encodes_spans(dictionary) for dictionary in (source, target)}
    return len(kinds) == 1 and set(target.get_items()) <= {*source.get_items(), "<unk>"}


def check_choice(name: str, given: str, possible: tuple[str, ...], *more: str) -> None:
    """Refuses what is not among the possible values.

    Args:
        name: Name of the argument.
        given: Its value.
        possible: The values it may have.
        *more: Others, as they are written.

    Raises:
        ValueError: If it is none of them.
    """
    if given not in possible:
        choices = [*map(repr, possible), *more]
        raise ValueError(f"Unknown {name} {given!r}: choose {', '.join(choices)}.")


def check_embeddings(
    target: TokenEmbeddings, source: TokenEmbeddings | None, shared: TokenEmbeddings | None
) -> None:
    """Refuses embeddings that do not go together.

    Args:
        target: Word embeddings of the target.
        source: Word embeddings of the source, if they are others.
        shared: Embeddings for the words of both, if there are any.

    Raises:
        ValueError: If the sizes of the resources' differ, or names of the shared ones are theirs.
    """
    if source is not None and source.embedding_length != target.embedding_length:
        raise ValueError(
            f"The word embeddings of the source have {source.embedding_length} dimensions, those "
            f"of the target {target.embedding_length}: one BiLSTM reads both, so give embeddings "
            "of the same size."
        )
    if shared is None:
        return
    names = {*target.get_names(), *(source.get_names() if source is not None else ())}
    both = sorted(names.intersection(shared.get_names()))
    if both:
        raise ValueError(
            f"The shared embeddings and the word embeddings are both named {', '.join(both)}: "
            "Flair keeps vectors by name, so give one of them another."
        )


def check_network(share: str, arguments: dict[str, Any]) -> None:
    """Refuses a network in which nothing, or not all, can be shared.

    Args:
        share: ``"full"`` or ``"part"``.
        arguments: Arguments of Flair's tagger.

    Raises:
        ValueError: If it has no recurrent layer, or one initial state for three of them.
    """
    if not arguments.get("use_rnn", True):
        raise ValueError("DATNet shares a recurrent layer: leave use_rnn=False out.")
    if share == "part" and arguments.get("train_initial_hidden_state", False):
        raise ValueError(
            "train_initial_hidden_state goes with share='full': Flair keeps one initial state, "
            "and share='part' has three recurrent layers."
        )
