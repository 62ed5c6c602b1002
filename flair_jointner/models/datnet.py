"""DATNet, the Dual Adversarial Transfer Network (Zhou et al., ACL 2019).

A target with few annotations learns from a source with many.
"""

from typing import Any

import flair
import torch
from flair.data import Dictionary, Sentence
from flair.embeddings import StackedEmbeddings, TokenEmbeddings
from flair.embeddings.base import load_embeddings
from torch import Tensor, nn

from flair_jointner.data.transfer_corpus import is_source
from flair_jointner.layers import (
    LinearChainCRF,
    ResourceDiscriminator,
    grad_loss_from_logits,
)
from flair_jointner.layers.adversary import check_grad_weights
from flair_jointner.layers.perturbation import Perturber
from flair_jointner.layers.recurrent import run_recurrent
from flair_jointner.models.batching import token_mask
from flair_jointner.models.datnet_arguments import (
    DISCRIMINATORS,
    SHARES,
    Discriminator,
    Share,
    check_choice,
    check_embeddings,
    check_network,
    covers,
)
from flair_jointner.models.embedding import get_names, set_names
from flair_jointner.models.losses import Loss
from flair_jointner.models.network import TaggerOutput, check_mask
from flair_jointner.models.prediction import Decoder, Prediction
from flair_jointner.models.resources import TransferOutput, by_resource, marks_of, run_by_resource
from flair_jointner.models.source_decoder import SourceDecoder
from flair_jointner.models.tagger import BaseTagger
from flair_jointner.models.tagset import TagSet, encodes_spans, tag_dictionary


class DATNet(BaseTagger):
    """A tagger for a target, trained on a source as well (sections 3.1 to 3.4).

    Sentences are the target's unless they are marked (:func:`~flair_jointner.data.mark_source`);
    :class:`~flair_jointner.data.TransferCorpus` marks them in training. Each sentence goes through
    the word embeddings, the private BiLSTM and the decoder of its own resource, where there are
    such, and through all that is shared; a batch may mix resources.

    The loss is Eq. 2, ℓ = ℓ_GRAD + ℓ_S + ℓ_T, as means over sentences, where the paper has sums;
    ℓ_GRAD is there in training only, since dev data are of one resource. Adversarial training
    (section 3.5) is the argument ``perturbation`` that all taggers have.

    Where the paper is silent or says two things:

    - The BiLSTM has no projection before it; the hidden sizes 200 and 100 are those of each
      direction.
    - The rate of the dropout, on the embeddings and on the BiLSTM's output, is 0.5; the
      discriminator reads that output after the dropout, as the decoder does.
    - The states of the shared and the private BiLSTM are concatenated (Fig. 1b draws both below the
      decoder).
    - α is 0.25, in the middle of the best of Table 5.
    - The decoder is shared if the source has all entity types of the target.

    Unlike the paper's, as in Flair, the CRF scores the first and the last tag of a path, and its
    tag scores have a bias.

    Attributes:
        share: ``"full"`` or ``"part"``.
        source_embeddings: The word embeddings of the source; None if they are the target's.
        private: The private BiLSTMs, by resource; empty with ``share="full"``.
        discriminator: Tells the resources apart in training, if there is one.
        source_decoder: The source's own decoder; None if it is the target's.
    """

    def __init__(
        self,
        embeddings: TokenEmbeddings,
        tag_dictionary: Dictionary,
        tag_type: str,
        source_embeddings: TokenEmbeddings | None = None,
        source_tag_dictionary: Dictionary | None = None,
        shared_embeddings: TokenEmbeddings | None = None,
        *,
        share: Share = "full",
        discriminator: Discriminator | None = "grad",
        alpha: float = 0.25,
        gamma: float = 2.0,
        reversal_rate: float = 1.0,
        hidden_size: int | None = None,
        reproject_embeddings: bool = False,
        dropout: float = 0.5,
        word_dropout: float = 0.0,
        locked_dropout: float = 0.0,
        **sequence_tagger: Any,
    ) -> None:
        """Makes a tagger with random weights.

        Args:
            embeddings: Word embeddings of the target, w^emb of section 3.2.
            tag_dictionary: Entity types of the target, from ``target.make_label_dictionary``.
            tag_type: Label type of the entities, in both resources.
            source_embeddings: Word embeddings of the source, of the same size; None takes the
                target's for both, as for two domains of one language.
            source_tag_dictionary: Entity types of the source; None means the same. If the target
                has one that is not among them, each resource has a decoder of its own; otherwise
                both share one, which predicts all types of the source.
            shared_embeddings: Embeddings for the words of both, beside the others: w^char, as
                :class:`~flair_jointner.CharacterCNNEmbeddings`.
            share: ``"full"`` for one BiLSTM (DATNet-F); ``"part"`` for a shared one and a private
                one of each resource (DATNet-P). The paper finds "full" better for two domains, and
                for very few target sentences; "part" for two languages otherwise (section 4.5).
                Ours was as good or better throughout with "full" (``docs/results-datnet.md``).
            discriminator: ``"grad"`` (Eq. 1), ``"plain"`` (AD: cross-entropy), or None.
            alpha: α of Eq. 1, the weight of the source; the target's is 1 - α.
            gamma: γ of Eq. 1, how strongly sentences that are classified well are weighted down.
            reversal_rate: What the negated gradient of the discriminator is multiplied by on its
                way to the shared BiLSTM.
            hidden_size: Hidden units of each BiLSTM and direction; None is the paper's, 200 with
                ``share="full"`` and 100 with "part".
            reproject_embeddings: Whether there is a linear layer, shared, below the BiLSTMs.
            dropout: Dropout of the embeddings and of the BiLSTM's output.
            word_dropout: Probability with which a whole word is dropped in training.
            locked_dropout: Locked dropout, at the places of the dropout.
            **sequence_tagger: Further arguments of ``flair.models.SequenceTagger`` and of this
                package's taggers (``constrain_decoding``, ``perturbation``).

        Raises:
            ValueError: If the arguments contradict each other.
        """
        check_choice("share", share, SHARES)
        if discriminator is not None:
            check_choice("discriminator", discriminator, DISCRIMINATORS, "None")
        check_grad_weights(alpha, gamma)
        check_embeddings(embeddings, source_embeddings, shared_embeddings)
        check_network(share, sequence_tagger)
        if source_embeddings is embeddings:
            source_embeddings = None
        if hidden_size is None:
            hidden_size = 200 if share == "full" else 100
        if source_tag_dictionary is not None and covers(source_tag_dictionary, tag_dictionary):
            # A few target sentences may lack a type that the source has.
            tag_dictionary, source_tag_dictionary = source_tag_dictionary, None
        stacked = embeddings
        if shared_embeddings is not None:
            stacked = StackedEmbeddings([shared_embeddings, embeddings], overwrite_names=False)
        super().__init__(
            stacked,
            tag_dictionary,
            tag_type,
            hidden_size=hidden_size,
            reproject_embeddings=reproject_embeddings,
            dropout=dropout,
            word_dropout=word_dropout,
            locked_dropout=locked_dropout,
            **sequence_tagger,
        )
        self._has_shared_embeddings = shared_embeddings is not None
        self.source_embeddings = source_embeddings
        if self.perturbation is not None:
            self._normalise(*self._inputs())
        self.share = share
        self.options: dict[str, Any] = {
            "share": share,
            "discriminator": discriminator,
            "alpha": alpha,
            "gamma": gamma,
            "reversal_rate": reversal_rate,
        }
        self.private = nn.ModuleDict()
        shared_size = self.linear.in_features
        if share == "part":
            self.private.update({name: self._make_rnn() for name in ("source", "target")})
            self.linear = nn.Linear(2 * shared_size, len(self.tagset))
        self.discriminator: ResourceDiscriminator | None = None
        if discriminator is not None:
            self.discriminator = ResourceDiscriminator(shared_size, reversal_rate)
        self.source_decoder = self._make_source_decoder(source_tag_dictionary, sequence_tagger)
        self.to(flair.device)

    def _make_rnn(self) -> nn.RNNBase:
        """One like the shared one."""
        sizes = (self.rnn_layers, self.hidden_size, self.bidirectional)
        made: nn.RNNBase = self.RNN(self.rnn_type, *sizes, self.embeddings.embedding_length)
        return made

    def _make_source_decoder(
        self, source: Dictionary | None, arguments: dict[str, Any]
    ) -> SourceDecoder | None:
        """A decoder of its own, if the target has entity types that the source has not."""
        if source is None:
            return None
        if arguments.get("loss_weights"):
            raise ValueError(
                "loss_weights go with one decoder, but the resources have other entity types: "
                "leave loss_weights out."
            )
        if not arguments.get("init_from_state_dict"):
            source = tag_dictionary(
                source, self.tag_format, self.use_crf, self.allow_unk_predictions
            )
        if encodes_spans(source) is not self.predict_spans:
            raise ValueError(
                "One of the tag dictionaries is of spans, and the other of tags of tokens: the "
                "resources need labels of one kind."
            )
        tagset = TagSet(source.get_items(), self.predict_spans, self.tag_format)
        return SourceDecoder(source, tagset, self.linear.in_features, self.use_crf)

    @property
    def source_tagset(self) -> TagSet:
        """The tags of the source's sentences."""
        return self.tagset if self.source_decoder is None else self.source_decoder.tagset

    # ----- the stations -----

    def embed(
        self, sentences: list[Sentence], perturber: Perturber | None = None
    ) -> tuple[Tensor, ...]:
        """Embeds a batch: w = [w^char, w^emb] of section 3.2.

        Args:
            sentences: Non-empty sentences.
            perturber: Adds to the embeddings, if given.

        Returns:
            What :meth:`forward` takes: x, ``[batch, tokens, embedding]``, the mask,
            ``[batch, tokens]`` bool, and which sentences are from the source, ``[batch]`` bool.
        """
        mask = token_mask(sentences)
        marks = torch.tensor([is_source(sentence) for sentence in sentences], device=flair.device)
        *shared, words = self._own_inputs()
        parts = [self._embed_with(embeddings, sentences, perturber) for embeddings in shared]
        if self.source_embeddings is None:
            parts.append(self._embed_with(words, sentences, perturber))
        else:
            own = {"target": words, "source": self.source_embeddings}

            def look_up(resource: str, rows: Tensor) -> Tensor:
                chosen = [sentences[row] for row in rows.tolist()]
                return self._embed_with(own[resource], chosen, perturber)

            parts.append(run_by_resource(marks, mask.size(1), look_up))
        return torch.cat(parts, dim=-1), mask, marks

    def _own_inputs(self) -> list[TokenEmbeddings]:
        """The shared embeddings, if there are any, and the target's words."""
        return _members(self.embeddings) if self._has_shared_embeddings else [self.embeddings]

    def _inputs(self) -> list[TokenEmbeddings]:
        source = self.source_embeddings
        return [*self._own_inputs(), *([] if source is None else [source])]

    def encode(self, embedded: Tensor, mask: Tensor, is_source: Tensor | None = None) -> Tensor:
        """Dropout, the shared BiLSTM and the private one, dropout: x → H.

        Args:
            embedded: x, ``[batch, tokens, embedding]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.
            is_source: Whether a sentence is from the source, ``[batch]`` bool; of none when None.

        Returns:
            H, ``[batch, tokens, hidden]``: the states of the shared BiLSTM, and behind them those
            of the private one.
        """
        states = self._before_rnn(embedded)
        shared = self._run_rnn(states, mask)
        if self.share == "part":
            private = self._run_private(states, mask, marks_of(is_source, mask))
            shared = torch.cat([shared, private], dim=-1)
        return self._after_rnn(shared)

    def _run_private(self, states: Tensor, mask: Tensor, marks: Tensor) -> Tensor:
        """The states of each sentence's own BiLSTM; that of the other is not even run."""

        def run(resource: str, rows: Tensor) -> Tensor:
            rnn: Any = self.private[resource]
            return run_recurrent(rnn, states[rows], mask[rows], fast=self.fast_paths.fast_lstm)

        return run_by_resource(marks, mask.size(1), run)

    def forward(
        self, embedded: Tensor, mask: Tensor, is_source: Tensor | None = None
    ) -> TransferOutput:
        """The road after the embeddings.

        Args:
            embedded: x, ``[batch, tokens, embedding]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.
            is_source: Whether a sentence is from the source, ``[batch]`` bool; of none when None.

        Returns:
            Hidden states and tag scores.

        Raises:
            TypeError: If it is given what Flair's ``forward`` takes.
        """
        check_mask(mask)
        marks = marks_of(is_source, mask)
        return self.emit(self.encode(embedded, mask, marks), mask, marks)

    def emit(self, states: Tensor, mask: Tensor, is_source: Tensor | None = None) -> TransferOutput:
        """The road after the encoder.

        Args:
            states: H, ``[batch, tokens, hidden]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.
            is_source: Whether a sentence is from the source, ``[batch]`` bool; of none when None.

        Returns:
            Hidden states and tag scores.
        """
        output = super().emit(states, mask)
        own = self.source_decoder
        from_source = None if own is None else own(output.states)
        marks = marks_of(is_source, mask)
        return TransferOutput(output.states, output.emissions, mask, marks, from_source)

    def tagset_of(self, sentence: Sentence) -> TagSet:
        """The tags that a sentence of this resource may have.

        Args:
            sentence: The sentence.

        Returns:
            The tags.
        """
        return self.source_tagset if is_source(sentence) else self.tagset

    # ----- training -----

    def losses(self, sentences: list[Sentence], output: TaggerOutput) -> list[Loss]:
        """The losses of Eq. 2.

        Args:
            sentences: The batch.
            output: What the network makes of it.

        Returns:
            The negative log-likelihood of the tags of each annotated sentence, of both resources
            together, and in training the loss of the discriminator.

        Raises:
            ValueError: In training, if a sentence holds a label that its dictionary lacks.
        """
        assert isinstance(output, TransferOutput)  # for the type checker
        if self.source_decoder is None:
            losses = super().losses(sentences, output)
        else:
            losses = self._tag_losses_apart(sentences, output, self.source_decoder.crf)
        if self.training and self.discriminator is not None:
            losses.append(Loss("resource", 1.0, self.resource_loss(output)))
        return losses

    def _tag_losses_apart(
        self, sentences: list[Sentence], output: TransferOutput, source_crf: LinearChainCRF | None
    ) -> list[Loss]:
        """The loss of the tags where each resource has its own decoder."""
        crfs = {"target": self._own_crf, "source": source_crf}
        values = []
        for resource, rows in by_resource(output.is_source):
            targets, annotated = self.gold_tags([sentences[row] for row in rows.tolist()])
            if annotated:
                chosen = rows[annotated]
                scores, mask = (
                    x[chosen, : targets.size(1)]
                    for x in (output.emissions_of(resource), output.mask)
                )
                values.append(self._tag_loss(crfs[resource], scores, targets, mask))
        return [Loss(self.tag_type, 1.0, torch.cat(values))] if values else []

    def resource_loss(self, output: TransferOutput) -> Tensor:
        """The terms of Eq. 1.

        Args:
            output: What the network makes of a batch.

        Returns:
            ``[batch]``.
        """
        assert self.discriminator is not None  # for the type checker; callers look first
        logits = self.discriminator(self.shared_states(output), output.mask).float()
        if self.options["discriminator"] == "plain":
            targets = output.is_source.to(logits)
            return nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        alpha, gamma = self.options["alpha"], self.options["gamma"]
        return grad_loss_from_logits(logits, output.is_source, alpha, gamma)

    def shared_states(self, output: TransferOutput) -> Tensor:
        """What the shared BiLSTM makes of a batch.

        Args:
            output: What the network makes of it.

        Returns:
            ``[batch, tokens, hidden]``.
        """
        size = output.states.size(-1)
        return output.states[..., : size // 2 if self.share == "part" else size]

    # ----- prediction -----

    def decode(
        self,
        output: TaggerOutput,
        decoder: Decoder,
        with_probabilities: bool = False,
        with_scores: bool = True,
    ) -> list[Prediction]:
        """Finds the best tags of each sentence, with the decoder of its resource.

        Args:
            output: What the network makes of the batch.
            decoder: What :meth:`decoder` made: the target's.
            with_probabilities: Whether the probability of each tag at each token is wanted.
            with_scores: Whether the probability of each entity is wanted.

        Returns:
            A prediction per sentence.
        """
        assert isinstance(output, TransferOutput)  # for the type checker
        own = self.source_decoder
        if own is None or not bool(output.is_source.any()):
            return super().decode(output, decoder, with_probabilities, with_scores)
        of_source = Decoder(own.tagset, *self._chain(own.crf, own.tagset))
        decoders = {"target": decoder, "source": of_source}
        predictions: dict[int, Prediction] = {}
        for resource, rows in by_resource(output.is_source):
            longest = int(output.mask[rows].sum(1).max())
            states, scores, mask = (
                x[rows, :longest]
                for x in (output.states, output.emissions_of(resource), output.mask)
            )
            found = super().decode(
                TaggerOutput(states, scores, mask),
                decoders[resource],
                with_probabilities,
                with_scores,
            )
            predictions.update(zip(rows.tolist(), found, strict=True))
        return [predictions[index] for index in range(len(predictions))]

    # ----- files -----

    def _get_state_dict(self) -> dict[str, Any]:
        source, decoder = self.source_embeddings, self.source_decoder
        saved = None if source is None else source.save_embeddings(use_state_dict=False)
        return {
            **super()._get_state_dict(),
            **self.options,
            "has_shared_embeddings": self._has_shared_embeddings,
            "source_embeddings": saved,
            "source_embedding_names": None if source is None else get_names(source),
            "source_tag_dictionary": None if decoder is None else decoder.dictionary,
        }

    @classmethod
    def _init_model_with_state_dict(cls, state: dict[str, Any], **kwargs: Any) -> Any:
        kwargs |= {name: state[name] for name in (*_SAVED_OPTIONS, "source_tag_dictionary")}
        words: Any = cls._load_embeddings(state)
        if state["has_shared_embeddings"]:
            kwargs["shared_embeddings"], words = _members(words)
        if state["source_embeddings"] is not None:
            kwargs["source_embeddings"] = load_embeddings(state["source_embeddings"])
            set_names(kwargs["source_embeddings"], state["source_embedding_names"])
        return super()._init_model_with_state_dict({**state, "embeddings": words}, **kwargs)


_SAVED_OPTIONS = ("share", "discriminator", "alpha", "gamma", "reversal_rate")


def _members(stack: Any) -> list[TokenEmbeddings]:
    return list(stack.embeddings)
