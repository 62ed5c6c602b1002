"""Batches of two resources: which sentence is whose, and what the network makes of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from flair_jointner.models.network import TaggerOutput


@dataclass(frozen=True)
class TransferOutput(TaggerOutput):
    """What DATNet makes of a batch; ``emissions`` are those of the target's decoder.

    Attributes:
        is_source: Whether a sentence is from the source, ``[batch]`` bool.
        source_emissions: Scores of the source's tags, ``[batch, tokens, source tags]``; None where
            both resources share the decoder.
    """

    is_source: Tensor
    source_emissions: Tensor | None = None

    def emissions_of(self, resource: str) -> Tensor:
        """Scores of the tags of a resource.

        Args:
            resource: ``"source"`` or ``"target"``.

        Returns:
            ``[batch, tokens, tags]``.
        """
        if resource == "target" or self.source_emissions is None:
            return self.emissions
        return self.source_emissions


def marks_of(is_source: Tensor | None, mask: Tensor) -> Tensor:
    """The marks of a batch.

    Args:
        is_source: Whether a sentence is from the source, ``[batch]`` bool; of none when None.
        mask: ``[batch, tokens]`` bool, True for real tokens.

    Returns:
        ``[batch]`` bool.
    """
    return mask.new_zeros(len(mask)) if is_source is None else is_source


def by_resource(is_source: Tensor) -> Iterator[tuple[str, Tensor]]:
    """The resources that a batch has.

    Args:
        is_source: Whether a sentence is from the source, ``[batch]`` bool.

    Yields:
        ``"target"`` or ``"source"``, and the indices of its sentences, ``[some]`` long.
    """
    for resource, wanted in (("target", ~is_source), ("source", is_source)):
        rows = wanted.nonzero().squeeze(1)
        if len(rows):
            yield resource, rows


def run_by_resource(is_source: Tensor, tokens: int, run: Callable[[str, Tensor], Tensor]) -> Tensor:
    """Runs what each resource has of its own, and joins the results.

    Args:
        is_source: Whether a sentence is from the source, ``[batch]`` bool.
        tokens: Length of the padded sentences.
        run: Takes a resource and the indices of its sentences, as :func:`by_resource` gives them;
            its result is ``[some, at most tokens, size]``.

    Returns:
        ``[batch, tokens, size]``, 0 behind shorter results.
    """
    found = [(rows, run(resource, rows)) for resource, rows in by_resource(is_source)]
    joined = found[0][1].new_zeros(len(is_source), tokens, found[0][1].size(-1))
    for rows, part in found:
        padded = nn.functional.pad(part, (0, 0, 0, tokens - part.size(1)))
        joined = joined.index_copy(0, rows, padded)
    return joined
