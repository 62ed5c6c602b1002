"""Joint sentence and token labelling (Kruengkrai et al., ACL 2020)."""

import copy
import logging
import math
from pathlib import Path
from typing import Any, Literal, get_args

import flair
import torch
from flair.data import Dictionary, Sentence
from flair.embeddings import TokenEmbeddings
from flair.models import SequenceTagger, TextClassifier
from flair.training_utils import Result
from torch import Tensor, nn

from flair_jointner.layers import MultiHeadSelfAttention, SoftAttention, masked_max
from flair_jointner.layers.dropout import LockedDropout
from flair_jointner.models.evaluation import class_scores
from flair_jointner.models.losses import Loss
from flair_jointner.models.network import TaggerOutput
from flair_jointner.models.prediction import Decoder, Prediction
from flair_jointner.models.tagger import BaseTagger
from flair_jointner.models.transfer import (
    TransferReport,
    copy_encoder,
    load_classifier,
    load_sequence_tagger,
)
from flair_jointner.models.warm_start import absorbed_normalisation, arguments_of, copy_weights

log = logging.getLogger("flair_jointner")

_MOST_WEIGHTS = 2**26
"""Of self-attention, at once: in float32 256 MiB."""

Attention = Literal["soft", "scaled", "unscaled", "learned"]
ATTENTIONS: tuple[str, ...] = get_args(Attention)


class JointTagger(BaseTagger):
    """Tags entities and classifies the sentence with shared layers.

    The sentence head max-pools H' over the tokens and classifies it with a linear layer (Eq. 1);
    the CRF reads the same H'. Without a class dictionary this is the paper's NER-only model.
    Sentences of a batch may lack either annotation: each loss is a mean over those that have it.

    Unlike the paper: the projection W₁ has a bias, as Flair's has. Where it is silent: word dropout
    is off, because the paper names locked dropout only; embeddings that are trained keep their own
    initialisation, because U(-0.1, 0.1) would erase a pre-trained encoder; of several classes of a
    sentence the first counts.

    Attributes:
        classes: The classes, in the order of the head's output.
        class_temperature: What the scores of the classes are divided by before they become
            probabilities; see :func:`~flair_jointner.training.fit_temperatures`.
    """

    def __init__(
        self,
        embeddings: TokenEmbeddings,
        tag_dictionary: Dictionary,
        tag_type: str,
        class_dictionary: Dictionary | None = None,
        class_type: str | None = None,
        attention: Attention | None = None,
        *,
        attention_heads: int = 8,
        attention_dropout: float = 0.1,
        attention_locked_dropout: float | None = None,
        attention_gate: bool = False,
        residual: bool = True,
        class_loss_weight: float = 1.0,
        init_range: float | None = 0.1,
        word_dropout: float = 0.0,
        **sequence_tagger: Any,
    ) -> None:
        """Makes a tagger with random weights.

        Args:
            embeddings: Any token embeddings.
            tag_dictionary: Entity types, from ``corpus.make_label_dictionary``.
            tag_type: Label type of the entities.
            class_dictionary: Classes of sentences; None for NER only.
            class_type: Label type of the sentence's class; goes with ``class_dictionary``.
            attention: None, ``"soft"`` (Eq. 4), or self-attention (Eq. 5) whose temperature is
                ``"scaled"``, ``"unscaled"`` (Eq. 6) or ``"learned"`` (Eq. 7).
            attention_heads: n, heads of self-attention.
            attention_dropout: Dropout of the weights of self-attention.
            attention_locked_dropout: Locked dropout of the attention output before the residual
                connection; that of the BiLSTM (``locked_dropout``) when None.
            attention_gate: Whether the attention output is multiplied by one learned number that
                starts at 0 (ReZero; Bachlechner et al., 2021): not in the paper. Ungated, the
                output of random attention weights is as large as the hidden states that it is added
                to, and stays noise where updates are few; the gate lets it in gradually.
            residual: Whether H is added to the attention output.
            class_loss_weight: λ of Eq. 3.
            init_range: Trained parameters outside the embeddings are drawn from
                U(-init_range, init_range); None keeps the initialisation of Flair and torch.
            word_dropout: Probability with which a whole word is dropped in training.
            **sequence_tagger: Further arguments of ``flair.models.SequenceTagger``, with its
                defaults: ``hidden_size`` 256 per direction (d_h = 512), ``rnn_layers`` 1,
                ``locked_dropout`` 0.5, ``tag_format`` ``"BIOES"``, ``reproject_embeddings`` True,
                ``use_rnn``, ``rnn``, ``rnn_type``, ``bidirectional``, ``use_crf``, ``dropout``,
                ``train_initial_hidden_state``, ``loss_weights``, ``allow_unk_predictions``; and of
                this package ``constrain_decoding``, default True, and ``perturbation``, ε of
                adversarial training, default None
                (:class:`~flair_jointner.models.trainable.TrainableTagger`).

        Raises:
            ValueError: If the arguments contradict each other.
        """
        _check_classes(class_dictionary, class_type, tag_type)
        if attention is not None and attention not in ATTENTIONS:
            raise ValueError(
                f"Unknown attention {attention!r}: choose None or one of {', '.join(ATTENTIONS)}."
            )
        if not (math.isfinite(class_loss_weight) and class_loss_weight >= 0):
            raise ValueError(f"class_loss_weight is {class_loss_weight}: give a number from 0 on.")
        if attention_gate and attention is None:
            raise ValueError("attention_gate is of the attention: give one, or leave the gate out.")
        super().__init__(
            embeddings, tag_dictionary, tag_type, word_dropout=word_dropout, **sequence_tagger
        )
        self.class_dictionary = copy.deepcopy(class_dictionary)
        self.class_type = class_type
        self.class_loss_weight = class_loss_weight
        self.class_temperature = 1.0
        self.residual = residual
        self.init_range = init_range
        self.attention_options = {
            "attention": attention,
            "attention_heads": attention_heads,
            "attention_dropout": attention_dropout,
            "attention_locked_dropout": attention_locked_dropout,
            "attention_gate": attention_gate,
        }
        hidden_size = self.linear.in_features
        self.attention: SoftAttention | MultiHeadSelfAttention | None = None
        if attention == "soft":
            self.attention = SoftAttention(hidden_size)
        elif attention is not None:
            self.attention = MultiHeadSelfAttention(
                hidden_size, attention_heads, attention, attention_dropout
            )
        if attention_locked_dropout is None:
            attention_locked_dropout = self.use_locked_dropout
        self.attention_locked_dropout = LockedDropout(attention_locked_dropout)
        self.gate: nn.Parameter | None = None
        self.classes = _classes(class_dictionary)
        self.class_head: nn.Linear | None = None
        if self.classes:
            self.class_head = nn.Linear(hidden_size, len(self.classes))
        self._initialise(spare_rnn=sequence_tagger.get("rnn") is not None)
        if attention_gate:
            self.gate = nn.Parameter(torch.zeros(1))
        self.to(flair.device)

    @torch.no_grad()
    def _initialise(self, spare_rnn: bool) -> None:
        """Draws the trained parameters from U(-init_range, init_range) (§3.2).

        Embeddings, and an RNN that the user gave to share it, keep their weights.
        """
        if self.init_range is None:
            return
        spared = ("embeddings.", "rnn.") if spare_rnn else ("embeddings.",)
        for name, parameter in self.named_parameters():
            if parameter.requires_grad and not name.startswith(spared):
                parameter.uniform_(-self.init_range, self.init_range)
        if self.use_crf:
            self.crf.forbid_boundaries()  # type: ignore[operator]

    def most_sentences(self, tokens: int) -> int:
        """As many as keep the weights of a self-attention, of each token to each, small."""
        if not isinstance(self.attention, MultiHeadSelfAttention):
            return super().most_sentences(tokens)
        return max(1, _MOST_WEIGHTS // (self.attention.num_heads * tokens**2))

    def enrich(self, states: Tensor, mask: Tensor) -> Tensor:
        """Adds the attention output to the hidden states: H → H' of Eqs. 4 and 5.

        Args:
            states: H, ``[batch, tokens, hidden]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.

        Returns:
            H', ``[batch, tokens, hidden]``.
        """
        if self.attention is None:
            return states
        context, _ = self.attention(states, mask)
        context = self.attention_locked_dropout(context)
        if self.gate is not None:
            context = self.gate * context
        return states + context if self.residual else context

    def losses(self, sentences: list[Sentence], output: TaggerOutput) -> list[Loss]:
        """The losses of Eq. 3.

        Args:
            sentences: The batch.
            output: What the network makes of it.

        Returns:
            The negative log-likelihood of the tags, and the cross-entropy of the classes, of the
            sentences that have them.

        Raises:
            ValueError: In training, if a sentence holds a label that the dictionaries lack.
        """
        losses = super().losses(sentences, output)
        if self.class_head is None:
            return losses
        targets, known = self.gold_classes(sentences)
        if known:
            values = nn.functional.cross_entropy(
                self.class_logits(output)[known], targets, reduction="none"
            )
            losses.append(Loss(self.class_type or "", self.class_loss_weight, values))
        return losses

    def gold_classes(self, sentences: list[Sentence]) -> tuple[Tensor, list[int]]:
        """The gold classes of the sentences that have one.

        Args:
            sentences: A batch.

        Returns:
            Their classes, ``[labelled]`` long, and their indices in the batch.

        Raises:
            ValueError: In training, if a sentence has a class that the dictionary lacks.
        """
        gold = [self._gold_class(sentence) for sentence in sentences]
        known = [index for index, target in enumerate(gold) if target is not None]
        targets = [target for target in gold if target is not None]
        return torch.tensor(targets, dtype=torch.long, device=flair.device), known

    def class_logits(self, output: TaggerOutput) -> Tensor:
        """Unnormalised scores of the classes, s of Eq. 1.

        Args:
            output: What the network makes of a batch.

        Returns:
            ``[batch, classes]``.
        """
        assert self.class_head is not None  # for the type checker; callers look first
        return self.class_head(masked_max(output.states, output.mask))

    def _gold_class(self, sentence: Sentence) -> int | None:
        labels = sentence.get_labels(self.class_type)
        if not labels:
            return None
        if labels[0].value not in self.classes:
            self._unknown_label(self.class_type or "", [labels[0].value], sentence)
            return None
        return self.classes.index(labels[0].value)

    def decode(
        self,
        output: TaggerOutput,
        decoder: Decoder,
        with_probabilities: bool = False,
        with_scores: bool = True,
    ) -> list[Prediction]:
        """Finds tags, entities and the class of each sentence, and how probable they are.

        Args:
            output: What the network makes of the batch.
            decoder: What :meth:`decoder` made.
            with_probabilities: Whether the probability of each tag at each token is wanted.
            with_scores: Whether the probability of each entity is wanted.

        Returns:
            A prediction per sentence.
        """
        predictions = super().decode(output, decoder, with_probabilities, with_scores)
        if self.class_head is not None:
            logits = self.class_logits(output).float() / self.class_temperature
            probabilities = logits.softmax(dim=-1).tolist()
            for prediction, row in zip(predictions, probabilities, strict=True):
                pairs = zip(self.classes, row, strict=True)
                prediction.classes = sorted(pairs, key=lambda pair: -pair[1])
        return predictions

    def _class_label_name(self, label_name: str | None) -> str:
        """The class needs a label type of its own: Flair takes any label of a type for a span."""
        if label_name in (None, self.tag_type):
            return self.class_type or ""
        return f"{label_name}_{self.class_type}"

    def _extend_result(
        self, result: Result, sentences: list[Sentence], predictions: dict[int, Prediction]
    ) -> None:
        if self.class_head is None:
            return
        labelled = [i for i in predictions if sentences[i].get_labels(self.class_type)]
        if not labelled:
            return
        scores = class_scores(
            [sentences[i].get_labels(self.class_type)[0].value for i in labelled],
            [predictions[i].classes[0][0] for i in labelled],
        )
        result.scores[("class", "accuracy")] = scores.accuracy
        result.scores[("class", "macro avg", "f1-score")] = scores.macro_f1
        result.detailed_results += (
            f"\n\n{self.class_type} of the sentence ({scores.support} sentences):"
            f"\n- Accuracy {scores.accuracy:.4f}"
            f"\n- F-score (macro) {scores.macro_f1:.4f}"
        )

    # ----- starting from other models -----

    def init_from_classifier(
        self, classifier: TextClassifier | str | Path, trust: bool = False
    ) -> TransferReport:
        """Takes projection and BiLSTM (or the transformer) from a sentence classifier (§3.3).

        Args:
            classifier: A classifier over ``DocumentRNNEmbeddings``,
                ``DocumentMaxPoolRNNEmbeddings`` or ``TransformerDocumentEmbeddings``, or its file.
            trust: Whether the file may hold objects, the reading of which can run any code.

        Returns:
            What was copied and what was not.

        Raises:
            ValueError: If the two do not fit: both sides are named; or with ``perturbation`` over
                other embeddings than static word vectors.
        """
        if not isinstance(classifier, TextClassifier):
            classifier = load_classifier(classifier, trust)
        with absorbed_normalisation(self):
            report = copy_encoder(classifier, self)
        log.info("%s", report)
        return report

    @classmethod
    def from_sequence_tagger(
        cls,
        tagger: SequenceTagger | str | Path,
        class_dictionary: Dictionary | None = None,
        class_type: str | None = None,
        attention: Attention | None = None,
        trust: bool = False,
        **joint: Any,
    ) -> "JointTagger":
        """Makes a tagger that starts with all weights of a plain Flair ``SequenceTagger``.

        Args:
            tagger: The tagger, or its file.
            class_dictionary: As in the constructor.
            class_type: As in the constructor.
            attention: As in the constructor.
            trust: Whether the file may hold objects, the reading of which can run any code.
            **joint: Further arguments of the constructor that Flair's tagger does not have.

        Returns:
            The tagger; its attention and its sentence head are new.

        Raises:
            FileNotFoundError: If there is no such file.
            ModelFileError: If it holds something else, or needs trust.
            ValueError: With ``perturbation`` over other embeddings than static word vectors, if the
                tagger was trained with it, or if it is of a system with weights of its own.
        """
        if not isinstance(tagger, SequenceTagger):
            tagger = load_sequence_tagger(tagger, trust)
        if getattr(tagger, "perturbation", None) is not None:
            raise ValueError(
                "The tagger was trained adversarially, over embeddings that it normalises: start "
                "from one that was not, or train it further as it is."
            )
        model = cls(
            tagger.embeddings,
            tagger.label_dictionary,
            tagger.tag_type,
            class_dictionary,
            class_type,
            attention,
            init_from_state_dict=True,
            **{**arguments_of(tagger), **joint},
        )
        with absorbed_normalisation(model):
            copy_weights(tagger, model, new=_NEW_WEIGHTS)
        return model

    # ----- files -----

    def _get_state_dict(self) -> dict[str, Any]:
        options = {name: getattr(self, name) for name in _SAVED_OPTIONS}
        options["class_temperature"] = self.class_temperature
        return {**super()._get_state_dict(), **options, **self.attention_options}

    @classmethod
    def _init_model_with_state_dict(cls, state: dict[str, Any], **kwargs: Any) -> Any:
        kwargs |= {name: state[name] for name in (*_SAVED_OPTIONS, *_SAVED_ATTENTION_OPTIONS)}
        model = super()._init_model_with_state_dict(state, **kwargs)
        model.class_temperature = state["class_temperature"]
        return model


_NEW_WEIGHTS = ("attention.", "class_head.", "gate", "input_norms.")
"""Those that a tagger does not take from the one that it starts from."""
_SAVED_OPTIONS = (
    "class_dictionary",
    "class_type",
    "class_loss_weight",
    "residual",
    "init_range",
)
_SAVED_ATTENTION_OPTIONS = (
    "attention",
    "attention_heads",
    "attention_dropout",
    "attention_locked_dropout",
    "attention_gate",
)


def _classes(dictionary: Dictionary | None) -> list[str]:
    items = [] if dictionary is None else dictionary.get_items()
    return [item for item in items if item != "<unk>"]


def _check_classes(dictionary: Dictionary | None, class_type: str | None, tag_type: str) -> None:
    if (dictionary is None) != (class_type is None):
        raise ValueError(
            "class_dictionary and class_type go together: pass both, or neither for NER only."
        )
    if class_type == tag_type:
        raise ValueError(
            f"class_type and tag_type are both {tag_type!r}: give the sentence's label and the "
            "entities a label type each."
        )
    if dictionary is not None and dictionary.multi_label:
        raise ValueError(
            "The class dictionary is for several classes of a sentence (multi_label), and the "
            "sentence head predicts one: make it with "
            "corpus.make_label_dictionary(label_type=...) of sentences with one label each."
        )
    if dictionary is not None and len(_classes(dictionary)) < 2:
        raise ValueError(
            f"A sentence head needs two classes or more, got {_classes(dictionary)}. Check that "
            f"the training sentences hold labels of type {class_type!r}."
        )
