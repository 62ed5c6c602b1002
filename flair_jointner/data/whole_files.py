"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Writes a file beside its place and puts it there when it is complete.

    After a crash the old file is as it was; after an error nothing else is left either.

    Args:
        path: The file. A missing folder is an error.

    Yields:
        The name to write to, in the same folder.

    Raises:
        ValueError: If there is something at `path` that is not a file, such as a folder or a
            device.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is not a file that can be replaced: name another one.")
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
