"""The road that every tagger of this package takes: embed, encode, enrich, emit.

:class:`BaseTagger` is Flair's ``SequenceTagger`` with the same parameters and the same results. A
system from a paper is a subclass that changes one or two of the stations.
"""

import copy
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import flair
import torch
from flair.data import Dictionary, Sentence
from flair.embeddings import TokenEmbeddings
from flair.training_utils import EmbeddingStorageMode, Result, store_embeddings
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import Dataset
from tqdm import tqdm

from flair_jointner.data.annotation import is_annotated
from flair_jointner.layers import LinearChainCRF, length_mask
from flair_jointner.layers.crf import ChainScores
from flair_jointner.models.embedding import embed_batch, get_names, sentence_context, set_names
from flair_jointner.models.evaluation import entity_result, gold_facts, write_predictions
from flair_jointner.models.model_file import ModelFile
from flair_jointner.models.prediction import Prediction, decode_batch, write_labels
from flair_jointner.models.tagset import TagSet, encodes_spans

log = logging.getLogger("flair_jointner")


class TaggerOutput(NamedTuple):
    """What the network makes of a batch.

    Attributes:
        states: H', ``[batch, tokens, hidden]``.
        emissions: Scores of the tags, ``[batch, tokens, tags]``.
        mask: ``[batch, tokens]`` bool, True for real tokens.
    """

    states: Tensor
    emissions: Tensor
    mask: Tensor


class Loss(NamedTuple):
    """One of the losses that a tagger minimises.

    Attributes:
        name: What it is about.
        weight: Its weight in the sum of all.
        values: One value per sentence that has the annotation for it, ``[sentences]``.
    """

    name: str
    weight: float
    values: Tensor


class LossMean:
    """Weighted sum of the means of several losses over many batches."""

    def __init__(self) -> None:
        """Starts with no batch."""
        self._sums: dict[str, tuple[float, int]] = {}

    def add(self, losses: list[Loss]) -> None:
        """Takes in the losses of a batch."""
        for loss in losses:
            total, count = self._sums.get(loss.name, (0.0, 0))
            total += loss.weight * float(loss.values.sum())
            self._sums[loss.name] = (total, count + len(loss.values))

    def mean(self) -> float:
        """The weighted sum; 0 where no sentence had any annotation."""
        return sum(total / count for total, count in self._sums.values() if count)


class BaseTagger(ModelFile):
    """Flair's ``SequenceTagger`` on the road that this package's systems share.

    It differs from Flair's in this: sentences that are marked as not annotated add no loss and
    count in no score; losses are means over sentences, not sums; decoding yields valid sequences
    only; scores are probabilities of the CRF; a loss weight with a CRF, where Flair ignores it,
    is an error.

    With the trainer's ``mini_batch_chunk_size`` the gradient is the sum, not the mean, of the
    gradients of the chunks, since the trainer adds them up.
    """

    def __init__(
        self,
        embeddings: TokenEmbeddings,
        tag_dictionary: Dictionary,
        tag_type: str,
        *,
        constrain_decoding: bool = True,
        **sequence_tagger: Any,
    ) -> None:
        """Makes a tagger with random weights.

        Args:
            embeddings: Any token embeddings.
            tag_dictionary: Entity types, from ``corpus.make_label_dictionary``. It is not changed.
            tag_type: Label type of the entities.
            constrain_decoding: Whether only valid BIOES (BIO) sequences are predicted.
            **sequence_tagger: Further arguments of ``flair.models.SequenceTagger``.

        Raises:
            ValueError: If the arguments contradict each other.
        """
        self._check_arguments(tag_dictionary, sequence_tagger)
        super().__init__(embeddings, copy.deepcopy(tag_dictionary), tag_type, **sequence_tagger)
        self.constrain_decoding = constrain_decoding
        self.allow_unk_predictions = sequence_tagger.get("allow_unk_predictions", False)
        self.tagset = TagSet(self.label_dictionary.get_items(), self.predict_spans, self.tag_format)
        self._replace_crf()
        self._warned_of: set[str] = set()
        self.to(flair.device)

    @staticmethod
    def _check_arguments(dictionary: Dictionary, arguments: dict[str, Any]) -> None:
        if arguments.get("loss_weights") and arguments.get("use_crf", True):
            raise ValueError(
                "loss_weights have no effect on a CRF: pass use_crf=False, or leave them out."
            )
        if not [item for item in dictionary.get_items() if item not in ("<unk>", "O")]:
            raise ValueError(
                "The tag dictionary has no entity type. Make it with "
                "corpus.make_label_dictionary(label_type=...), and check that the training data "
                "holds labels of that type."
            )
        rnn = arguments.get("rnn")
        if rnn is not None and not (
            rnn.batch_first
            and rnn.bias
            and not rnn.proj_size
            and getattr(rnn, "nonlinearity", "tanh") == "tanh"
        ):
            raise ValueError(
                "A given rnn has to have batch_first=True, bias=True, no projection and no other "
                "nonlinearity than tanh, because the model file keeps its type, size, layers and "
                "direction only."
            )

    def _determine_if_span_prediction_problem(self, dictionary: Dictionary) -> bool:
        return encodes_spans(dictionary)

    def _replace_crf(self) -> None:
        """Puts our CRF, with the same parameter, in the place of Flair's."""
        if self.use_crf:
            transitions = self.crf.transitions
            self.crf = LinearChainCRF(  # type: ignore[assignment]
                len(self.tagset),
                self.label_dictionary.get_idx_for_item("<START>"),
                self.label_dictionary.get_idx_for_item("<STOP>"),
            )
            self.crf.transitions = transitions
            del self.viterbi_decoder, self.loss_function

    # ----- the four stations -----

    def embed(self, sentences: list[Sentence]) -> tuple[Tensor, Tensor]:
        """Embeds a batch.

        Args:
            sentences: Non-empty sentences.

        Returns:
            x, ``[batch, tokens, embedding]``, and the mask, ``[batch, tokens]`` bool.
        """
        lengths = torch.tensor([len(sentence) for sentence in sentences], device=flair.device)
        embedded = embed_batch(self.embeddings, sentences)
        return embedded.to(self.linear.weight.dtype), length_mask(lengths)

    def encode(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Dropout, projection, recurrent layers, dropout: x → H.

        Args:
            embedded: x, ``[batch, tokens, embedding]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.

        Returns:
            H, ``[batch, tokens, hidden]``.
        """
        states = embedded
        if self.use_dropout:
            states = self.dropout(states)
        if self.use_word_dropout:
            states = self.word_dropout(states)
        if self.use_locked_dropout:
            states = self.locked_dropout(states)
        if self.reproject_embeddings:
            states = self.embedding2nn(states)
        if self.use_rnn:
            states = self._run_rnn(states, mask)
        if self.use_dropout:
            states = self.dropout(states)
        if self.use_locked_dropout:
            states = self.locked_dropout(states)
        return states

    def _run_rnn(self, states: Tensor, mask: Tensor) -> Tensor:
        packed = pack_padded_sequence(
            states, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False
        )
        initial = None
        if self.train_initial_hidden_state:
            hidden = self.lstm_init_h.unsqueeze(1).repeat(1, len(states), 1)
            cell = self.lstm_init_c.unsqueeze(1).repeat(1, len(states), 1)
            initial = (hidden, cell) if self.rnn_type == "LSTM" else hidden
        output, _ = self.rnn(packed, initial)
        return pad_packed_sequence(output, batch_first=True, total_length=mask.size(1))[0]

    def enrich(self, states: Tensor, mask: Tensor) -> Tensor:
        """H → H'; a subclass puts its attention here.

        Args:
            states: H, ``[batch, tokens, hidden]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.

        Returns:
            H', ``[batch, tokens, hidden]``.
        """
        return states

    def forward(self, embedded: Tensor, mask: Tensor) -> TaggerOutput:
        """The road after the embeddings.

        Args:
            embedded: x, ``[batch, tokens, embedding]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.

        Returns:
            Hidden states and tag scores.
        """
        states = self.enrich(self.encode(embedded, mask), mask)
        return TaggerOutput(states, self.linear(states), mask)

    # ----- training -----

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
        total = torch.zeros(1, device=flair.device, requires_grad=True).sum()
        if sentences:
            output = self.forward(*self.embed(sentences))
            for loss in self.losses(sentences, output):
                total = total + loss.weight * loss.values.mean()
        return total, 1

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
        gold = [self._gold_tags(sentence) for sentence in sentences]
        known = [index for index, tags in enumerate(gold) if tags is not None]
        if not known:
            return []
        tags = pad_sequence([torch.tensor(gold[index]) for index in known], batch_first=True)
        tags = tags.to(flair.device)
        mask = output.mask[known, : tags.size(1)]
        values = self._tag_loss(output.emissions[known, : tags.size(1)], tags, mask)
        return [Loss(self.tag_type, 1.0, values)]

    def _tag_loss(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        if self.use_crf:
            return self.crf(emissions, tags, mask)
        token_losses = torch.nn.functional.cross_entropy(
            emissions.transpose(1, 2), tags, weight=self.loss_weights, reduction="none"
        )
        return token_losses.masked_fill(~mask, 0.0).sum(1)

    def _gold_tags(self, sentence: Sentence) -> list[int] | None:
        """Indices of a sentence's gold tags; None where it has none that the model knows."""
        if not is_annotated(sentence, self.tag_type):
            return None
        names = self._get_gold_labels([sentence])
        indices = self.tagset.indices(names)
        if indices is None:
            self._unknown_label(self.tag_type, sorted(set(names) - set(self.tagset.tags)), sentence)
        return indices

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

    # ----- prediction -----

    def predict(
        self,
        sentences: list[Sentence] | Sentence,
        mini_batch_size: int = 32,
        return_probabilities_for_all_classes: bool = False,
        verbose: bool = False,
        label_name: str | None = None,
        return_loss: bool = False,
        embedding_storage_mode: EmbeddingStorageMode = "none",
        force_token_predictions: bool = False,
    ) -> Any:
        """Adds the predicted labels to the sentences, in the place of labels of the same type.

        Args:
            sentences: A sentence or a list of sentences; empty ones are left as they are.
            mini_batch_size: Number of sentences that go through the network at once.
            return_probabilities_for_all_classes: Whether each token gets the probability of every
                tag (``token.get_tags_proba_dist``).
            verbose: Whether to show a progress bar.
            label_name: Label type of the predictions; the model's own when None.
            return_loss: Whether to return the loss against the gold labels.
            embedding_storage_mode: ``"none"``, ``"cpu"`` or ``"gpu"``.
            force_token_predictions: Whether to label tokens with tags instead of spans.

        Returns:
            With ``return_loss`` the mean loss per sentence times the number of sentences, and that
            number; otherwise None.
        """
        if isinstance(sentences, str):
            raise TypeError("predict takes Sentence objects: pass flair.data.Sentence(text).")
        sentences = [sentences] if isinstance(sentences, Sentence) else list(sentences)
        losses = LossMean() if return_loss else None
        for index, prediction in self._predictions(
            sentences, mini_batch_size, embedding_storage_mode, losses, show_progress=verbose
        ):
            write_labels(
                sentences[index],
                prediction,
                label_name or self.tag_type,
                self._class_label_name(label_name),
                as_tokens=force_token_predictions or not self.predict_spans,
                all_tags=self.tagset.tags if return_probabilities_for_all_classes else None,
            )
        if losses is not None:
            return torch.tensor([losses.mean() * len(sentences)]), len(sentences)
        return None

    def _class_label_name(self, label_name: str | None) -> str:
        """Label type of predicted classes; of use to a system with a sentence head."""
        return ""

    def _predictions(
        self,
        sentences: Sequence[Sentence],
        batch_size: int,
        storage_mode: EmbeddingStorageMode,
        losses: LossMean | None,
        show_progress: bool,
    ) -> Iterator[tuple[int, Prediction]]:
        """Predicts the non-empty sentences, the longest first; yields their indices with it."""
        if batch_size < 1:
            raise ValueError(f"mini_batch_size is {batch_size}: it has to be 1 or more.")
        order = [index for index, sentence in enumerate(sentences) if len(sentence)]
        order.sort(key=lambda index: len(sentences[index]), reverse=True)
        starts = range(0, len(order), batch_size)
        with self._evaluating(), sentence_context(self.embeddings, sentences), torch.no_grad():
            for start in tqdm(starts, "Tagging", unit="batch", disable=not show_progress):
                indices = order[start : start + batch_size]
                batch = [sentences[index] for index in indices]
                output = self.forward(*self.embed(batch))
                if losses is not None:
                    losses.add(self.losses(batch, output))
                yield from zip(indices, self.decode(output), strict=True)
                store_embeddings(batch, storage_mode)

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        """Switches dropout off, and back on if it was on."""
        was_training = self.training
        self.eval()
        try:
            yield
        finally:
            self.train(was_training)

    def decode(self, output: TaggerOutput) -> list[Prediction]:
        """Finds the best tags of each sentence of a batch, and how probable they are.

        Args:
            output: What the network makes of the batch.

        Returns:
            A prediction per sentence.
        """
        emissions = output.emissions.float()
        return decode_batch(emissions, output.mask, self._decoding_chain(emissions), self.tagset)

    def _decoding_chain(self, emissions: Tensor) -> ChainScores:
        """The chain that is decoded: the CRF's or none, within what is valid."""
        size = len(self.tagset)
        if self.use_crf:
            chain: ChainScores = self.crf.chain()  # type: ignore[operator]
        else:
            chain = ChainScores(emissions.new_zeros(size, size), *emissions.new_zeros(2, size))
        if not self.constrain_decoding:
            return chain
        constraint = self.tagset.constraint(self.allow_unk_predictions)
        return chain.plus(ChainScores(*(part.to(emissions.device) for part in constraint)))

    # ----- evaluation -----

    def evaluate(
        self,
        data_points: list[Sentence] | Dataset,
        gold_label_type: str,
        out_path: str | Path | None = None,
        embedding_storage_mode: EmbeddingStorageMode = "none",
        mini_batch_size: int = 32,
        main_evaluation_metric: tuple[str, str] = ("micro avg", "f1-score"),
        exclude_labels: list[str] | None = None,
        gold_label_dictionary: Dictionary | None = None,
        return_loss: bool = True,
        **kwargs: Any,
    ) -> Result:
        """Compares predictions with gold labels and leaves the sentences as they are.

        Args:
            data_points: The annotated sentences; those marked as not annotated do not count.
            gold_label_type: Label type of the gold entities.
            out_path: File for token, gold tag and predicted tag (BIO), one token per line.
            embedding_storage_mode: ``"none"``, ``"cpu"`` or ``"gpu"``.
            mini_batch_size: Number of sentences that go through the network at once.
            main_evaluation_metric: Average and metric of the main score.
            exclude_labels: Types that do not count, neither as gold nor as predicted.
            gold_label_dictionary: Gold types outside of it count as ``<unk>``.
            return_loss: Whether to compute the loss as well.
            **kwargs: Ignored, as in Flair.

        Returns:
            The scores; the loss is the mean over sentences.
        """
        sentences = [data_points[index] for index in range(len(data_points))]  # type: ignore[arg-type]
        losses = LossMean() if return_loss else None
        predictions = dict(
            self._predictions(
                sentences, mini_batch_size, embedding_storage_mode, losses, show_progress=False
            )
        )
        gold, predicted = set(), set()
        for index, sentence in enumerate(sentences):
            if is_annotated(sentence, gold_label_type):
                gold |= gold_facts(sentence, index, gold_label_type, gold_label_dictionary)
                predicted |= predictions[index].facts(index) if index in predictions else set()
        excluded = exclude_labels or []
        gold = {fact for fact in gold if fact.type not in excluded}
        predicted = {fact for fact in predicted if fact.type not in excluded}
        if out_path is not None:
            write_predictions(out_path, sentences, gold, predicted, self.predict_spans)
        loss = losses.mean() if losses is not None else None
        result = entity_result(gold, predicted, loss, main_evaluation_metric)
        self._extend_result(result, sentences, predictions)
        return result

    def _extend_result(
        self, result: Result, sentences: list[Sentence], predictions: dict[int, Prediction]
    ) -> None:
        """Adds the scores of what a system predicts beside the tags."""

    # ----- files -----

    def _get_state_dict(self) -> dict[str, Any]:
        return {
            **super()._get_state_dict(),
            "bidirectional": self.bidirectional,
            "allow_unk_predictions": self.allow_unk_predictions,
            "constrain_decoding": self.constrain_decoding,
            "embedding_names": get_names(self.embeddings),
        }

    @classmethod
    def _init_model_with_state_dict(cls, state: dict[str, Any], **kwargs: Any) -> Any:
        for name in ("bidirectional", "allow_unk_predictions", "constrain_decoding"):
            kwargs[name] = state[name]
        model = super()._init_model_with_state_dict(state, **kwargs)
        set_names(model.embeddings, state["embedding_names"])
        return model
