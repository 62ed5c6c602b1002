"""A trained LSTM for tagging only: as few operations per step as torch allows.

The input half of the gates, W_ih x + b, does not depend on what came before: it is computed for all
tokens at once, or looked up per word, and a linear layer below the LSTM is folded into it. What is
left of a step is one matrix product and seven cheap operations, over the sentences that reach the
step, sorted by length.

Written as 2σ(2x) - 1 the hyperbolic tangent costs a tenth of torch's own; the factors 2 go into
the weights, and the sign of the state into the product that follows.
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
                # The state is kept with the opposite sign.
                recurrent = -_arrange(getattr(rnn, f"weight_hh_{name}"))
                self._inputs.append(Factor(weight.to(self.dtype)))
                self._biases.append(bias.to(self.dtype))
                self._recurrent.append(Factor(recurrent.to(self.dtype)))

    def gates(self, embedded: Tensor) -> Tensor:
        """The input half of the gates.

        Args:
            embedded: ``[words, embedding]``.

        Returns:
            ``[directions, words, 4 · hidden]``.
        """
        embedded = embedded.to(self.dtype)
        pairs = zip(self._inputs, self._biases, strict=True)
        return torch.stack([factor.multiply(embedded, bias) for factor, bias in pairs])

    def run(self, gates: Tensor, words: Tensor, packing: Packing) -> Tensor:
        """Runs the recurrence.

        Args:
            gates: What :meth:`gates` gave for some words, ``[directions, words, 4 · hidden]``.
            words: The word of each token, an index into the gates, packed, ``[N]``.
            packing: The layout of the batch.

        Returns:
            The hidden states, ``[N, hidden · directions]``, packed.
        """
        forward = self._run_direction(gates[0], words, self._recurrent[0], packing)
        if len(self._recurrent) == 1:
            return forward.neg_()
        turned = words[packing.turned]
        backward = self._run_direction(gates[1], turned, self._recurrent[1], packing)
        return torch.cat([forward, backward.index_select(0, packing.turned)], dim=1).neg_()

    def _run_direction(
        self, table: Tensor, words: Tensor, recurrent: Factor, packing: Packing
    ) -> Tensor:
        """The negative hidden states of one direction, ``[N, hidden]``."""
        outputs: list[Tensor] = []
        state: Tensor | None = None
        cell: Tensor | None = None
        for step in packing.steps(words):
            gates = table.index_select(0, step)
            if state is None or cell is None:
                cell = torch.zeros_like(gates[:, : self._hidden])
            else:
                state, cell = state[: len(gates)], cell[: len(gates)]
                gates = recurrent.multiply_onto(gates, state)
            enter, forget, leave, candidate = gates.sigmoid_().split(self._hidden, dim=1)
            # Twice the cell: c ← f·c + i·(2σ(2g) - 1), and the doubled c is what σ needs below.
            cell = (cell * forget).addcmul_(enter, candidate, value=4).sub_(enter, alpha=2)
            state = torch.addcmul(leave, leave, cell.sigmoid(), value=-2)  # -o·(2σ(2c) - 1)
            outputs.append(state)
        return torch.cat(outputs)


def _arrange(weight: Tensor) -> Tensor:
    """Torch's gates i, f, g, o in the order i, f, o, g, with 2g in the place of g."""
    enter, forget, candidate, leave = weight.chunk(4)
    return torch.cat([enter, forget, leave, 2 * candidate])
