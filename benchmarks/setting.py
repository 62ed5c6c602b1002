"""Data to measure on, made up or real, and the same network as Flair's tagger and as ours."""

import logging
import random
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from flair.data import Corpus, Dictionary, Sentence
from flair.embeddings import TokenEmbeddings, WordEmbeddings
from flair.models import SequenceTagger

from flair_jointner import JointTagger
from flair_jointner.data import read_sentences
from flair_jointner.models.embedding import join_characters

DIMENSION = 300
HIDDEN = 256


@dataclass(frozen=True)
class Material:
    """What taggers are trained on and tag.

    Attributes:
        name: What rows of the report call it.
        train: Sentences with entities.
        fresh: Others.
        words: Random vectors of the words of both, from their characters beside them or not.
        types: The entity types.
    """

    name: str
    train: list[Sentence]
    fresh: list[Sentence]
    words: TokenEmbeddings
    types: Dictionary


def made_up(tags: int, vocabulary: int = 5000, mean: int = 15, count: int = 3840) -> Material:
    """Made-up sentences with entity types for about this many tags."""
    types = entity_types(tags)
    return Material(
        f"{tags} tags",
        titles(count, types, vocabulary, seed=7),
        titles(4096, types, vocabulary, mean, seed=1),
        embeddings(vocabulary, types),
        dictionary([f"T{index}" for index in range(types)]),
    )


def spelled(material: Material) -> Material:
    """The same with vectors from characters."""
    words = join_characters(material.words, material.train)
    return replace(material, name=f"{material.name}, characters", words=words)


def real(name: str, train: Path, fresh: Path) -> Material:
    """A data set."""
    logging.getLogger("flair_jointner").setLevel(logging.ERROR)  # it reports slots in mid-word
    splits = [read_sentences(path, "ner", None) for path in (train, fresh)]
    sentences = [sentence for split in splits for sentence in split]
    found = sorted({label.value for s in sentences for label in s.get_labels("ner")})
    vocabulary = sorted({token.text for sentence in sentences for token in sentence})
    words = WordEmbeddings(
        None,
        vocab={word: index for index, word in enumerate(vocabulary)},
        embedding_length=DIMENSION,
    )
    with torch.no_grad():
        words.embedding.weight.copy_(
            torch.randn(words.embedding.weight.shape, generator=torch.Generator().manual_seed(0))
        )
    return Material(f"{name}, {4 * len(found) + 3} tags", *splits, words, dictionary(found))


def entity_types(tags: int) -> int:
    """How many entity types make about this many BIOES tags, with START and STOP."""
    return max(1, (tags - 3) // 4)


def dictionary(types: list[str]) -> Dictionary:
    """The entity types."""
    made = Dictionary(add_unk=False)
    made.span_labels = True
    for name in types:
        made.add_item(name)
    return made


def embeddings(vocabulary: int, types: int) -> WordEmbeddings:
    """Random vectors of made-up words; those that name a type lie near each other."""
    made = WordEmbeddings(
        None,
        vocab={f"w{index}": index for index in range(vocabulary)},
        embedding_length=DIMENSION,
    )
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(vocabulary, DIMENSION, generator=generator)
    centres = 2 * torch.randn(types, DIMENSION, generator=generator)
    naming = torch.arange(0, vocabulary, 8)
    table[naming] += centres[naming // 16 % types]
    with torch.no_grad():
        made.embedding.weight[:-1] = table
    return made


def titles(
    count: int, types: int, vocabulary: int, mean: int = 15, seed: int = 0
) -> list[Sentence]:
    """Sentences of about `mean` tokens; an eighth of the words names a type.

    The standard deviation of their lengths is two fifths of the mean: in titles, questions and
    dialogue it is three to five tenths. Entities of every other type are two tokens long.
    """
    source = random.Random(seed)
    made = []
    for _ in range(count):
        length = max(1, round(source.gammavariate(6.25, mean / 6.25)))
        words = [source.randrange(vocabulary) for _ in range(length)]
        sentence = Sentence([f"w{word}" for word in words])
        place = 0
        while place < length:
            if words[place] % 8:
                place += 1
                continue
            named = words[place] // 16 % types
            end = min(length, place + 1 + named % 2)
            sentence[place:end].add_label("ner", f"T{named}")
            place = end
        made.append(sentence)
    return made


def texts(sentences: list[Sentence]) -> list[list[str]]:
    """The tokens alone."""
    return [[token.text for token in sentence] for sentence in sentences]


def unlabelled(sentences: list[Sentence]) -> list[Sentence]:
    """The same sentences without labels."""
    return [Sentence(tokens) for tokens in texts(sentences)]


def flair_tagger(material: Material) -> SequenceTagger:
    """Flair's tagger with the paper's sizes."""
    return SequenceTagger(
        material.words,
        material.types,
        "ner",
        hidden_size=HIDDEN,
        rnn_layers=1,
        locked_dropout=0.5,
        word_dropout=0.0,
    )


def our_tagger(material: Material, **options: object) -> JointTagger:
    """Ours with the same."""
    return JointTagger(material.words, material.types, "ner", init_range=None, **options)


def trained_pair(material: Material) -> tuple[SequenceTagger, JointTagger]:
    """Both taggers with the same weights, trained until they predict as trained taggers do."""
    ours = our_tagger(material)
    sentences = material.train[:1600]
    optimizer = torch.optim.Adam(ours.parameters(), lr=3e-3, fused=True)
    ours.train()
    for step in range(400):
        batch = sentences[step * 32 % 1600 :][:32]
        optimizer.zero_grad()
        ours.forward_loss(batch)[0].backward()
        torch.nn.utils.clip_grad_norm_(ours.parameters(), 5.0)
        optimizer.step()
    theirs = flair_tagger(material)
    theirs.load_state_dict(ours.state_dict())
    return theirs.eval(), ours.eval()


def corpus(sentences: list[Sentence]) -> Corpus:
    """A corpus with next to no dev data, so that an epoch is training."""
    return Corpus(train=sentences, dev=sentences[:8], sample_missing_splits=False, name="made up")
