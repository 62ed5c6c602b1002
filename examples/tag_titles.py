"""Load a trained tagger and tag new titles.

python examples/tag_titles.py runs/pretrained/best-model.pt resources/titles/new.txt
"""

from collections.abc import Iterable
from pathlib import Path

import click

from flair_jointner.models import load_tagger


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@click.argument("titles", type=click.File("r", encoding="utf-8"))
def main(model: Path, titles: Iterable[str]) -> None:
    tagger = load_tagger(model)
    for row in tagger.tag(line.rstrip("\n") for line in titles):
        category = f"{row['category']} ({row['score']:.2f})" if row["category"] else "no category"
        click.echo(f"\n{row['text']}\n  {category}")
        for entity in row["entities"]:
            click.echo(f"  {entity['type']:<15}{entity['text']}  ({entity['score']:.2f})")


if __name__ == "__main__":
    main()
