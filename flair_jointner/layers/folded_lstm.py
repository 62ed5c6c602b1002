"""A trained LSTM for tagging only: as few operations per step as torch allows.

The input half of the gates, W_ih x + b, does not depend on what came before: it is computed for all
tokens at once, or looked up per word, and a linear layer below the LSTM is folded into it. What is
left of a step is one matrix product and eight cheap operations, over the sentences that reach the
step, sorted by length, in memory that serves all steps.

Written as 2σ(2x) - 1 the hyperbolic tangent costs a tenth of torch's own; the factor 2 of the gate
goes into the weights, that of the cell into what is kept of it.
"""

import torch
from torch import Tensor, nn

from flair_jointner.layers.matmul import Factor
from flair_jointner.layers.packing import Packing


class FoldedLstm:
    """One LSTM layer, in one or two directions, over packed sentences; no gradient.

    Attributes:
        directions: Number of directions.
        gate_size: Numbers per word and direction: 4 · hidden.
        dtype: Type that it computes in.
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
        self._hidden = rnn.hidden_size
        directions = ["l0", "l0_reverse"] if rnn.bidirectional else ["l0"]
        self.directions = len(directions)
        self.gate_size = 4 * rnn.hidden_size
        self.dtype: torch.dtype = dtype or next(rnn.parameters()).dtype
        self._inputs: list[Factor] = []
        self._biases: list[Tensor] = []
        self._recurrent: list[Factor] = []
        with torch.no_grad():
            for name in directions:
                weight = _arrange(getattr(rnn, f"weight_ih_{name}"))
                bias = _arrange(getattr(rnn, f"bias_ih_{name}") + getattr(rnn, f"bias_hh_{name}"))
                if projection is not None:
                    bias = bias + weight @ projection.bias
                    weight = weight @ projection.weight
                recurrent = _arrange(getattr(rnn, f"weight_hh_{name}"))
                self._inputs.append(Factor(weight.to(self.dtype)))
                self._biases.append(bias.to(self.dtype))
                self._recurrent.append(Factor(recurrent.to(self.dtype)))

    def gates(self, embedded: Tensor) -> list[Tensor]:
        """The input half of the gates.

        Args:
            embedded: ``[words, embedding]``.

        Returns:
            That of each direction, ``[words, 4 · hidden]``.
        """
        embedded = embedded.to(self.dtype)
        pairs = zip(self._inputs, self._biases, strict=True)
        return [factor.multiply(embedded, bias) for factor, bias in pairs]

    def run(self, gates: list[Tensor], words: Tensor, packing: Packing) -> Tensor:
        """Runs the recurrence.

        Args:
            gates: What :meth:`gates` gave for some words, ``[words, 4 · hidden]`` per direction.
            words: The word of each token, an index into the gates, packed, ``[N]``.
            packing: The layout of the batch.

        Returns:
            The hidden states, ``[N, hidden · directions]``, packed.
        """
        hidden = self._hidden
        states = gates[0].new_empty(len(words), self.directions * hidden)
        for direction, recurrent in enumerate(self._recurrent):
            own = states[:, direction * hidden : (direction + 1) * hidden]
            steps = list(zip(packing.steps(words), packing.steps(own), strict=True))
            self._run_direction(gates[direction], recurrent, steps[:: -1 if direction else 1])
        return states

    def _run_direction(
        self, table: Tensor, recurrent: Factor, steps: list[tuple[Tensor, Tensor]]
    ) -> None:
        """Runs one direction.

        Args:
            table: The gates of each word, ``[words, 4 · hidden]``.
            recurrent: The recurrent weights.
            steps: The words of each step, ``[sentences]``, and where the hidden states go,
                ``[sentences, hidden]``; those of the backward direction from the last to the first,
                so that sentences join instead of ending.
        """
        batch = max(len(words) for words, _ in steps)
        gate_rows = table.new_empty(batch, self.gate_size)
        # A sentence that joins starts from zeros.
        state_rows, cell_rows = table.new_zeros(2, batch, self._hidden)
        for place, (words, found) in enumerate(steps):
            count = len(words)
            state, cell = state_rows[:count], cell_rows[:count]
            gates = torch.index_select(table, 0, words, out=gate_rows[:count])
            if place:
                gates = recurrent.multiply_onto(gates, state)
            enter, forget, leave, candidate = gates.sigmoid_().split(self._hidden, dim=1)
            # What is kept is -2 · cell: c ← f·c + i·(2σ(2g) - 1), and tanh(c) = 1 - 2σ(-2c).
            cell.mul_(forget).addcmul_(enter, candidate, value=-4).add_(enter, alpha=2)
            torch.addcmul(leave, leave, cell.sigmoid(), value=-2, out=state)
            found.copy_(state)


def _arrange(weight: Tensor) -> Tensor:
    """Torch's gates i, f, g, o in the order i, f, o, g, with 2g in the place of g."""
    enter, forget, candidate, leave = weight.chunk(4)
    return torch.cat([enter, forget, leave, 2 * candidate])
