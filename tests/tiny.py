"""Tiny things that tests build: invented words, labelled titles, taggers of a few units."""

import signal
from collections.abc import Sequence

import torch
from flair.data import Corpus, Dictionary, Sentence, Span
from flair.embeddings import WordEmbeddings

from flair_jointner import JointTagger
from flair_jointner.data.annotation import add_gold_labels, mark_unannotated

TAG_TYPE = "ner"
CLASS_TYPE = "category"
TYPES = ("COLOUR", "PRODUCT")
CLASSES = ("kitchen", "garden", "office")
WORDS = tuple(a + b for a in ("mi", "ro", "ta", "ke", "su") for b in ("bal", "fen", "gop", "lum"))

Spans = Sequence[tuple[int, int, str]]


def words(size=6, name="tiny", vocabulary=WORDS, seed=1, **options):
    """Word embeddings with random vectors, made without any file."""
    embeddings = WordEmbeddings(
        None,
        vocab={word: index for index, word in enumerate(vocabulary)},
        embedding_length=size,
        name=name,
        **options,
    )
    generator = torch.Generator().manual_seed(seed)
    table = torch.randn(len(vocabulary), size, generator=generator)
    with torch.no_grad():
        embeddings.embedding.weight[:-1] = table  # the last row is the unknown word's
    return embeddings


def dictionary(items=TYPES, spans=True, add_unk=False):
    made = Dictionary(add_unk=add_unk)
    made.span_labels = spans
    for item in items:
        made.add_item(item)
    return made


def title(text: str, spans: Spans = (), category=None, annotated=True):
    """A sentence with gold labels, or one that nobody has annotated."""
    sentence = Sentence(text.split())
    add_gold_labels(
        sentence, tag_type=TAG_TYPE, spans=spans, class_type=CLASS_TYPE, category=category
    )
    if not annotated:
        mark_unannotated(sentence, TAG_TYPE)
    return sentence


def titles():
    """Annotated titles of different lengths; one holds a word without a vector."""
    return [
        title("mibal rofen tagop kelum sulum", [(0, 1, "COLOUR"), (2, 5, "PRODUCT")], "garden"),
        title("sufen", [(0, 1, "PRODUCT")], "kitchen"),
        title("tabal kefen", [(0, 2, "PRODUCT")], "office"),
        title("robal rogop rolum unheard mifen migop milum", [(3, 4, "COLOUR")], "garden"),
        title("kebal kegop susu", [], "kitchen"),
        title("sulum sugop", [(0, 1, "COLOUR"), (1, 2, "COLOUR")], "office"),
    ]


def random_titles(count: int, longest=7, seed=0):
    """Unlabelled sentences of random words."""
    generator = torch.Generator().manual_seed(seed)

    def draw(high: int) -> int:
        return int(torch.randint(high, (1,), generator=generator))

    return [
        Sentence([WORDS[draw(len(WORDS))] for _ in range(1 + draw(longest))]) for _ in range(count)
    ]


def joint_tagger(embeddings=None, types=TYPES, classes=CLASSES, **options):
    """A random tagger in evaluation mode, with weights wild enough to predict many things."""
    settings = {"hidden_size": 4, "attention_heads": 2, "init_range": 1.5, **options}
    tagger = JointTagger(
        embeddings or words(),
        types if isinstance(types, Dictionary) else dictionary(types),
        TAG_TYPE,
        dictionary(classes, spans=False) if classes else None,
        CLASS_TYPE if classes else None,
        **settings,
    )
    return tagger.eval()


def corpus(train, dev=(), test=()):
    return Corpus(
        train=list(train), dev=list(dev), test=list(test), sample_missing_splits=False, name="tiny"
    )


def write_titles(folder, count=160, train=100, dev=30):
    """Files of titles on which a tagger can learn colours, products and the category.

    train.conll, dev.conll and test.conll are annotated; categories.txt holds all of them with
    their category only, and new.txt the texts of the first twenty.
    """
    colours, products = WORDS[:6], WORDS[6:12]
    places = dict(zip(CLASSES, WORDS[12:15], strict=True))
    blocks, lines = [], []
    for number, sentence in enumerate(random_titles(count, longest=5)):
        category = CLASSES[number % 3]
        tokens = [places[category], *(token.text for token in sentence)]
        tags = [
            "B-COLOUR" if t in colours else "B-PRODUCT" if t in products else "O" for t in tokens
        ]
        rows = "\n".join(f"{token}\t{tag}" for token, tag in zip(tokens, tags, strict=True))
        blocks.append(f"# category = {category}\n{rows}\n")
        lines.append(f"__label__{category} {' '.join(tokens)}")
    parts = {
        "train": blocks[:train],
        "dev": blocks[train : train + dev],
        "test": blocks[train + dev :],
    }
    for name, part in parts.items():
        (folder / f"{name}.conll").write_text("\n".join(part), encoding="utf-8")
    (folder / "categories.txt").write_text("\n".join(lines), encoding="utf-8")
    (folder / "new.txt").write_text("\n".join(line.split(" ", 1)[1] for line in lines[:20]))


def listen_to_ctrl_c():
    """Undoes that a process which was started in the background ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def labels(sentence, label_type: str, digits=5):
    """Label values of a type with their places (None for the sentence) and rounded scores."""
    return [
        (_place(label.data_point), label.value, round(label.score, digits))
        for label in sentence.get_labels(label_type)
    ]


def spans(sentence, label_type: str):
    """The entities of a sentence: (start, end, type)."""
    return sorted(
        (*_place(label.data_point), label.value) for label in sentence.get_labels(label_type)
    )


def token_tags(sentence, label_type: str):
    """The tag of each token, O where it has none."""
    return [token.get_label(label_type).value for token in sentence]


def _place(point):
    if isinstance(point, Sentence):
        return None
    tokens = point.tokens if isinstance(point, Span) else [point]
    return tokens[0].idx - 1, tokens[-1].idx


def encode(length: int, entities: Spans, scheme="BIOES"):
    """Tags that spell the entities, written independently of the package."""
    tags = ["O"] * length
    for start, end, kind in entities:
        tags[start:end] = [f"I-{kind}"] * (end - start)
        tags[start] = f"B-{kind}"
        if scheme == "BIOES":
            tags[end - 1] = f"E-{kind}" if end - start > 1 else f"S-{kind}"
    return tags


def decode(tags: Sequence[str], scheme="BIOES"):
    """The entities that tags spell; None if they are no valid sequence of the scheme."""
    found, start = [], None
    for place, tag in enumerate(tags):
        prefix, kind = tag[:1], tag[2:]
        if start is not None and not (prefix in ("I", "E") and kind == tags[start][2:]):
            if scheme == "BIOES":
                return None
            found.append((start, place, tags[start][2:]))
            start = None
        if prefix in ("I", "E") and start is None or tag.startswith("<"):
            return None
        if prefix == "B":
            start = place
        elif prefix == "S" or prefix == "E":
            found.append((place if prefix == "S" else start, place + 1, kind))
            start = None
    if start is not None:
        if scheme == "BIOES":
            return None
        found.append((start, len(tags), tags[start][2:]))
    return found
