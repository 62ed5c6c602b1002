"""Errors in data files, and what to do with them: stop at the first, or skip and count."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger("flair_jointner")

_EXAMPLES = 3


class DataError(ValueError):
    """Something in a data file is not as its format says."""

    def __init__(self, path: str | Path, line: int | None, found: str, expected: str) -> None:
        """Makes the error and its message.

        Args:
            path: The file.
            line: The line number, from 1; None if the whole file is meant.
            found: What stands there.
            expected: What should stand there, or what the user can do.
        """
        self.path = Path(path)
        self.line = line
        self.found = found
        self.expected = expected
        place = f"{path}" if line is None else f"{path}, line {line}"
        super().__init__(f"{place}: found {found}; expected {expected}")


class MissingPackage(ImportError, ValueError):
    """A package of an extra is not installed.

    An ImportError, as Python's users expect; and a ValueError, which the command line prints.
    """

    def __init__(self, package: str, purpose: str, extra: str) -> None:
        """Makes the error and its message.

        Args:
            package: The package's name.
            purpose: What it is needed for, after "needed".
            extra: The extra of `flair-jointner` that installs it.
        """
        super().__init__(
            f"{package} is needed {purpose} and is not installed. "
            f"Type: pip install 'flair-jointner[{extra}]'"
        )


class MalformedData:
    """Stops at the first malformed sentence, or skips and counts malformed sentences.

    Use it as a context manager around a whole file, and `catch` around each sentence:

        with MalformedData(skip_malformed) as malformed:
            for lines in sentences:
                with malformed.catch():
                    ...
    """

    def __init__(self, skip: bool) -> None:
        """Begins with no errors.

        Args:
            skip: Whether to collect the errors and go on, instead of raising them.
        """
        self.skip = skip
        self.errors: list[DataError] = []

    def __enter__(self) -> MalformedData:
        """Begins to collect."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Reports what was skipped."""
        self.report()

    @contextmanager
    def catch(self) -> Iterator[None]:
        """Guards the reading of one sentence.

        Yields:
            Nothing.

        Raises:
            DataError: From the guarded block, unless malformed sentences are skipped.
        """
        try:
            yield
        except DataError as error:
            if not self.skip:
                raise
            self.errors.append(error)

    def report(self) -> None:
        """Logs the number of skipped sentences per file, with a few examples, as a warning."""
        for path, count in Counter(error.path for error in self.errors).items():
            examples = [str(error) for error in self.errors if error.path == path][:_EXAMPLES]
            log.warning(
                "%s: skipped %d malformed sentence(s), for example:\n  %s",
                path,
                count,
                "\n  ".join(examples),
            )

    def require_sentences(self, path: str | Path, count: int) -> None:
        """Refuses a file of which no sentence is left.

        Args:
            path: The file that was read.
            count: How many sentences it gave.

        Raises:
            DataError: If there are none.
        """
        if count == 0:
            skipped = f" ({len(self.errors)} malformed, skipped)" if self.errors else ""
            raise DataError(path, None, f"no sentence{skipped}", "at least one sentence")
