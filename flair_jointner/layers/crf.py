"""Linear-chain conditional random field (Lafferty et al., 2001), as Lample et al. (2016) use it.

A path y₁ … y_T over T tokens scores

    initial[y₁] + Σ_t emissions[t, y_t] + Σ_{t>1} transitions[y_t, y_{t-1}] + final[y_T].

All tensors are batches of padded sentences with a mask; each sentence has at least one token. No
function builds a tensor of ``[batch, tokens, tags, tags]``, and none reads what stands on padding.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

FORBIDDEN = -10_000.0
"""Score with which Flair forbids a transition; ours must load its weights and the reverse."""


class ChainScores(NamedTuple):
    """The part of a path's score that does not depend on the tokens.

    Attributes:
        transitions: ``[tags, tags]``, indexed ``[to, from]``.
        initial: ``[tags]``, score of beginning with a tag.
        final: ``[tags]``, score of ending with a tag.
    """

    transitions: Tensor
    initial: Tensor
    final: Tensor

    def plus(self, other: "ChainScores") -> "ChainScores":
        """Adds the scores of another chain, for example a constraint of 0 and -inf."""
        return ChainScores(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def log_partition(emissions: Tensor, mask: Tensor, chain: ChainScores) -> Tensor:
    """Log of the summed exponentiated scores of all paths, by the forward algorithm.

    Args:
        emissions: ``[batch, tokens, tags]``.
        mask: ``[batch, tokens]`` bool, True for real tokens.
        chain: Scores of the chain.

    Returns:
        ``[batch]``.
    """
    return torch.logsumexp(_forward(emissions, mask, chain)[-1] + chain.final, dim=-1)


def path_score(emissions: Tensor, tags: Tensor, mask: Tensor, chain: ChainScores) -> Tensor:
    """Score of one path per sentence.

    Args:
        emissions: ``[batch, tokens, tags]``.
        tags: ``[batch, tokens]`` long; any valid index on padding.
        mask: ``[batch, tokens]`` bool, True for real tokens.
        chain: Scores of the chain.

    Returns:
        ``[batch]``.
    """
    chosen = emissions.gather(2, tags.unsqueeze(2)).squeeze(2)  # [batch, tokens]
    moves = chain.transitions[tags[:, 1:], tags[:, :-1]]  # [batch, tokens - 1]
    last = tags.gather(1, mask.sum(1, keepdim=True) - 1).squeeze(1)  # [batch]
    return (
        chosen.masked_fill(~mask, 0.0).sum(1)
        + moves.masked_fill(~mask[:, 1:], 0.0).sum(1)
        + chain.initial[tags[:, 0]]
        + chain.final[last]
    )


def viterbi(emissions: Tensor, mask: Tensor, chain: ChainScores) -> tuple[Tensor, Tensor]:
    """The best path of each sentence and its score (Viterbi, 1967).

    Args:
        emissions: ``[batch, tokens, tags]``.
        mask: ``[batch, tokens]`` bool, True for real tokens.
        chain: Scores of the chain.

    Returns:
        Tags ``[batch, tokens]`` long, 0 on padding, and scores ``[batch]``.
    """
    steps = emissions.unbind(1)
    best = chain.initial + steps[0]  # [batch, tags]
    stay = torch.arange(emissions.size(2), device=emissions.device).expand_as(best)
    pointers = []
    for step, real in zip(steps[1:], mask.unbind(1)[1:], strict=True):
        reached, pointer = (best.unsqueeze(1) + chain.transitions).max(dim=2)
        best = torch.where(real.unsqueeze(1), reached + step, best)
        # On padding each tag points to itself, so that the way back starts at the last token.
        pointers.append(torch.where(real.unsqueeze(1), pointer, stay))
    score, tag = (best + chain.final).max(dim=1)
    tags = [tag]
    for pointer in reversed(pointers):
        tag = pointer.gather(1, tag.unsqueeze(1)).squeeze(1)
        tags.append(tag)
    return torch.stack(tags[::-1], dim=1).masked_fill(~mask, 0), score


class ChainPosterior:
    """Probabilities of tags and of segments given the sentence, by the forward-backward algorithm.

    Attributes:
        log_partition: ``[batch]``.
    """

    def __init__(self, emissions: Tensor, mask: Tensor, chain: ChainScores) -> None:
        """Runs both passes.

        Args:
            emissions: ``[batch, tokens, tags]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.
            chain: Scores of the chain.
        """
        self._emissions = emissions
        self._lengths = mask.sum(1)  # [batch]
        self._mask = mask
        self._chain = chain
        forward = _forward(emissions, mask, chain)
        self._forward = torch.stack(forward, dim=1)  # [batch, tokens, tags]
        self._backward = torch.stack(_backward(emissions, mask, chain), dim=1)
        self.log_partition = torch.logsumexp(forward[-1] + chain.final, dim=-1)

    def marginals(self) -> Tensor:
        """Probability of each tag at each token.

        Returns:
            ``[batch, tokens, tags]``; sums to 1 over the tags of a real token, 0 on padding.
        """
        log_marginals = self._forward + self._backward - self.log_partition.view(-1, 1, 1)
        return _probability(log_marginals).masked_fill(~self._mask.unsqueeze(-1), 0.0)

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
        emitted = self._emissions[sentences.unsqueeze(1), places, tags]
        moves = self._chain.transitions[tags[:, 1:], tags[:, :-1]]
        log_probability = (
            self._forward[sentences, starts, tags[:, 0]]
            + emitted[:, 1:].masked_fill(~inside[:, 1:], 0.0).sum(1)
            + moves.masked_fill(~inside[:, 1:], 0.0).sum(1)
            - self.log_partition[sentences]
        )
        ends = starts + lengths - 1
        last = tags.gather(1, (lengths - 1).unsqueeze(1)).squeeze(1)
        if next_tags is None:
            return _probability(log_probability + self._backward[sentences, ends, last])
        return _probability(log_probability + self._leave(sentences, ends, last, next_tags))

    def _leave(self, sentences: Tensor, ends: Tensor, last: Tensor, next_tags: Tensor) -> Tensor:
        """Log of the summed ways to go on from tag ``last`` at ``ends`` into ``next_tags``."""
        at_end = ends == self._lengths[sentences] - 1
        following = (ends + 1).clamp(max=self._emissions.size(1) - 1)
        onward = (
            self._chain.transitions.t()[last]
            + self._emissions[sentences, following]
            + self._backward[sentences, following]
        ).masked_fill(~next_tags, float("-inf"))  # [segments, tags]
        return torch.where(at_end, self._chain.final[last], torch.logsumexp(onward, dim=-1))


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
        """The chain scores that the functions of this module take."""
        return ChainScores(
            self.transitions, self.transitions[:, self.start], self.transitions[self.stop]
        )

    def forward(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Negative log-likelihood of the given tags: -log p(y | H) of Eq. 2.

        Args:
            emissions: ``[batch, tokens, tags]``.
            tags: ``[batch, tokens]`` long; any valid index on padding.
            mask: ``[batch, tokens]`` bool, True for real tokens.

        Returns:
            ``[batch]``.
        """
        chain = self.chain()
        score = path_score(emissions, tags, mask, chain)
        return log_partition(emissions, mask, chain) - score

    def viterbi(self, emissions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The best path of each sentence and its score; see :func:`viterbi`."""
        return viterbi(emissions, mask, self.chain())

    def marginals(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Probability of each tag at each token; see :meth:`ChainPosterior.marginals`."""
        return ChainPosterior(emissions, mask, self.chain()).marginals()


def _probability(log_probability: Tensor) -> Tensor:
    """Never above 1: in float32 the log of a certain event is a little off 0, to either side."""
    return log_probability.clamp(max=0.0).exp()


def _forward(emissions: Tensor, mask: Tensor, chain: ChainScores) -> list[Tensor]:
    """Log of the summed prefixes that end in each tag, per token: T tensors ``[batch, tags]``.

    On padding the value of the last real token is kept.
    """
    # unbind, because slicing at each step would make autograd write a whole gradient per step.
    steps = emissions.unbind(1)
    alphas = [chain.initial + steps[0]]
    for step, real in zip(steps[1:], mask.unbind(1)[1:], strict=True):
        reached = torch.logsumexp(alphas[-1].unsqueeze(1) + chain.transitions, dim=2) + step
        alphas.append(torch.where(real.unsqueeze(1), reached, alphas[-1]))
    return alphas


def _backward(emissions: Tensor, mask: Tensor, chain: ChainScores) -> list[Tensor]:
    """Log of the summed suffixes that follow each tag, per token: T tensors ``[batch, tags]``."""
    steps = emissions.unbind(1)
    betas = [chain.final.expand_as(steps[0])]
    for step, real in zip(steps[:0:-1], mask.unbind(1)[:0:-1], strict=True):
        following = (step + betas[-1]).unsqueeze(2)  # [batch, to, 1]
        reached = torch.logsumexp(following + chain.transitions, dim=1)
        betas.append(torch.where(real.unsqueeze(1), reached, chain.final))
    return betas[::-1]
