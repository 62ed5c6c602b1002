"""jointner explain."""

from pathlib import Path

import click
from flair.tokenization import Tokenizer

from flair_jointner.cli.options import FILE, TOKENIZER
from flair_jointner.inference import describe_explanation
from flair_jointner.inference import explain as explain_text
from flair_jointner.models import JointTagger


@click.command()
@click.argument("model", type=FILE)
@click.argument("text")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False),
              help="Draw it into this file, which ends in .png, .svg, .pdf or .html.")  # fmt: skip
@click.option("--tokenizer", **TOKENIZER, default="segtok", show_default=True,
              help="Cuts the text; space for a text that is tokenised.")  # fmt: skip
@click.option("--trust", is_flag=True, help="Load a model file that may run code.")
def explain(model: Path, text: str, output: Path | None, tokenizer: Tokenizer, trust: bool) -> None:
    """Shows what the attention of MODEL does with the tokens of one TEXT.

    \b
    Prints the tag of each token, its learned temperature and the tokens that it attends to most;
    the picture shows all weights of all heads.
      jointner explain tagger/best-model.pt "Áo thun nam cotton" -o attention.html
      jointner explain tagger/best-model.pt "Áo thun nam cotton" -o attention.png
    """
    # matplotlib takes a while to import, and no other command needs these modules.
    from flair_jointner.inference.pictures import draw, picture_format

    if output is not None:
        picture_format(output)
    explanation = explain_text(JointTagger.load(model, trust=trust), text, tokenizer)
    click.echo(describe_explanation(explanation))
    if output is not None:
        click.echo(f"\nPicture: {draw(explanation, output)}")
