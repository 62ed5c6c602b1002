"""What a tagger looked at: the attention weights and temperatures behind one prediction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from flair.tokenization import Tokenizer
from torch import Tensor, nn

from flair_jointner.data.segtok import default_tokenizer
from flair_jointner.layers import MultiHeadSelfAttention
from flair_jointner.models import JointTagger
from flair_jointner.models.bulk import Text, Tokenized, tokenize
from flair_jointner.models.prediction import Prediction
from flair_jointner.models.tagging import TaggingRun

Numbers = np.ndarray[Any, np.dtype[np.float64]]


class ExplainedEntity(NamedTuple):
    """An entity of the sentence; of a tagger whose tags are no spans, a token with a tag.

    Attributes:
        start: Index of its first token.
        end: Index after its last token.
        type: Its entity type.
        text: Its text.
        score: Its probability, in [0, 1].
    """

    start: int
    end: int
    type: str
    text: str
    score: float


@dataclass(frozen=True)
class Explanation:
    """A sentence, what the tagger says about it, and what its attention did.

    Attributes:
        text: The text; tokens joined by spaces.
        tokens: Its tokens.
        tags: The predicted tag of each token, such as ``"B-PRODUCT"``.
        tag_scores: The probability of that tag at that token, ``[tokens]``.
        entities: The predicted entities from left to right.
        category: The predicted class of the sentence and its probability; None without a sentence
            head.
        attention: ``"soft"``, ``"scaled"``, ``"unscaled"`` or ``"learned"``.
        weights: What the tagger used. Self-attention: ``[heads, tokens, tokens]`` (query token, key
            token), each row of which sums to 1. Soft attention: ``[tokens]``, which sum to 1.
        temperatures: What divided the dot products of each query token, ``[tokens]``, the same in
            every head: δ of Eq. 7 of Kruengkrai et al. (2020) for ``"learned"``, the constant
            √(d_h/n) for ``"scaled"`` and 1 for ``"unscaled"``. None for soft attention.
        highest_temperature: The most that a learned temperature can be, 1 + √(d_h/n); the least is
            1. None unless the temperatures are learned.
        gate: What the attention output is multiplied by; None without a gate.
    """

    text: str
    tokens: list[str]
    tags: list[str]
    tag_scores: Numbers
    entities: list[ExplainedEntity]
    category: tuple[str, float] | None
    attention: str
    weights: Numbers
    temperatures: Numbers | None
    highest_temperature: float | None
    gate: float | None

    @property
    def heads(self) -> int:
        """The number of heads of self-attention; 0 for soft attention."""
        return len(self.weights) if self.weights.ndim == 3 else 0

    def attended(self, token: int, count: int = 3) -> list[tuple[int, float]]:
        """The tokens to which a token attends most.

        Args:
            token: Index of the query token. Soft attention knows no queries: it is the same for
                all of them.
            count: How many.

        Returns:
            Their indices and weights, a mean over the heads, the highest weight first.
        """
        weights = self.weights[:, token].mean(0) if self.heads else self.weights
        order = np.argsort(-weights, kind="stable")[:count]
        return [(int(place), float(weights[place])) for place in order]


def explain(tagger: JointTagger, text: Text, tokenizer: Tokenizer | None = None) -> Explanation:
    """Tags a text and keeps what the attention did on the way.

    Args:
        tagger: A tagger with attention. It stays as it is.
        text: A text, or its tokens.
        tokenizer: Cuts a text into tokens; ``SegtokTokenizer``, Flair's default, when None.

    Returns:
        The explanation.

    Raises:
        ValueError: If the tagger has no attention, or the text no token.
    """
    if tagger.attention is None:
        raise ValueError(
            "This tagger has no attention to explain. Train one that has: `jointner train "
            "--attention learned …`, or JointTagger(…, attention='learned') in Python; soft, "
            "scaled and unscaled are possible as well."
        )
    found = tokenize(text, tokenizer or default_tokenizer())
    if not found.tokens:
        raise ValueError(f"There is no token in {found.text!r}: give a text with a word in it.")
    with _watched(tagger.attention) as seen:
        run = TaggingRun(tagger, 1, with_probabilities=True)
        prediction = run.over_tokens([found.tokens])[0]
    assert prediction is not None and prediction.probabilities is not None  # there are tokens
    states, weights = seen
    tags = prediction.tags
    return Explanation(
        text=found.text,
        tokens=found.tokens,
        tags=[tagger.tagset.tags[tag] for tag in tags],
        tag_scores=_numbers(prediction.probabilities)[range(len(tags)), tags],
        entities=_entities(tagger, found, prediction),
        category=prediction.classes[0] if prediction.classes else None,
        attention=str(tagger.attention_options["attention"]),
        weights=_numbers(weights[0]),
        **_temperatures(tagger.attention, states),
        gate=None if tagger.gate is None else float(tagger.gate.detach()),
    )


@contextmanager
def _watched(attention: nn.Module) -> Iterator[list[Tensor]]:
    """Keeps the hidden states that go into the attention and the weights that come out."""
    seen: list[Tensor] = []

    def watch(module: nn.Module, given: tuple[Tensor, ...], made: tuple[Tensor, Tensor]) -> None:
        seen.extend((given[0], made[1]))

    handle = attention.register_forward_hook(watch)
    try:
        yield seen
    finally:
        handle.remove()


def _entities(
    tagger: JointTagger, found: Tokenized, prediction: Prediction
) -> list[ExplainedEntity]:
    return [
        ExplainedEntity(
            fact.start,
            fact.end,
            fact.type,
            found.text[found.starts[fact.start] : found.ends[fact.end - 1]],
            score,
        )
        for fact, score in prediction.scored_facts(0, tagger.tagset)
    ]


def _temperatures(attention: nn.Module, states: Tensor) -> dict[str, Any]:
    if not isinstance(attention, MultiHeadSelfAttention):
        return {"temperatures": None, "highest_temperature": None}
    learned = attention.scaling == "learned"
    return {
        "temperatures": _numbers(attention.temperatures(states)[0].detach()),
        "highest_temperature": 1.0 + attention.scale if learned else None,
    }


def _numbers(values: Tensor) -> Numbers:
    return values.double().cpu().numpy()
