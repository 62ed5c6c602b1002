"""jointner augment."""

from collections import Counter
from pathlib import Path
from typing import Any

import click
from flair.data import Sentence
from tqdm import tqdm

from flair_jointner.cli import options
from flair_jointner.cli.inputs import Paths, check_not_read, read_all, read_raw, reading_annotated
from flair_jointner.cli.options import COUNT, FILE
from flair_jointner.data import (
    EntityDictionary,
    entity_dictionary,
    label_with_dictionary,
    new_sentences,
    write_columns,
)
from flair_jointner.data.augmentation import count_entities, draw
from flair_jointner.data.dictionary import token_texts


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--train", "train_files", required=True, multiple=True, type=FILE,
              help="Annotated sentences, for the dictionary; can be given many times.")  # fmt: skip
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path, dir_okay=False),
              help="Column file for the labelled titles.")  # fmt: skip
@click.option("--raw", is_flag=True, help="The files are plain text, a title per line.")
@click.option("--min-count", type=COUNT, default=1, show_default=True,
              help="Strings that are entities less often are left out.")  # fmt: skip
@click.option("--min-share", type=click.FloatRange(0, 1), default=0.8, show_default=True,
              help="Strings whose most frequent type has less than this share of their "
              "occurrences, as entities and outside entities, are left out.")  # fmt: skip
@click.option("--ignore-case", is_flag=True, help="Count and match upper and lower case alike.")
@click.option("--keep-unmatched", is_flag=True,
              help="Write titles in which nothing was found too, as titles without "
              "entities.")  # fmt: skip
@click.option("--limit", type=COUNT, help="Write so many titles at most, drawn at random.")
@click.option("--seed", default=1, show_default=True, help="The same seed draws the same titles.")
@options.label_types
@options.reading
def augment(
    files: Paths,
    train_files: Paths,
    output: Path,
    raw: bool,
    keep_unmatched: bool,
    limit: int | None,
    seed: int,
    labels: dict[str, Any],
    reading: dict[str, Any],
    **rules: Any,
) -> None:
    """Labels the titles of FILES with a dictionary of the entities in annotated ones.

    \b
    FILES are class-only files, the category of which is kept, or with --raw plain text:
      jointner augment --train train.conll categories.txt --limit 10000 -o augmented.conll
      jointner augment --train train.conll --raw titles.txt -o augmented.conll
      jointner train --train train.conll --train augmented.conll ...

    A string of whole tokens gets the type that it most often has in the annotated sentences. It is
    left out where this type has less than --min-share of all places where the string is an entity
    or wholly outside entities. Of matches that overlap, the leftmost counts, and of those that
    begin together the longest.

    Titles that are also in the annotated files are left out. So are titles in which nothing was
    found, unless --keep-unmatched is given: a small dictionary that knows none of their words does
    not show that they have no entities.
    """
    check_not_read(output, (*files, *train_files))
    training, titles = _read(files, train_files, raw, labels, reading)
    tag_type, class_type = labels["tag_type"], labels["class_type"]
    dictionary = entity_dictionary(training, tag_type, **rules)
    click.echo(_describe_dictionary(dictionary))
    fresh, matched = _match(titles, training, dictionary, tag_type)
    chosen = fresh if keep_unmatched else matched
    if limit is not None:
        chosen = draw(chosen, limit, seed)
    written = label_with_dictionary(
        tqdm(chosen, "Labelling", unit=" titles"), dictionary, tag_type, class_type
    )
    write_columns(
        written,
        output,
        tag_type,
        class_type,
        class_key=reading["class_key"],
        encoding=reading["encoding"] or "utf-8",
    )
    fewer = f" (--limit {limit:,} finds no more)" if limit and len(written) < limit else ""
    entities = count_entities(written, tag_type)
    click.echo(
        f"Written: {len(written):,} titles{fewer} with {entities.total():,} entities "
        f"({_by_type(entities)}): {output}"
    )


def _read(
    files: Paths,
    train_files: Paths,
    raw: bool,
    labels: dict[str, Any],
    reading: dict[str, Any],
) -> tuple[list[Sentence], list[Sentence]]:
    """The annotated sentences, without a class, and the titles."""
    types = {**labels, "class_type": None}
    if raw:
        # The option is for the titles alone: annotated sentences are tokens already.
        training = read_all(train_files, types, {**reading, "tokenizer": None})
        return training, [Sentence(tokens) for tokens in read_raw(files, reading)]
    training = read_all(train_files, types, reading, files)
    with reading_annotated():
        return training, read_all(files, labels, reading, train_files)


def _match(
    titles: list[Sentence], training: list[Sentence], dictionary: EntityDictionary, tag_type: str
) -> tuple[list[Sentence], list[Sentence]]:
    """The titles that nobody has annotated, and those of them in which an entity is found."""
    if not titles:
        raise ValueError("The files to label hold no title.")
    fresh = new_sentences(titles, training, tag_type)
    if not fresh:
        raise ValueError(
            f"There is no title to label: of {len(titles)} read, all are among the annotated ones."
        )
    # Labelled later, and only if they are written: of a million titles, --limit may want few.
    matched = [
        title
        for title in tqdm(fresh, "Matching", unit=" titles")
        if dictionary.find(token_texts(title))
    ]
    click.echo(
        f"Titles: {len(titles):,} read, {len(titles) - len(fresh):,} left out as annotated "
        f"already, {len(matched):,} matched, {len(fresh) - len(matched):,} in which nothing was "
        "found"
    )
    if not matched:
        raise ValueError(
            "Nothing is written: no title has an entity of the dictionary. Are the titles cut into "
            "tokens as the annotated ones are (--tokenizer)? --ignore-case finds more, and so do "
            "lower --min-share and --min-count."
        )
    return fresh, matched


def _describe_dictionary(dictionary: EntityDictionary) -> str:
    left_out = dictionary.left_out
    return (
        f"Dictionary: {len(dictionary.entries):,} strings "
        f"({_by_type(Counter(dictionary.entries.values()))}); left out: "
        f"{left_out['ambiguous']:,} ambiguous between types, {left_out['outside']:,} too often "
        f"outside entities, {left_out['rare']:,} too rare"
    )


def _by_type(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
