"""What a tagger does in a faster way than Flair, and what it remembers to do so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from flair.data import Sentence

Value = TypeVar("Value")


@dataclass
class FastPaths:
    """Switches of a tagger's fast paths; none of them changes results beyond rounding.

    Attributes:
        word_table: Static word vectors, and vectors from characters, are looked up once per batch,
            not token by token.
        memory: Word indices and gold tags are made once per sentence, and anew when its labels
            change. A token's text is taken to stay as it is: make a new sentence of another.
        fast_lstm: On the CPU the LSTM runs over padded batches, a direction at a time, or where
            much is padding in steps of our own.
        scaled_crf: The CRF multiplies rescaled probabilities where that is exact, instead of
            adding logarithms everywhere.
        folded_lstm: In tagging, vectors that depend on the word alone, projection and the input
            half of the LSTM's gates are one look-up per word.
    """

    word_table: bool = True
    memory: bool = True
    fast_lstm: bool = True
    scaled_crf: bool = True
    folded_lstm: bool = True


class SentenceMemory(Generic[Value]):
    """Values that are made once per sentence and forgotten with it."""

    def __init__(self) -> None:
        """Starts empty."""
        self._values: WeakKeyDictionary[Sentence, tuple[Any, Value]] = WeakKeyDictionary()

    def get(self, sentence: Sentence, made_from: Any, make: Callable[[Sentence], Value]) -> Value:
        """The value of a sentence.

        Args:
            sentence: The sentence.
            made_from: What the value depends on; the value is made anew when this compares as
                different.
            make: Makes the value.

        Returns:
            The value, maybe an older one.
        """
        found = self._values.get(sentence)
        if found is None or found[0] != made_from:
            found = (made_from, make(sentence))
            self._values[sentence] = found
        return found[1]

    def __reduce__(self) -> tuple[type, tuple[()]]:
        """Copies and pickles start empty: their sentences are others."""
        return (type(self), ())
