"""The road that every tagger of this package takes: embed, encode, enrich, emit."""

import copy
import sys
from dataclasses import dataclass
from typing import Any

import flair
import torch
from flair.data import Dictionary, Sentence
from flair.embeddings import TokenEmbeddings
from flair.embeddings.base import load_embeddings
from torch import Tensor, nn

from flair_jointner.layers import LinearChainCRF
from flair_jointner.layers.dropout import Dropout, LockedDropout
from flair_jointner.layers.matmul import linear
from flair_jointner.layers.perturbation import Perturber, RunningNormalisation, check_size
from flair_jointner.layers.recurrent import run_recurrent
from flair_jointner.models.batching import token_mask
from flair_jointner.models.character_cnn import CharacterCNNEmbeddings
from flair_jointner.models.embedding import (
    WordIndices,
    embed_batch,
    get_names,
    separate_members,
    set_names,
)
from flair_jointner.models.fast_paths import FastPaths, SentenceMemory
from flair_jointner.models.model_file import ModelFile
from flair_jointner.models.tagset import TagSet, encodes_spans


@dataclass(frozen=True)
class TaggerOutput:
    """What the network makes of a batch.

    Attributes:
        states: H', ``[batch, tokens, hidden]``.
        emissions: Scores of the tags, ``[batch, tokens, tags]``.
        mask: ``[batch, tokens]`` bool, True for real tokens.
    """

    states: Tensor
    emissions: Tensor
    mask: Tensor


def check_mask(mask: Tensor) -> None:
    """Refuses the lengths that Flair's ``forward`` takes in the place of a mask.

    Args:
        mask: ``[batch, tokens]`` bool.

    Raises:
        TypeError: If it is of another type.
    """
    if mask.dtype != torch.bool:
        raise TypeError(
            "forward takes embeddings and a mask, where Flair's takes lengths: call "
            "tagger.forward(*tagger.embed(sentences))."
        )


class TaggerNetwork(ModelFile):
    """The network of Flair's ``SequenceTagger``, with its parameters, in four stations.

    A system from a paper is a subclass that changes one or two of the stations.

    Attributes:
        fast_paths: Switches of what is done in a faster way than Flair's.
        tag_temperature: What the scores of the paths are divided by before they become
            probabilities; see :func:`~flair_jointner.training.fit_temperatures`.
    """

    tag_temperature: float = 1.0

    def __init__(
        self,
        embeddings: TokenEmbeddings,
        tag_dictionary: Dictionary,
        tag_type: str,
        *,
        constrain_decoding: bool = True,
        perturbation: float | None = None,
        **sequence_tagger: Any,
    ) -> None:
        """Makes a tagger with random weights.

        Args:
            embeddings: Any token embeddings.
            tag_dictionary: Entity types, from ``corpus.make_label_dictionary``. It is not changed.
            tag_type: Label type of the entities.
            constrain_decoding: Whether only valid BIOES (BIO) sequences are predicted.
            perturbation: ε of adversarial training (Eqs. 3 and 4 of Zhou et al., 2019; 5 there);
                None trains on the given sentences alone. See
                :class:`~flair_jointner.models.trainable.TrainableTagger`. It
                changes ``CharacterCNNEmbeddings`` that are given: they normalise from then on, in
                every model that has them.
            **sequence_tagger: Further arguments of ``flair.models.SequenceTagger``.

        Raises:
            ValueError: If the arguments contradict each other.
        """
        self._check_arguments(tag_dictionary, sequence_tagger)
        check_size(perturbation)
        if torch.device(flair.device).type == "mps":
            raise ValueError(
                "flair.device is 'mps', which has no float64, and the CRF adds up in it: set "
                "flair.device = torch.device('cpu')."
            )
        super().__init__(embeddings, copy.deepcopy(tag_dictionary), tag_type, **sequence_tagger)
        self.constrain_decoding = constrain_decoding
        self.allow_unk_predictions = sequence_tagger.get("allow_unk_predictions", False)
        self.fast_paths = FastPaths()
        self._word_indices: WordIndices = SentenceMemory()
        self.tagset = TagSet(self.label_dictionary.get_items(), self.predict_spans, self.tag_format)
        self._replace_layers()
        self.perturbation = perturbation
        self.input_norms = nn.ModuleDict()
        if perturbation is not None:
            self._normalise(self.embeddings)
        self.to(flair.device)

    @staticmethod
    def _check_arguments(dictionary: Dictionary, arguments: dict[str, Any]) -> None:
        if arguments.get("loss_weights") and arguments.get("use_crf", True):
            raise ValueError(
                "loss_weights have no effect on a CRF: pass use_crf=False, or leave them out."
            )
        if arguments.get("tag_format", "BIOES").upper() not in ("BIOES", "BIO"):
            raise ValueError(
                f"Unknown tag_format {arguments['tag_format']!r}: choose 'BIOES' or 'BIO'."
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
            and (rnn.num_layers == 1 or rnn.dropout == 0.5)
            and getattr(rnn, "nonlinearity", "tanh") == "tanh"
        ):
            raise ValueError(
                "A given rnn has to have batch_first=True, bias=True, no projection, no other "
                "nonlinearity than tanh and, with several layers, dropout=0.5, because the model "
                "file keeps its type, size, layers and direction only."
            )

    def _determine_if_span_prediction_problem(self, dictionary: Dictionary) -> bool:
        return encodes_spans(dictionary)

    def _replace_layers(self) -> None:
        """Puts our dropout, and our CRF with the same parameter, in the place of Flair's."""
        if self.use_dropout:
            self.dropout = Dropout(self.use_dropout)
        if self.use_locked_dropout:
            self.locked_dropout = LockedDropout(  # type: ignore[assignment]
                self.use_locked_dropout
            )
        if self.use_crf:
            transitions = self.crf.transitions
            self.crf = LinearChainCRF(  # type: ignore[assignment]
                len(self.tagset),
                self.label_dictionary.get_idx_for_item("<START>"),
                self.label_dictionary.get_idx_for_item("<STOP>"),
            )
            self.crf.transitions = transitions
            del self.viterbi_decoder, self.loss_function

    def _normalise(self, *inputs: TokenEmbeddings) -> None:
        """Makes the layers that normalise embeddings, for adversarial training."""
        self.input_norms = nn.ModuleDict()
        for embeddings in inputs:
            for member in separate_members(embeddings):
                if isinstance(member, CharacterCNNEmbeddings):
                    member.normalise()
                    continue
                name = self._norm_name(member)
                if name in self.input_norms:
                    raise ValueError(
                        f"The embeddings {member.name} stand in two places, and with perturbation "
                        "each has a normalisation of its own, also in the model file: give two."
                    )
                self.input_norms[name] = RunningNormalisation(member.embedding_length)

    def normalisation_of(self, member: TokenEmbeddings) -> RunningNormalisation:
        """What normalises some embeddings, in a tagger with adversarial training.

        Args:
            member: The tagger's embeddings, or a member of its stack.

        Returns:
            The layer.
        """
        norm = self.input_norms[self._norm_name(member)]
        assert isinstance(norm, RunningNormalisation)  # for the type checker
        return norm

    def _norm_name(self, member: TokenEmbeddings) -> str:
        names = (name for name, module in self.named_modules() if module is member)
        return next(names).replace(".", "-")

    # ----- the four stations -----

    def embed(
        self, sentences: list[Sentence], perturber: Perturber | None = None
    ) -> tuple[Tensor, ...]:
        """Embeds a batch.

        Args:
            sentences: Non-empty sentences.
            perturber: Adds to the embeddings, if given.

        Returns:
            What :meth:`forward` takes: x, ``[batch, tokens, embedding]``, and the mask,
            ``[batch, tokens]`` bool.
        """
        return self._embed_with(self.embeddings, sentences, perturber), token_mask(sentences)

    def _inputs(self) -> list[TokenEmbeddings]:
        """The embeddings that are looked up one by one."""
        if self.perturbation is None:
            return [self.embeddings]
        return separate_members(self.embeddings)

    def _embed_with(
        self,
        embeddings: TokenEmbeddings,
        sentences: list[Sentence],
        perturber: Perturber | None = None,
    ) -> Tensor:
        """What some embeddings give, ``[batch, tokens, embedding]``, 0 on padding."""
        if self.perturbation is None:
            return self._look_up(embeddings, sentences)
        parts = []
        for member in separate_members(embeddings):
            if isinstance(member, CharacterCNNEmbeddings):
                # It normalises, and lets add to, the embeddings of its characters.
                vectors = member.embed_batch(sentences, perturber)
            else:
                vectors = self._normalised(member, sentences, perturber)
            parts.append(vectors.to(self.linear.weight.dtype))
        return torch.cat(parts, dim=-1)

    def _look_up(self, embeddings: TokenEmbeddings, sentences: list[Sentence]) -> Tensor:
        paths = self.fast_paths
        known = self._word_indices if paths.memory else None
        embedded = embed_batch(embeddings, sentences, known, paths.word_table)
        return embedded.to(self.linear.weight.dtype)

    def _normalised(
        self, member: TokenEmbeddings, sentences: list[Sentence], perturber: Perturber | None
    ) -> Tensor:
        padded = self._look_up(member, sentences)
        mask = token_mask(sentences)
        vectors = padded[mask]  # [all tokens, embedding]
        norm = self.normalisation_of(member)
        if self.training and perturber is not None and not perturber.aimed:
            norm.update(vectors)
        vectors = norm(vectors)
        if perturber is not None:
            vectors = perturber(vectors, mask.nonzero()[:, 0])
        return torch.zeros_like(padded).masked_scatter(mask.unsqueeze(-1), vectors)

    def encode(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Dropout, projection, recurrent layers, dropout: x → H.

        Args:
            embedded: x, ``[batch, tokens, embedding]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.

        Returns:
            H, ``[batch, tokens, hidden]``.
        """
        states = self._before_rnn(embedded)
        if self.use_rnn:
            states = self._run_rnn(states, mask)
        return self._after_rnn(states)

    def _before_rnn(self, embedded: Tensor) -> Tensor:
        """Dropout and projection."""
        states = embedded
        if self.use_dropout:
            states = self.dropout(states)
        if self.use_word_dropout:
            states = self.word_dropout(states)
        if self.use_locked_dropout:
            states = self.locked_dropout(states)
        if self.reproject_embeddings:
            states = linear(states, self.embedding2nn)
        return states

    def _run_rnn(self, states: Tensor, mask: Tensor) -> Tensor:
        initial = None
        if self.train_initial_hidden_state:
            hidden = self.lstm_init_h.unsqueeze(1).repeat(1, len(states), 1)
            cell = self.lstm_init_c.unsqueeze(1).repeat(1, len(states), 1)
            initial = (hidden, cell) if self.rnn_type == "LSTM" else hidden
        return run_recurrent(self.rnn, states, mask, initial, self.fast_paths.fast_lstm)

    def _after_rnn(self, states: Tensor) -> Tensor:
        """Dropout."""
        if self.use_dropout:
            states = self.dropout(states)
        if self.use_locked_dropout:
            states = self.locked_dropout(states)
        return states

    def most_sentences(self, tokens: int) -> int:
        """How many sentences of a length may go through the network at once in tagging.

        Args:
            tokens: Length of the sentences.

        Returns:
            Their number, 1 or more; a subclass whose memory grows faster than the number of tokens
            bounds it.
        """
        return sys.maxsize

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

        Raises:
            TypeError: If it is given what Flair's ``forward`` takes.
        """
        check_mask(mask)
        return self.emit(self.encode(embedded, mask), mask)

    def emit(self, states: Tensor, mask: Tensor) -> TaggerOutput:
        """The road after the encoder.

        Args:
            states: H, ``[batch, tokens, hidden]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.

        Returns:
            Hidden states and tag scores.
        """
        states = self.enrich(states, mask)
        return TaggerOutput(states, linear(states, self.linear), mask)

    # ----- files -----

    def _get_state_dict(self) -> dict[str, Any]:
        return {
            **super()._get_state_dict(),
            "bidirectional": self.bidirectional,
            "allow_unk_predictions": self.allow_unk_predictions,
            "constrain_decoding": self.constrain_decoding,
            "perturbation": self.perturbation,
            "tag_temperature": self.tag_temperature,
            "embedding_names": get_names(self.embeddings),
        }

    @classmethod
    def _init_model_with_state_dict(cls, state: dict[str, Any], **kwargs: Any) -> Any:
        for name in ("bidirectional", "allow_unk_predictions", "constrain_decoding"):
            kwargs[name] = state[name]
        kwargs["perturbation"] = state.get("perturbation")  # older files have none
        if isinstance(state["embeddings"], dict):
            state = {**state, "embeddings": cls._load_embeddings(state)}
        model = super()._init_model_with_state_dict(state, **kwargs)
        model.tag_temperature = state["tag_temperature"]
        return model

    @staticmethod
    def _load_embeddings(state: dict[str, Any]) -> TokenEmbeddings:
        """The embeddings, with their names: the network is made for those."""
        embeddings: Any = load_embeddings(state["embeddings"])
        set_names(embeddings, state["embedding_names"])
        return embeddings
