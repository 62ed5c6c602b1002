"""Prediction, evaluation and tagging in bulk."""

import itertools
import tempfile
from pathlib import Path
from typing import Any

from flair.data import Sentence
from measure import Comparison, compare, seconds
from setting import Material, made_up, texts, titles, trained_pair, unlabelled

from flair_jointner.data.segtok import default_tokenizer
from flair_jointner.inference import tag_in_parallel


def tagging(
    material: Material, repetitions: int, theirs_count: int, batch_size: int
) -> list[Comparison]:
    """Compares predict, evaluate and bulk tagging with Flair's predict and evaluate.

    Flair's side may tag fewer sentences; both are counted per sentence.
    """
    theirs, ours = trained_pair(material)
    name, sentences = material.name, material.fresh
    few = sentences[:theirs_count]
    tokens = texts(sentences)
    work = len(sentences) / len(few)
    shared: dict[str, Any] = {"repetitions": repetitions, "per": len(few), "our_work": work}
    agreement = same_tags(theirs, ours, few)
    bulk_size = max(256, batch_size)  # 256 is the default
    # Predicted sentences carry labels: each run gets sentences of its own, made outside the time.
    prepared = {
        "theirs": [unlabelled(few) for _ in range(3 * repetitions)],
        "ours": [unlabelled(sentences) for _ in range(repetitions + 1)],
    }

    def flair_predict() -> None:
        theirs.predict(prepared["theirs"].pop(), mini_batch_size=batch_size)

    def predict() -> None:
        ours.predict(prepared["ours"].pop(), mini_batch_size=batch_size)

    def bulk(**options: Any) -> Any:
        return lambda: sum(
            len(row["entities"]) for row in ours.tag(tokens, batch_size=bulk_size, **options)
        )

    rows = [compare(f"predict, {name}", flair_predict, predict, agreement, **shared)]
    rows.append(compare(f"bulk, {name}", flair_predict, bulk(), agreement, **shared))
    changed = rounding(ours, tokens)
    rows.append(
        compare(f"bulk, {name}, bfloat16", flair_predict, bulk(bfloat16=True), changed, **shared)
    )
    rows.append(from_texts(material, theirs, ours, shared, batch_size))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.tsv"

        def evaluate(tagger: Any, data: list[Sentence]) -> Any:
            return lambda: tagger.evaluate(data, "ner", out_path=out, mini_batch_size=batch_size)

        scores = [evaluate(tagger, few)().main_score for tagger in (theirs, ours)]
        rows.append(
            compare(
                f"evaluate with file and loss, {name}",
                evaluate(theirs, few),
                evaluate(ours, sentences),
                f"F1 {scores[0]:.4f} and {scores[1]:.4f}",
                **shared,
            )
        )
    return rows


def from_texts(
    material: Material, theirs: Any, ours: Any, shared: dict[str, Any], batch_size: int
) -> Comparison:
    """Compares bulk tagging with Flair's predict where texts have to be cut into tokens first."""
    raw = [" ".join(tokens) for tokens in texts(material.fresh)]
    few = raw[: shared["per"]]
    cut = default_tokenizer()
    same = sum([token.text for token in Sentence(text)] == cut.tokenize(text) for text in few)
    return compare(
        f"bulk from texts, {material.name}",
        lambda: theirs.predict([Sentence(text) for text in few], mini_batch_size=batch_size),
        lambda: sum(len(row["entities"]) for row in ours.tag(raw, batch_size=max(256, batch_size))),
        f"same tokens in {same} of {len(few)}",
        **shared,
    )


def same_tags(theirs: Any, ours: Any, sentences: list[Sentence]) -> str:
    """In how many sentences both find the same entities, ours without its constraint.

    Flair's tagger predicts invalid sequences too; ours does on request.
    """
    constrained, ours.constrain_decoding = ours.constrain_decoding, False
    found = []
    for tagger in (theirs, ours):
        fresh = unlabelled(sentences)
        tagger.predict(fresh)
        found.append(
            [
                {(span.tokens[0].idx, span.tokens[-1].idx, span.tag) for span in s.get_spans("ner")}
                for s in fresh
            ]
        )
    ours.constrain_decoding = constrained
    same = sum(one == two for one, two in zip(*found, strict=True))
    return f"same entities in {same} of {len(sentences)}"


def rounding(ours: Any, tokens: list[list[str]]) -> str:
    """How many sentences bfloat16 changes."""
    rows = zip(ours.tag(tokens), ours.tag(tokens, bfloat16=True), strict=True)
    places = [
        [[(e["start"], e["end"], e["type"]) for e in row["entities"]] for row in pair]
        for pair in rows
    ]
    return f"other entities in {sum(one != two for one, two in places)} of {len(tokens)}"


def large_vocabulary(repetitions: int, batch_size: int) -> Comparison:
    """Bulk tagging with 200,000 distinct words, too many for one table."""
    material = made_up(25, 200_000)
    theirs, ours = trained_pair(material)
    sentences = titles(20_000, len(material.types), 200_000, mean=10, seed=1)
    few = sentences[: max(640, 4 * batch_size)]
    tokens = texts(sentences)
    prepared = [unlabelled(few) for _ in range(repetitions)]
    bulk_size = max(256, batch_size)
    return compare(
        "bulk, 25 tags, 200,000 distinct words",
        lambda: theirs.predict(prepared.pop(), mini_batch_size=batch_size),
        lambda: sum(len(row["entities"]) for row in ours.tag(tokens, batch_size=bulk_size)),
        same_tags(theirs, ours, few),
        repetitions=repetitions,
        per=len(few),
        our_work=len(sentences) / len(few),
    )


def two_workers(repetitions: int, bfloat16: bool) -> Comparison:
    """Bulk tagging in two processes, their start left out, over Flair in one."""
    material = made_up(25)
    theirs, ours = trained_pair(material)
    sentences = material.fresh
    few = sentences[:640]
    tokens = texts(sentences)
    prepared = [unlabelled(few) for _ in range(repetitions)]
    ratios, slow_times, fast_times = [], [], []
    count = 60_000
    rows = tag_in_parallel(ours, itertools.cycle(tokens), 2, chunk_size=2048, bfloat16=bfloat16)
    next(itertools.islice(rows, 20_000, None))  # the processes have started and are busy
    for _ in range(repetitions):
        fast = seconds(lambda: next(itertools.islice(rows, count - 1, None))) / count
        fast_times.append(fast)
    rows.close()
    for _ in range(repetitions):
        slow_times.append(seconds(lambda: theirs.predict(prepared.pop(), 32)) / len(few))
    ratios = [slow / fast for slow, fast in zip(slow_times, fast_times, strict=True)]
    name = "bulk, 25 tags, two workers" + (", bfloat16" if bfloat16 else "")
    return Comparison(
        name,
        sorted(slow_times)[repetitions // 2],
        sorted(fast_times)[repetitions // 2],
        ratios,
        "as bulk",
    )
