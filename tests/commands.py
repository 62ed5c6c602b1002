"""The command line, called in this process."""

from click.testing import CliRunner, Result

from flair_jointner.cli.main import main


def jointner(*arguments: object, stdin: str | None = None) -> Result:
    """What `jointner` with these arguments prints, and its exit code."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)
