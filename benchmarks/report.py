"""The Markdown page that a run of the benchmarks writes."""

from collections.abc import Iterable
from pathlib import Path

import click

_MARK = "<!-- measured -->"


class Report:
    """A page: what a person wrote above a mark, and below it what was measured.

    It is written after each section, so that nothing is lost when a later one fails.

    Attributes:
        path: Its file; pictures stand beside it.
    """

    def __init__(self, path: Path) -> None:
        """Keeps what stands above the mark in an older page.

        Args:
            path: Its file.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        older = path.read_text(encoding="utf-8") if path.exists() else ""
        self._lines = [older.split(_MARK)[0] + _MARK]

    def add(self, lines: Iterable[str]) -> None:
        """Adds lines, shows them, and writes the page."""
        for line in lines:
            click.echo(line)
            self._lines.append(line)
            self._write()

    def section(self, title: str, lines: Iterable[str]) -> None:
        """Adds a section; its lines may be measured one by one."""
        self._lines += ["", f"## {title}", ""]
        self.add(lines)

    def _write(self) -> None:
        self.path.write_text("\n".join(self._lines) + "\n", encoding="utf-8")


def head(*columns: str) -> list[str]:
    """The first two lines of a table."""
    return ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
