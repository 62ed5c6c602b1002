"""Files to Flair sentences."""

from flair_jointner.data.annotation import is_annotated, mark_unannotated
from flair_jointner.data.augmentation import label_with_dictionary, new_sentences
from flair_jointner.data.categories import read_fasttext, read_table
from flair_jointner.data.columns import read_columns
from flair_jointner.data.corpus import read_corpus, read_sentences
from flair_jointner.data.dictionary import EntityDictionary, entity_dictionary
from flair_jointner.data.errors import DataError, MissingPackage
from flair_jointner.data.pytext import read_pytext_tsv
from flair_jointner.data.sampling import length_bucketed
from flair_jointner.data.segmented_text import WordScores, read_words, word_scores, words_of
from flair_jointner.data.segmenter import CRFSegmenter
from flair_jointner.data.segmenter_training import train_segmenter
from flair_jointner.data.slots import read_slot_folder
from flair_jointner.data.tags import detect_scheme, spans_from_tags
from flair_jointner.data.thai import ThaiTokenizer, character_clusters
from flair_jointner.data.tokenizers import make_tokenizer
from flair_jointner.data.transfer_corpus import (
    TransferCorpus,
    alternating_resources,
    is_source,
    mark_source,
)
from flair_jointner.data.vector_files import load_vectors, save_vectors
from flair_jointner.data.vector_training import train_vectors
from flair_jointner.data.word_embeddings import (
    corpus_vocabulary,
    unknown_words,
    word_embeddings,
)
from flair_jointner.data.writing import write_columns

__all__ = [
    "CRFSegmenter",
    "DataError",
    "EntityDictionary",
    "MissingPackage",
    "ThaiTokenizer",
    "TransferCorpus",
    "WordScores",
    "alternating_resources",
    "character_clusters",
    "corpus_vocabulary",
    "detect_scheme",
    "entity_dictionary",
    "is_annotated",
    "is_source",
    "label_with_dictionary",
    "length_bucketed",
    "load_vectors",
    "make_tokenizer",
    "mark_source",
    "mark_unannotated",
    "new_sentences",
    "read_columns",
    "read_corpus",
    "read_fasttext",
    "read_pytext_tsv",
    "read_sentences",
    "read_slot_folder",
    "read_table",
    "read_words",
    "save_vectors",
    "spans_from_tags",
    "train_segmenter",
    "train_vectors",
    "unknown_words",
    "word_embeddings",
    "word_scores",
    "words_of",
    "write_columns",
]
