"""A tagger that trains, predicts and evaluates."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from flair.data import Dictionary, Sentence
from flair.tokenization import Tokenizer
from flair.training_utils import EmbeddingStorageMode, Result
from torch.utils.data import Dataset

from flair_jointner.data.annotation import is_annotated
from flair_jointner.data.segtok import default_tokenizer
from flair_jointner.layers import LinearChainCRF
from flair_jointner.layers.chain import ChainScores, at_least_float32
from flair_jointner.layers.recurrent import runs_fast
from flair_jointner.models.bulk import Text, tag_rows
from flair_jointner.models.character_cnn import CharacterCNNEmbeddings
from flair_jointner.models.embedding import has_table, separate_members
from flair_jointner.models.evaluation import (
    entity_result,
    gold_facts,
    main_score,
    write_predictions,
)
from flair_jointner.models.folding import why_not_folded
from flair_jointner.models.losses import LossMean
from flair_jointner.models.network import TaggerOutput
from flair_jointner.models.prediction import Decoder, Prediction, write_labels
from flair_jointner.models.tagging import TaggingRun
from flair_jointner.models.tagset import TagSet
from flair_jointner.models.trainable import TrainableTagger
from flair_jointner.models.word_encoder import EncoderMemory


class BaseTagger(TrainableTagger):
    """Flair's ``SequenceTagger`` with the same parameters and the same results.

    It differs from Flair's in this: sentences that are marked as not annotated add no loss and
    count in no score; losses are means over sentences, not sums; decoding yields valid sequences
    only; scores are probabilities of the CRF; ``train_initial_hidden_state`` is heeded, where Flair
    makes the states and never reads them; a loss weight with a CRF, where Flair ignores it, is an
    error. What Flair's ``_prepare_tensors``, ``viterbi_decoder`` and ``loss_function`` are for is
    done by :meth:`embed`, :meth:`decode` and :meth:`losses`.

    Attributes:
        class_type: Label type of the class that a system with a sentence head predicts; None
            without.
    """

    class_type: str | None = None

    @cached_property
    def folded(self) -> EncoderMemory:
        """Weights folded for tagging."""
        return EncoderMemory()

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
            mini_batch_size: Number of sentences that go through the network at once; where
                words are looked up, up to 256 of like length, which take little memory.
            return_probabilities_for_all_classes: Whether each token gets the probability of every
                tag (``token.get_tags_proba_dist``).
            verbose: Whether to show a progress bar.
            label_name: Label type of the predictions; the model's own when None. Classes of
                sentences are then labelled ``{label_name}_{class_type}``.
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
        for given in sentences:
            if not isinstance(given, Sentence):
                raise TypeError(
                    f"predict takes Sentence objects, and was given {given!r:.80}: pass "
                    "flair.data.Sentence(text), or give texts to tag."
                )
        losses = LossMean() if return_loss else None
        as_tokens = force_token_predictions or not self.predict_spans
        run = TaggingRun(
            self,
            mini_batch_size,
            with_probabilities=as_tokens or return_probabilities_for_all_classes,
        )
        for index, prediction in run.over_sentences(
            sentences, embedding_storage_mode, losses, show_progress=verbose
        ):
            write_labels(
                sentences[index],
                prediction,
                self.tagset_of(sentences[index]),
                label_name or self.tag_type,
                self._class_label_name(label_name),
                as_tokens,
                return_probabilities_for_all_classes,
            )
        if losses is not None:
            return torch.tensor([losses.mean() * len(sentences)]), len(sentences)
        return None

    def _class_label_name(self, label_name: str | None) -> str:
        """Label type of predicted classes; of use to a system with a sentence head."""
        return ""

    def tag(
        self,
        texts: Iterable[Text],
        *,
        tokenizer: Tokenizer | None = None,
        batch_size: int = 256,
        chunk_size: int = 4096,
        bfloat16: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Tags any number of texts lazily and in order, with the result of :meth:`predict`.

        Over vectors that depend on the word alone no ``Sentence`` is made;
        :meth:`describe_fast_path` says whether that is so.

        Args:
            texts: Texts, or lists of tokens; an empty one gets an empty row.
            tokenizer: Cuts a text into tokens; ``SegtokTokenizer``, Flair's default, when None.
            batch_size: Number of sentences that go through the network at once.
            chunk_size: Number of sentences that are held, and sorted by length, at once.
            bfloat16: Whether to compute in mixed precision, which is faster where the processor
                has it, and moves a score in its third digit.

        Yields:
            ``{"text": …, "category": …, "score": …, "entities": [{"type": …, "text": …, "start": …,
            "end": …, "score": …}, …]}``. Category and score are None where the tagger has no
            sentence head or the text no token. Offsets count characters of the given text (tokens
            count as joined by spaces), ``end`` exclusive.

        Raises:
            TypeError: If it is given one text, or what is neither a text nor a list of tokens.
            ValueError: If a size is below 1.
        """
        if batch_size < 1 or chunk_size < 1:
            raise ValueError(
                f"batch_size is {batch_size} and chunk_size {chunk_size}: both have to be 1 or "
                "more."
            )
        if isinstance(texts, str):
            raise TypeError(f"tag takes several texts: pass a list of them, as [{texts[:40]!r}].")
        tokenizer = tokenizer or default_tokenizer()
        return tag_rows(self, texts, tokenizer, batch_size, chunk_size, bfloat16)

    def predict_tokens(
        self, sentences: list[list[str]], batch_size: int = 256, bfloat16: bool = False
    ) -> list[Prediction | None]:
        """Predicts tokenised sentences.

        Args:
            sentences: The tokens of each.
            batch_size: Number of sentences that go through the network at once.
            bfloat16: Whether to compute in mixed precision.

        Returns:
            A prediction each; None for an empty one.

        Raises:
            ValueError: If a token is empty.
        """
        for tokens in sentences:
            if "" in tokens:
                raise ValueError(f"One of the tokens is empty, which Flair's are never: {tokens}")
        of_tokens = not self.predict_spans  # the score of such a tag is its probability
        run = TaggingRun(self, batch_size, with_probabilities=of_tokens, bfloat16=bfloat16)
        return run.over_tokens(sentences)

    def describe_fast_path(self) -> dict[str, str]:
        """Which fast paths this tagger takes, and why it does not take the others.

        Returns:
            For each switch of :class:`~flair_jointner.models.fast_paths.FastPaths` "on", or the
            reason why not.
        """
        switches = vars(self.fast_paths).items()
        on = {name: "on" if value else "switched off" for name, value in switches}
        members = [member for part in self._inputs() for member in separate_members(part)]
        if not any(has_table(m) or isinstance(m, CharacterCNNEmbeddings) for m in members):
            reason = f"{type(self.embeddings).__name__} is embedded token by token"
            on["word_table"] = on["memory"] = reason
        if not (self.use_rnn and runs_fast(self.rnn, self.linear.weight)):
            on["fast_lstm"] = "there is no LSTM on the CPU with oneDNN"
        if not self.use_crf:
            on["scaled_crf"] = "there is no CRF"
        on["folded_lstm"] = why_not_folded(self) or "on"
        return on

    def decode(
        self,
        output: TaggerOutput,
        decoder: Decoder,
        with_probabilities: bool = False,
        with_scores: bool = True,
    ) -> list[Prediction]:
        """Finds the best tags of each sentence of a batch, and how probable they are.

        Args:
            output: What the network makes of the batch.
            decoder: What :meth:`decoder` made.
            with_probabilities: Whether the probability of each tag at each token is wanted.
            with_scores: Whether the probability of each entity is wanted.

        Returns:
            A prediction per sentence.
        """
        return decoder(
            at_least_float32(output.emissions), output.mask, with_probabilities, with_scores
        )

    def decoder(self) -> Decoder:
        """What turns tag scores into predictions, with the weights as they are now."""
        return Decoder(self.tagset, *self.decoding_chain(), self.tag_temperature)

    def decoding_chain(self) -> tuple[ChainScores, ChainScores | None]:
        """What paths are scored with when tags are predicted.

        Returns:
            The scores of the chain, zeros without a CRF, and the constraint that keeps paths
            valid, if there is one.
        """
        return self._chain(self._own_crf, self.tagset)

    def _chain(
        self, crf: LinearChainCRF | None, tagset: TagSet
    ) -> tuple[ChainScores, ChainScores | None]:
        """Scores and constraint for the tags of one decoder."""
        weight = self.linear.weight.detach().float()
        if crf is not None:
            chain = crf.chain()
        else:
            zeros = weight.new_zeros(len(tagset) + 2, len(tagset))
            chain = ChainScores(zeros[2:], zeros[0], zeros[1])
        constraint = None
        if self.constrain_decoding:
            constraint = tagset.constraint(self.allow_unk_predictions).to(weight)
        return ChainScores(*(part.detach() for part in chain.to(weight))), constraint

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
            mini_batch_size: Number of sentences that go through the network at once; where
                words are looked up, up to 256 of like length, which take little memory.
            main_evaluation_metric: Average (or type) and metric of the main score; of a tagger with
                a sentence head also ``("class", "accuracy")``.
            exclude_labels: Types that do not count, neither as gold nor as predicted.
            gold_label_dictionary: Gold types outside of it count as ``<unk>``.
            return_loss: Whether to compute the loss as well.
            **kwargs: Ignored, as in Flair.

        Returns:
            The scores; the loss is the mean over sentences.

        Raises:
            ValueError: If there is no such main score.
        """
        sentences = [data_points[index] for index in range(len(data_points))]  # type: ignore[arg-type]
        losses = LossMean() if return_loss else None
        run = TaggingRun(self, mini_batch_size, with_scores=False)
        predictions = dict(run.over_sentences(sentences, embedding_storage_mode, losses))
        gold, predicted = set(), set()
        annotated, found = set(), set()  # all, which do not all count
        for index, sentence in enumerate(sentences):
            facts = set()
            if index in predictions:
                facts = predictions[index].facts(index, self.tagset_of(sentence))
            found |= facts
            right = gold_facts(sentence, index, gold_label_type)
            annotated |= right
            if is_annotated(sentence, gold_label_type):
                if gold_label_dictionary is not None:
                    right = gold_facts(sentence, index, gold_label_type, gold_label_dictionary)
                gold |= right
                predicted |= facts
        excluded = exclude_labels or []
        gold = {fact for fact in gold if fact.type not in excluded}
        predicted = {fact for fact in predicted if fact.type not in excluded}
        if out_path is not None:
            write_predictions(out_path, sentences, annotated, found, self.predict_spans)
        loss = losses.mean() if losses is not None else None
        result = entity_result(gold, predicted, loss)
        if not any(is_annotated(sentence, gold_label_type) for sentence in sentences):
            result.detailed_results = "\nResults:\n- No sentence is annotated with entities."
        self._extend_result(result, sentences, predictions)
        result.main_score = main_score(result, tuple(main_evaluation_metric))
        return result

    def _extend_result(
        self, result: Result, sentences: list[Sentence], predictions: dict[int, Prediction]
    ) -> None:
        """Adds the scores of what a system predicts beside the tags."""
