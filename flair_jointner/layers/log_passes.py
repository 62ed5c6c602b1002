"""The forward-backward algorithm on float64 logarithms: slow, and exact whatever the scores."""

import torch
from torch import Tensor

from flair_jointner.layers.chain import ChainScores
from flair_jointner.layers.packing import Packing


class LogPasses:
    """Both passes over a packed batch; see ``forward_backward.Passes``."""

    def __init__(self, emissions: Tensor, packing: Packing, chain: ChainScores) -> None:
        """Runs both passes.

        Args:
            emissions: ``[N, tags]``, packed.
            packing: The layout of the batch.
            chain: Scores of the chain.
        """
        self._dtype = emissions.dtype
        emissions = emissions.double()
        self._chain = chain.to(emissions)
        self._emissions = packing.steps(emissions)
        self._forward = self._run_forward()  # per step [sentences, tags]
        self._backward = self._run_backward()
        last = packing.reversed[: len(packing.lengths)]
        ends = torch.cat(self._forward)[last] + self._chain.final
        self.log_partition = torch.logsumexp(ends, dim=1)

    def _run_forward(self) -> list[Tensor]:
        forward = [self._chain.initial + self._emissions[0]]
        for step in self._emissions[1:]:
            before = forward[-1][: len(step)].unsqueeze(1)
            forward.append(torch.logsumexp(before + self._chain.transitions, dim=2) + step)
        return forward

    def _run_backward(self) -> list[Tensor]:
        backward = [self._chain.final.expand_as(self._emissions[-1])]
        for step, before in zip(
            reversed(self._emissions), reversed(self._emissions[:-1]), strict=False
        ):
            after = (step + backward[-1]).unsqueeze(2)  # [sentences, to, 1]
            reached = torch.logsumexp(after + self._chain.transitions, dim=1)
            ended = self._chain.final.expand(len(before) - len(step), -1)
            backward.append(torch.cat([reached, ended]))
        return backward[::-1]

    def marginals(self) -> Tensor:
        """Probability of each tag at each token, ``[N, tags]``."""
        scores = torch.cat(self._forward) + torch.cat(self._backward)
        return torch.softmax(scores, dim=1).to(self._dtype)

    def expected_transitions(self, weights: Tensor) -> Tensor:
        """Expected number of each transition, ``[tags, tags]``, weighted by sentence."""
        expected = torch.zeros_like(self._chain.transitions)
        for place in range(1, len(self._emissions)):
            size = len(self._emissions[place])
            after = (self._emissions[place] + self._backward[place]).unsqueeze(2)
            before = self._forward[place - 1][:size].unsqueeze(1)
            scores = before + self._chain.transitions + after  # [sentences, to, from]
            shares = torch.softmax(scores.flatten(1), dim=1)
            expected += (weights[:size].double() @ shares).view_as(expected)
        return expected.to(self._dtype)

    def log_forward(self, tokens: Tensor) -> Tensor:
        """The forward scores log α of some tokens, ``[tokens, tags]``."""
        return torch.cat(self._forward)[tokens]

    def log_backward(self, tokens: Tensor) -> Tensor:
        """The backward scores log β of some tokens, ``[tokens, tags]``."""
        return torch.cat(self._backward)[tokens]
