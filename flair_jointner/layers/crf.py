"""Linear-chain conditional random field (Lafferty et al., 2001), as Lample et al. (2016) use it."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from flair_jointner.layers.chain import FORBIDDEN, ChainScores, at_least_float32
from flair_jointner.layers.chain_weights import ChainWeights
from flair_jointner.layers.forward_backward import log_partition, run_passes
from flair_jointner.layers.packing import Packing
from flair_jointner.layers.posterior import ChainPosterior
from flair_jointner.layers.viterbi import viterbi


def negative_log_likelihood(
    emissions: Tensor, tags: Tensor, mask: Tensor, chain: ChainScores, scaled: bool = True
) -> Tensor:
    """-log p(tags | emissions), by the forward algorithm.

    Its gradient is written out: the marginals minus the one-hot tags for the emissions, the
    expected minus the observed counts for the transitions.

    Args:
        emissions: ``[batch, tokens, tags]``.
        tags: ``[batch, tokens]`` long; any value on padding.
        mask: ``[batch, tokens]`` bool, True for real tokens.
        chain: Scores of the chain.
        scaled: Whether to multiply rescaled probabilities where that is exact; False stays in log
            space.

    Returns:
        ``[batch]``; differentiable once.
    """
    return _NegativeLogLikelihood.apply(emissions, tags, mask, scaled, None, *chain)


class _NegativeLogLikelihood(torch.autograd.Function):
    """See :func:`negative_log_likelihood`.

    ``boundary`` names START and STOP where initial and final scores are a column and a row of the
    transitions: their gradient is then added there, which saves autograd two more such matrices.
    """

    @staticmethod
    def forward(
        ctx: Any,
        emissions: Tensor,
        tags: Tensor,
        mask: Tensor,
        scaled: bool,
        boundary: tuple[int, int] | None,
        *chain: Tensor,
    ) -> Tensor:
        transitions, initial, final = chain
        packing = Packing(mask.sum(1))
        packed = packing.pack(emissions)  # [N, tags]
        weights = ChainWeights(ChainScores(*chain))
        passes = None
        if any(ctx.needs_input_grad):
            passes = run_passes(packed, packing, weights, scaled)
            log_z = passes.log_partition
        else:
            log_z = log_partition(packed, packing, weights, scaled)
        first = len(packing.lengths)
        path = packing.pack(tags)  # [N]
        moves = (path[first:], path[packing.previous])  # to, from
        last = path[packing.reversed[:first]]
        # Summed as the partition is: the loss is the small difference of two large numbers.
        scores = packed.gather(1, path.unsqueeze(1)).squeeze(1).double()
        scores[first:] += transitions[moves]
        ends = initial[path[:first]].double() + final[last]
        score = ends.index_add(0, packing.sentence, scores)  # [batch]
        ctx.batch = (passes, packing, path, moves, mask.size(1), boundary)
        return packing.restore(log_z - score).to(emissions.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        passes, packing, path, moves, tokens, boundary = ctx.batch
        first = len(packing.lengths)
        weights = gradient[packing.order]
        excess = passes.marginals()  # [N, tags]
        excess.scatter_add_(1, path.unsqueeze(1), excess.new_full((len(path), 1), -1.0))
        excess *= weights[packing.sentence].unsqueeze(1)
        transitions = passes.expected_transitions(weights)
        places = moves[0] * len(transitions) + moves[1]
        transitions.view(-1).index_add_(0, places, -weights[packing.sentence[first:]])
        initial, final = excess[:first].sum(0), excess[packing.reversed[:first]].sum(0)
        emissions = packing.pad(excess, tokens)
        if boundary is None:
            return emissions, None, None, None, None, transitions, initial, final
        start, stop = boundary
        transitions[:, start] += initial
        transitions[stop] += final
        return emissions, None, None, None, None, transitions, None, None


class LinearChainCRF(nn.Module):
    """A CRF whose parameters are those of Flair's: START and STOP are two of the tags.

    Attributes:
        transitions: ``[tags, tags]``, indexed ``[to, from]``. Into START and out of STOP it holds
            a score that forbids the transition.
    """

    def __init__(self, num_tags: int, start: int, stop: int) -> None:
        """Makes the layer with normally distributed transitions, as Flair does.

        Args:
            num_tags: Number of tags, START and STOP among them.
            start: Index of START.
            stop: Index of STOP.
        """
        super().__init__()
        self.start = start
        self.stop = stop
        self.transitions = nn.Parameter(torch.randn(num_tags, num_tags))
        self.forbid_boundaries()

    @torch.no_grad()
    def forbid_boundaries(self) -> None:
        """Forbids to enter START and to leave STOP; needed after any new initialisation."""
        self.transitions[self.start, :] = FORBIDDEN
        self.transitions[:, self.stop] = FORBIDDEN

    def chain(self) -> ChainScores:
        """The chain scores that the functions of this module take, in float32 at least."""
        transitions = at_least_float32(self.transitions)
        return ChainScores(transitions, transitions[:, self.start], transitions[self.stop])

    def forward(self, emissions: Tensor, tags: Tensor, mask: Tensor, scaled: bool = True) -> Tensor:
        """Negative log-likelihood of given tags: -log p(y | H) (Kruengkrai et al., 2020, Eq. 2).

        Args:
            emissions: ``[batch, tokens, tags]``.
            tags: ``[batch, tokens]`` long; any valid index on padding.
            mask: ``[batch, tokens]`` bool, True for real tokens.
            scaled: As in :func:`negative_log_likelihood`.

        Returns:
            ``[batch]``.
        """
        transitions, initial, final = self.chain()
        boundary = (self.start, self.stop)
        chain = (transitions, initial.detach(), final.detach())
        emissions = at_least_float32(emissions)
        return _NegativeLogLikelihood.apply(emissions, tags, mask, scaled, boundary, *chain)

    def viterbi(self, emissions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The best path of each sentence and its score; see :func:`viterbi`."""
        return viterbi(at_least_float32(emissions), mask, self.chain())

    def marginals(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Probability of each tag at each token; see :meth:`ChainPosterior.marginals`."""
        weights = ChainWeights(self.chain())
        return ChainPosterior(at_least_float32(emissions), mask, weights).marginals()
