"""The command line: each command parses, calls the library and prints."""

import logging
import sys
from typing import Any

import click

from flair_jointner.cli.augment import augment
from flair_jointner.cli.evaluate import evaluate
from flair_jointner.cli.explain import explain
from flair_jointner.cli.map import draw_map
from flair_jointner.cli.pretrain import pretrain
from flair_jointner.cli.segmenter import segmenter
from flair_jointner.cli.study import study
from flair_jointner.cli.tag import tag
from flair_jointner.cli.train import train
from flair_jointner.cli.vectors import vectors


class _UserError(click.ClickException):
    """What click prints on standard error, without a traceback."""

    exit_code = 2


class _Commands(click.Group):
    """Turns what a user got wrong into one message and exit code 2, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            sys.stderr.close()  # whoever read our output has gone: nobody is left to tell
            raise SystemExit(1) from None
        except (ValueError, OSError) as error:
            raise _UserError(str(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="flair-jointner")
def main() -> None:
    """Named-entity recognition with little annotation, helped by cheap sentence labels.

    \b
    From raw material to a tagger:
      jointner vectors train.conll categories.txt -o vectors.bin
      jointner pretrain --train categories.txt --vectors vectors.bin -o classifier
      jointner train --train train.conll --dev dev.conll --test test.conll \\
          --classifier classifier/best-model.pt --attention learned -o tagger
      jointner tag tagger/best-model.pt titles.txt > entities.jsonl
    """
    # Flair logs to standard output, where `tag` writes its rows.
    for handler in logging.getLogger("flair").handlers:
        if type(handler) is logging.StreamHandler:
            handler.setStream(sys.stderr)
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    logging.getLogger("flair_jointner").setLevel(logging.INFO)


for command in (
    vectors,
    segmenter,
    augment,
    pretrain,
    train,
    evaluate,
    tag,
    explain,
    draw_map,
    study,
):
    main.add_command(command)
