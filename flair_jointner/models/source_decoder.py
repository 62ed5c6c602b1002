"""The decoder of a source that has other entity types than the target."""

from flair.data import Dictionary
from torch import Tensor, nn

from flair_jointner.layers import LinearChainCRF
from flair_jointner.layers.matmul import linear
from flair_jointner.models.tagset import TagSet


class SourceDecoder(nn.Module):
    """A linear layer and a CRF of its own, beside those of the target.

    Attributes:
        dictionary: The source's tags.
        tagset: The same, as decoding needs them.
        linear: Makes scores of the tags from hidden states.
        crf: None where there is none.
    """

    def __init__(
        self, dictionary: Dictionary, tagset: TagSet, hidden_size: int, use_crf: bool
    ) -> None:
        """Makes a decoder with random weights.

        Args:
            dictionary: The source's tags; with a CRF ``<START>`` and ``<STOP>`` are among them.
            tagset: The same.
            hidden_size: Size of the hidden states that it reads.
            use_crf: Whether it has a CRF.
        """
        super().__init__()
        self.dictionary = dictionary
        self.tagset = tagset
        self.linear = nn.Linear(hidden_size, len(tagset))
        self.crf: LinearChainCRF | None = None
        if use_crf:
            start, stop = map(dictionary.get_idx_for_item, ("<START>", "<STOP>"))
            self.crf = LinearChainCRF(len(tagset), start, stop)

    def forward(self, states: Tensor) -> Tensor:
        """Scores of the source's tags.

        Args:
            states: H, ``[batch, tokens, hidden]``.

        Returns:
            ``[batch, tokens, source tags]``.
        """
        return linear(states, self.linear)
