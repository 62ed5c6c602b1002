"""The attention mechanisms of Kruengkrai et al. (2020), section 2.2.

Each maps the hidden states H of a batch to a context of the same shape. The caller applies locked
dropout to the context and adds it to H (the residual connection of Eqs. 4 and 5).
"""

import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from flair_jointner.layers.dropout import Dropout
from flair_jointner.layers.masking import masked_softmax
from flair_jointner.layers.matmul import linear

AttentionScaling = Literal["scaled", "unscaled", "learned"]


class SoftAttention(nn.Module):
    """One weight per token, from its own hidden state alone (Eq. 4; Shen and Lee, 2016).

    Attributes:
        projection: W₃ and b₃ of Eq. 4.
        score: w₂ and b₂ of Eq. 4.
    """

    def __init__(self, hidden_size: int) -> None:
        """Makes the layer.

        Args:
            hidden_size: d_h, the size of a hidden state.
        """
        super().__init__()
        self.projection = nn.Linear(hidden_size, hidden_size)
        self.score = nn.Linear(hidden_size, 1)

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Weighs the tokens of each sentence.

        Args:
            states: H, ``[batch, tokens, hidden]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.

        Returns:
            The context H ⊗ a, ``[batch, tokens, hidden]``, and the weights a, ``[batch, tokens]``,
            which sum to 1 over the real tokens of a sentence and are 0 on padding.
        """
        hidden = torch.tanh(linear(states, self.projection))  # [batch, tokens, hidden]
        scores = self.score(hidden).squeeze(-1)  # [batch, tokens]
        # a = σ(s) / Σ σ(s) is the softmax of log σ(s), which cannot divide 0 by 0.
        weights = masked_softmax(nn.functional.logsigmoid(scores), mask)
        return states * weights.unsqueeze(-1), weights


class MultiHeadSelfAttention(nn.Module):
    """Dot-product self-attention with a fixed or a learned softmax temperature (Eqs. 5-7).

    The temperature α that divides the dot products is √(d_h/n) for ``"scaled"`` (Vaswani et al.,
    2017), 1 for ``"unscaled"`` (Yan et al., 2019) and, for ``"learned"``, a value of each query
    token's own, δ = min(ReLU(w₄ h + b₄), √(d_h/n)) + 1 (Eq. 7): the t-th element of δ divides the
    t-th row of QKᵀ, in every head.

    The paper writes its projections without bias; "The Annotated Transformer", whose
    implementation it adapts, has a bias in each of the four, and so have these.

    Attributes:
        query: W^Q of all heads, side by side.
        key: W^K of all heads.
        value: W^V of all heads.
        output: W^O.
        temperature: w₄ and b₄; only for ``"learned"``.
    """

    def __init__(
        self,
        hidden_size: int,
        num_heads: int = 8,
        scaling: AttentionScaling = "learned",
        dropout: float = 0.1,
    ) -> None:
        """Makes the layer.

        Args:
            hidden_size: d_h, the size of a hidden state.
            num_heads: n, the number of parallel heads.
            scaling: ``"scaled"``, ``"unscaled"`` or ``"learned"``.
            dropout: Probability with which an attention weight is dropped in training.

        Raises:
            ValueError: If the heads do not divide the hidden size, or the scaling is unknown.
        """
        super().__init__()
        if num_heads < 1 or hidden_size % num_heads:
            raise ValueError(
                f"{num_heads} attention heads do not divide a hidden size of {hidden_size} "
                "(of all directions together): "
                f"choose a divisor, for example {math.gcd(hidden_size, 8)}."
            )
        if scaling not in get_args(AttentionScaling):
            raise ValueError(
                f"Unknown attention scaling {scaling!r}: "
                f"choose one of {', '.join(get_args(AttentionScaling))}."
            )
        self.num_heads = num_heads
        self.scaling = scaling
        self.query = nn.Linear(hidden_size, hidden_size)
        self.key = nn.Linear(hidden_size, hidden_size)
        self.value = nn.Linear(hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, hidden_size)
        self.temperature = nn.Linear(hidden_size, 1) if scaling == "learned" else None
        self.dropout = Dropout(dropout)

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Lets each token of a sentence attend to all tokens of the same sentence.

        Args:
            states: H, ``[batch, tokens, hidden]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.

        Returns:
            The context concat(head₁, …, headₙ)W^O, ``[batch, tokens, hidden]``, and the weights
            before dropout, ``[batch, heads, tokens, tokens]`` (query token, key token). Both are 0
            on padding.
        """
        batch, tokens, hidden = states.shape
        temperatures = self.temperatures(states).view(batch, 1, tokens, 1)
        # Dividing a row of QKᵀ by δ is dividing its query by δ.
        query = self._split_heads(linear(states, self.query)) / temperatures
        key = self._split_heads(linear(states, self.key))
        value = self._split_heads(linear(states, self.value))
        scores = query @ key.transpose(-1, -2)  # [batch, heads, tokens, tokens]
        key_mask = mask.view(batch, 1, 1, tokens)
        weights = masked_softmax(scores, key_mask)
        weights = weights * mask.view(batch, 1, tokens, 1)
        heads = self.dropout(weights) @ value  # [batch, heads, tokens, hidden / heads]
        context = linear(heads.transpose(1, 2).reshape(batch, tokens, hidden), self.output)
        return context * mask.unsqueeze(-1), weights

    def temperatures(self, states: Tensor) -> Tensor:
        """The softmax temperature of each query token: δ of Eq. 7, or the constant α of Eq. 6.

        Args:
            states: H, ``[batch, tokens, hidden]``.

        Returns:
            ``[batch, tokens]``; within [1, 1 + √(d_h/n)] when learned.
        """
        if self.temperature is not None:
            # Clamping to [0, √(d_h/n)] is min(ReLU(·), √(d_h/n)).
            return self.temperature(states).squeeze(-1).clamp(0.0, self.scale) + 1.0
        return states.new_full(states.shape[:2], self.scale if self.scaling == "scaled" else 1.0)

    @property
    def scale(self) -> float:
        """√(d_h/n): α of ``"scaled"``, and 1 less than the most that a learned δ can be."""
        return math.sqrt(self.query.in_features / self.num_heads)

    def _split_heads(self, projected: Tensor) -> Tensor:
        """``[batch, tokens, hidden]`` → ``[batch, heads, tokens, hidden / heads]``."""
        batch, tokens, hidden = projected.shape
        return projected.view(batch, tokens, self.num_heads, hidden // self.num_heads).transpose(
            1, 2
        )
