"""A trained LSTM for tagging only: as few operations per step as torch allows.

The input half of the gates, W_ih x + b, does not depend on what came before: it is computed for all
tokens at once, or looked up per word, and a linear layer below the LSTM is folded into it. The
state after the first word of a sentence depends on that word alone and can be looked up, too. What
is left of a later step is one matrix product and eight cheap operations, over the sentences that
reach it, in memory that serves all steps; they are sorted by length.

Written as 2σ(2x) - 1 the hyperbolic tangent costs a tenth of torch's own; the factor 2 of the gate
goes into the weights, that of the cell into what is kept of it.
"""

import torch
from torch import Tensor, nn

from flair_jointner.layers.matmul import PrepackedMatrix


class FoldedDirection:
    """One direction of an LSTM layer; no gradient.

    Attributes:
        hidden: Size of its hidden state.
        dtype: Type that it computes in.
    """

    def __init__(
        self, rnn: nn.LSTM, suffix: str, projection: nn.Linear | None, dtype: torch.dtype | None
    ) -> None:
        """Folds the weights as they are now.

        Args:
            rnn: The LSTM.
            suffix: How torch's names of the direction's weights end.
            projection: A linear layer between the embeddings and the LSTM.
            dtype: Type to compute in; that of the weights when None.
        """
        self.hidden = rnn.hidden_size
        with torch.no_grad():
            weight = _arrange(getattr(rnn, f"weight_ih_{suffix}"))
            bias = _arrange(getattr(rnn, f"bias_ih_{suffix}") + getattr(rnn, f"bias_hh_{suffix}"))
            if projection is not None:
                bias = bias + weight @ projection.bias
                weight = weight @ projection.weight
            recurrent = _arrange(getattr(rnn, f"weight_hh_{suffix}"))
            self.dtype: torch.dtype = dtype or weight.dtype
            self._input = PrepackedMatrix(weight.to(self.dtype))
            self._bias = bias.to(self.dtype)
            self._recurrent = PrepackedMatrix(recurrent.to(self.dtype))

    def gates(self, embedded: Tensor) -> Tensor:
        """The input half of the gates.

        Args:
            embedded: ``[words, embedding]``.

        Returns:
            ``[words, 4 · hidden]``.
        """
        return self._input.multiply(embedded.to(self.dtype), self._bias)

    def begin(self, gates: Tensor) -> Tensor:
        """What a first word leaves behind, whatever follows it.

        Args:
            gates: What :meth:`gates` gave for some words, ``[words, 4 · hidden]``.

        Returns:
            The recurrent half of the next word's gates, the hidden state, and what is kept of the
            cell, ``[words, 6 · hidden]``.
        """
        state, cell = gates.new_zeros(2, len(gates), self.hidden)
        self._advance(gates.clone(), state, cell)
        coming = self._recurrent.multiply_onto(torch.zeros_like(gates), state)
        return torch.cat([coming, state, cell], dim=1)

    def run(self, gates: Tensor, begun: Tensor, steps: list[tuple[Tensor, Tensor]]) -> None:
        """Runs the recurrence.

        Args:
            gates: What :meth:`gates` gave for some words, ``[words, 4 · hidden]``.
            begun: What :meth:`begin` gave for the first word of each sentence,
                ``[batch, 6 · hidden]``.
            steps: The words of each step, indices into the gates, ``[sentences]``, and where the
                hidden states go, ``[sentences, hidden]``. The first sentences of the batch take
                part in a step: ever fewer, or ever more if those that are shorter join later.
        """
        sizes = [4 * self.hidden, self.hidden, self.hidden]
        coming, states, cells = (part.contiguous() for part in begun.split(sizes, dim=1))
        buffer = torch.empty_like(coming)
        second = met = 0  # sentences that were met before the last step, and before this one
        for words, found in steps:
            going, known = min(second, len(words)), min(met, len(words))
            if known:
                sums = torch.index_select(gates, 0, words[:known], out=buffer[:known])
                sums[going:].add_(coming[going:known])
                if going:
                    summed = self._recurrent.multiply_onto(sums[:going], states[:going])
                    sums = torch.cat([summed, sums[going:]]) if going < known else summed
                self._advance(sums, states[:known], cells[:known])
            found.copy_(states[: len(words)])
            second, met = met, max(met, len(words))

    def _advance(self, gates: Tensor, state: Tensor, cell: Tensor) -> None:
        """One step, from the gates, which it destroys, and the cell before it."""
        input_gate, forget_gate, output_gate, candidate = gates.sigmoid_().split(self.hidden, dim=1)
        # What is kept is -2 · cell: c ← f·c + i·(2σ(2g) - 1), and tanh(c) = 1 - 2σ(-2c).
        cell.mul_(forget_gate).addcmul_(input_gate, candidate, value=-4).add_(input_gate, alpha=2)
        torch.addcmul(output_gate, output_gate, cell.sigmoid(), value=-2, out=state)


class FoldedLstm:
    """One LSTM layer, in one or two directions; no gradient.

    Attributes:
        directions: Forward, and backward if there is one.
    """

    def __init__(
        self, rnn: nn.LSTM, projection: nn.Linear | None = None, dtype: torch.dtype | None = None
    ) -> None:
        """Folds the weights as they are now.

        Args:
            rnn: The LSTM, with one layer.
            projection: A linear layer between the embeddings and the LSTM.
            dtype: Type to compute in; that of the weights when None.
        """
        suffixes = ["l0", "l0_reverse"] if rnn.bidirectional else ["l0"]
        self.directions = [FoldedDirection(rnn, suffix, projection, dtype) for suffix in suffixes]

    def run(
        self, gates: list[Tensor], words: Tensor, begun: list[Tensor], lengths: Tensor
    ) -> Tensor:
        """Runs the recurrence.

        Args:
            gates: The input half of the gates of some words, ``[words, 4 · hidden]`` per direction.
            words: The word of each token, an index into the gates, ``[batch, tokens]``; any on
                padding.
            begun: What the first, and for the second direction the last, word of each sentence
                leaves behind, ``[batch, 6 · hidden]`` per direction.
            lengths: Number of tokens of each sentence, on the CPU, ``[batch]``: the longest
                sentence first.

        Returns:
            The hidden states, ``[batch, tokens, hidden · directions]``, 0 on padding.

        Raises:
            ValueError: If a longer sentence follows a shorter one.
        """
        if bool((lengths.diff() > 0).any()):
            raise ValueError(f"The longest sentence has to come first: lengths {lengths.tolist()}.")
        hidden = self.directions[0].hidden
        states = gates[0].new_empty(*words.shape, len(self.directions) * hidden)
        reach = (lengths > torch.arange(words.size(1)).unsqueeze(1)).sum(1).tolist()
        for place, count in enumerate(reach):
            states[count:, place] = 0
        by_place = words.t().contiguous()
        for index, direction in enumerate(self.directions):
            own = states[:, :, index * hidden : (index + 1) * hidden]
            steps = [
                (by_place[place, :count], own[:count, place]) for place, count in enumerate(reach)
            ]
            direction.run(gates[index], begun[index], steps[:: -1 if index else 1])
        return states


def _arrange(weight: Tensor) -> Tensor:
    """Torch's gates i, f, g, o in the order i, f, o, g, with 2g in the place of g."""
    input_gate, forget_gate, candidate, output_gate = weight.chunk(4)
    return torch.cat([input_gate, forget_gate, output_gate, 2 * candidate])
