"""Probabilities of tags and of segments given the sentence."""

import math
from functools import cached_property

import torch
from torch import Tensor

from flair_jointner.layers.chain import ChainScores, path_score
from flair_jointner.layers.chain_weights import ChainWeights
from flair_jointner.layers.forward_backward import run_passes
from flair_jointner.layers.packing import Packing

_MAJORITY = math.log(0.51)  # a half, and more than rounding


class ChainPosterior:
    """Probabilities under the distribution of paths p(y | emissions) ∝ exp(score of y).

    They carry no gradient.

    Attributes:
        log_partition: Log of the summed exponentiated scores of all paths, ``[batch]`` float64:
            sums over long sentences are large, and what counts is their difference.
    """

    def __init__(self, emissions: Tensor, mask: Tensor, chain: ChainScores | ChainWeights) -> None:
        """Runs the forward-backward algorithm.

        Args:
            emissions: ``[batch, tokens, tags]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.
            chain: Scores of the chain; as weights, if it serves many batches.
        """
        weights = chain if isinstance(chain, ChainWeights) else ChainWeights(chain)
        self._emissions = emissions.detach()
        self._chain = ChainScores(*(part.double() for part in weights.scores))
        self._mask = mask
        self._lengths = mask.sum(1)  # [batch]
        self._packing = Packing(self._lengths)
        packed = self._packing.pack(self._emissions)
        self._passes = run_passes(packed, self._packing, weights)
        self.log_partition = self._packing.restore(self._passes.log_partition)

    def marginals(self) -> Tensor:
        """Probability of each tag at each token.

        Returns:
            ``[batch, tokens, tags]``; sums to 1 over the tags of a real token, 0 on padding.
        """
        return self._packing.pad(self._marginals, self._emissions.size(1))

    @cached_property
    def _marginals(self) -> Tensor:
        return self._passes.marginals()

    def majority_paths(self) -> tuple[Tensor, Tensor]:
        """The paths that have more than half of the probability, and are therefore the best ones.

        Each tag of such a path has more than half of the probability of its token, so that the most
        probable tags of the tokens make up the path.

        Returns:
            Tags ``[batch, tokens]`` long, 0 on padding, and which sentences have such a path,
            ``[batch]`` bool; the tags of the others are no path to go by.
        """
        tags = self._packing.pad(self._marginals.argmax(1), self._emissions.size(1))
        score = path_score(self._emissions, tags, self._mask, self._chain)
        return tags, score - self.log_partition > _MAJORITY

    def segments(
        self,
        sentences: Tensor,
        starts: Tensor,
        tags: Tensor,
        lengths: Tensor,
        next_tags: Tensor | None = None,
    ) -> Tensor:
        """Probability that exactly these tags stand at these places, whatever stands elsewhere.

        Args:
            sentences: Index of each segment's sentence in the batch, ``[segments]``.
            starts: Index of its first token, ``[segments]``.
            tags: Its tags, padded with any valid index, ``[segments, longest]``.
            lengths: Its number of tokens, ``[segments]``.
            next_tags: Which tags may stand right after it, ``[segments, tags]`` bool; any when
                None. The end of the sentence is always allowed.

        Returns:
            ``[segments]``.
        """
        inside = torch.arange(tags.size(1), device=tags.device) < lengths.unsqueeze(1)
        places = (starts.unsqueeze(1) + torch.arange(tags.size(1), device=tags.device)).clamp(
            max=self._emissions.size(1) - 1
        )  # [segments, longest]
        emitted = self._emissions[sentences.unsqueeze(1), places, tags].double()
        moves = self._chain.transitions[tags[:, 1:], tags[:, :-1]]
        first = self._packing.find(sentences, starts)
        log_probability = (
            self._passes.log_forward(first).gather(1, tags[:, :1]).squeeze(1)
            + emitted[:, 1:].masked_fill(~inside[:, 1:], 0.0).sum(1)
            + moves.masked_fill(~inside[:, 1:], 0.0).sum(1)
            - self.log_partition[sentences]
        )
        ends = starts + lengths - 1
        last = tags.gather(1, (lengths - 1).unsqueeze(1))  # [segments, 1]
        if next_tags is None:
            backward = self._passes.log_backward(self._packing.find(sentences, ends))
            return _probability(log_probability + backward.gather(1, last).squeeze(1))
        onward = self._go_on(sentences, ends, last.squeeze(1), next_tags)
        return _probability(log_probability + onward)

    def _go_on(self, sentences: Tensor, ends: Tensor, last: Tensor, next_tags: Tensor) -> Tensor:
        """Log of the summed ways to go on from tag ``last`` at ``ends`` into ``next_tags``."""
        at_end = ends == self._lengths[sentences] - 1
        following = torch.where(at_end, ends, ends + 1)
        onward = (
            self._chain.transitions.t()[last]
            + self._emissions[sentences, following]
            + self._passes.log_backward(self._packing.find(sentences, following))
        ).masked_fill(~next_tags, float("-inf"))  # [segments, tags]
        return torch.where(at_end, self._chain.final[last], torch.logsumexp(onward, dim=-1))


def _probability(log_probability: Tensor) -> Tensor:
    """Never above 1: the log of a certain event is a little off 0, to either side."""
    return log_probability.clamp(max=0.0).exp()
