"""What a tagger on the road of :mod:`~flair_jointner.models.network` learns from: its loss."""

import logging
import weakref
from collections.abc import Sequence
from functools import cached_property

import flair
import torch
from flair.data import Sentence
from torch import Tensor

from flair_jointner.data.annotation import is_annotated
from flair_jointner.layers import LinearChainCRF
from flair_jointner.layers.adversary import straight_gradients
from flair_jointner.layers.perturbation import Perturber
from flair_jointner.models.batching import pad_indices
from flair_jointner.models.fast_paths import SentenceMemory
from flair_jointner.models.losses import Loss
from flair_jointner.models.network import TaggerNetwork, TaggerOutput
from flair_jointner.models.tagset import TagSet

log = logging.getLogger("flair_jointner")


class TrainableTagger(TaggerNetwork):
    """A tagger's network, its gold tags and its training loss.

    Sentences that are marked as not annotated add no loss, and losses are means over sentences,
    where Flair's are sums.

    With ``perturbation`` the loss in training is that of the sentences plus that of the same
    sentences perturbed (adversarial training; Eqs. 3 and 4 of Zhou et al., 2019): each sentence's
    embeddings are moved by ε g / ‖g‖₂, g being the gradient of the whole loss, without the reversal
    of a resource discriminator. Each embedding layer has a perturbation of norm ε of its own: each
    member of a stack, and in the place of the vectors of ``CharacterCNNEmbeddings`` the character
    embeddings below them. All of these are normalised
    (:class:`~flair_jointner.layers.perturbation.RunningNormalisation`), in tagging as well. The
    paper says nothing of dropout here: each of the two passes draws its own, above the embeddings.
    Its ε is one of each embedding layer (Table 6); here one number serves all.

    Flair's trainer adds up the gradients of chunks (``mini_batch_chunk_size``) and of processes
    (``multi_gpu``), which makes a mean larger the more there are:
    :func:`~flair_jointner.training.train` divides them again
    (:class:`~flair_jointner.training.MeanGradientPlugin`, for those who call the trainer
    themselves). The ``samples/sec`` of its log are batches a second, because the count that goes
    with the loss is 1. In a ``MultitaskModel`` beside models whose losses are sums, a
    ``loss_factors`` of the batch size gives this one the same weight.
    """

    def forward_loss(self, sentences: list[Sentence]) -> tuple[Tensor, int]:
        """The training loss of a batch, a weighted sum of means over sentences.

        Args:
            sentences: A batch; empty sentences are left out.

        Returns:
            The loss and 1: since it is a mean already, the trainer has to average it over batches.

        Raises:
            ValueError: If a sentence holds a label that the model's dictionary lacks.
        """
        sentences = [sentence for sentence in sentences if len(sentence)]
        if not sentences:
            return self._no_loss(), 1
        if self.perturbation is None or not self.training:
            return self._loss(sentences), 1
        perturber = Perturber(self.perturbation)
        clean = self._loss(sentences, perturber)
        with straight_gradients(self) as reversals:
            # Where gradients are reversed, those for the update need a backward pass of their own;
            # and in 16 bits the trainer scales the loss of its own, so that they do not underflow.
            apart = reversals or _autocast_type(self.linear.weight) == torch.float16
            trained = [weight for weight in self.parameters() if weight.requires_grad]
            clean = perturber.aim(clean, [] if apart else trained)
        return clean + self._loss(sentences, perturber), 1

    def _loss(self, sentences: list[Sentence], perturber: Perturber | None = None) -> Tensor:
        """The weighted sum of the mean losses of one pass."""
        output = self.forward(*self.embed(sentences, perturber))
        total = self._no_loss()
        for loss in self.losses(sentences, output):
            total = total + loss.weight * loss.values.mean()
        return total

    @staticmethod
    def _no_loss() -> Tensor:
        return torch.zeros(1, device=flair.device, requires_grad=True).sum()

    def losses(self, sentences: list[Sentence], output: TaggerOutput) -> list[Loss]:
        """The losses of a batch; a subclass may add to them.

        Args:
            sentences: The batch.
            output: What the network makes of it.

        Returns:
            The negative log-likelihood of the tags of each annotated sentence (Eq. 2); no loss
            is listed that has no sentence.

        Raises:
            ValueError: In training, if a sentence holds a label that the dictionary lacks.
        """
        targets, annotated = self.gold_tags(sentences)
        if not annotated:
            return []
        emissions, mask = output.emissions, output.mask
        if len(annotated) < len(sentences):
            emissions, mask = (x[annotated, : targets.size(1)] for x in (emissions, mask))
        values = self._tag_loss(self._own_crf, emissions, targets, mask)
        return [Loss(self.tag_type, 1.0, values)]

    def gold_tags(self, sentences: Sequence[Sentence]) -> tuple[Tensor, list[int]]:
        """The gold tags of the sentences that have them.

        Args:
            sentences: A batch.

        Returns:
            Their tags, ``[annotated, longest]``, 0 on padding, and their indices in the batch.

        Raises:
            ValueError: In training, if a sentence holds a label that the dictionary lacks.
        """
        gold = [self._gold_tags(sentence) for sentence in sentences]
        rows = [tags for tags in gold if tags is not None]
        annotated = [index for index, tags in enumerate(gold) if tags is not None]
        return pad_indices(rows), annotated

    def _tag_loss(
        self, crf: LinearChainCRF | None, emissions: Tensor, tags: Tensor, mask: Tensor
    ) -> Tensor:
        """The negative log-likelihood of the tags of each sentence, ``[batch]``."""
        if crf is not None:
            return crf(emissions, tags, mask, self.fast_paths.scaled_crf)
        token_losses = torch.nn.functional.cross_entropy(
            emissions.transpose(1, 2), tags, weight=self.loss_weights, reduction="none"
        )
        return token_losses.masked_fill(~mask, 0.0).sum(1)

    @property
    def _own_crf(self) -> LinearChainCRF | None:
        return self.crf if self.use_crf else None  # type: ignore[return-value]

    def _gold_tags(self, sentence: Sentence) -> list[int] | None:
        """Indices of a sentence's gold tags; None where it has none that the model knows."""
        if not is_annotated(sentence, self.tag_type):
            return None
        if not (self.fast_paths.memory and self.predict_spans):
            return self._make_gold_tags(sentence)
        # Weak, because a label holds its sentence, which could never be forgotten then.
        found = sentence.annotation_layers.get(self.tag_type, [])
        labels = tuple((weakref.ref(label), label.value) for label in found)
        made_from = (len(sentence), id(self.tagset_of(sentence)), labels)
        tags = self._known_tags.get(sentence, made_from, self._make_gold_tags)
        if tags is None:  # to warn, or in training to stop
            self._make_gold_tags(sentence)
        return tags

    def _make_gold_tags(self, sentence: Sentence) -> list[int] | None:
        names = self._get_gold_labels([sentence])
        tagset = self.tagset_of(sentence)
        indices = tagset.indices(names)
        if indices is None:
            self._unknown_label(self.tag_type, sorted(set(names) - set(tagset.tags)), sentence)
        return indices

    @cached_property
    def _known_tags(self) -> SentenceMemory[list[int] | None]:
        """Gold tags, made once per sentence."""
        return SentenceMemory()

    def _unknown_label(self, label_type: str, values: Sequence[str], sentence: Sentence) -> None:
        """Stops training on a label that the model cannot predict; evaluation goes on without."""
        message = (
            f"The model's dictionary for '{label_type}' lacks {', '.join(values)}, found in: "
            f"{sentence.text!r}."
        )
        if self.training:
            raise ValueError(
                f"{message} Make the dictionary from all training data with "
                f"corpus.make_label_dictionary(label_type={label_type!r})."
            )
        if not self._warned_of.issuperset(values):
            log.warning("%s Such sentences are left out of the evaluation loss.", message)
            self._warned_of.update(values)

    @cached_property
    def _warned_of(self) -> set[str]:
        """Labels of which a warning was given."""
        return set()

    def tagset_of(self, sentence: Sentence) -> TagSet:
        """The tags that a sentence may have; one set for all sentences, unless a system has more.

        Args:
            sentence: The sentence.

        Returns:
            The tags.
        """
        return self.tagset


def _autocast_type(weight: Tensor) -> torch.dtype | None:
    """What automatic mixed precision computes in where a weight is; None where it is off."""
    kind = weight.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None
