"""The results of a study on disk: a JSON line per run."""

import json
import os
from pathlib import Path
from typing import Any

from flair_jointner.studies.config import Study
from flair_jointner.studies.grid import Run, plan, run_key

Record = dict[str, Any]


def records_file(study: Study) -> Path:
    """Where the results of a study lie.

    Args:
        study: The study.

    Returns:
        The file, which may not exist yet.
    """
    return study.output / "results.jsonl"


def run_folder(study: Study, key: str) -> Path:
    """Where a run trains, and its model stays if models are kept.

    Args:
        study: The study.
        key: The run's key.

    Returns:
        The folder, which may not exist.
    """
    return study.output / "runs" / key


def is_done(study: Study, record: Record, retry: bool = False) -> bool:
    """Whether a run has all that the study asks for.

    Args:
        study: The study.
        record: Its record.
        retry: Whether failed runs are done again.

    Returns:
        False also for one whose model shall be kept and was not.
    """
    if "error" in record:
        return not retry
    return not study.keep_models or (record.get("kept", False) and _model_is_there(study, record))


def _model_is_there(study: Study, record: Record) -> bool:
    return any(run_folder(study, record["key"]).rglob("best-model.pt"))


def append_record(study: Study, record: Record) -> None:
    """Adds a line, on the disk before this returns.

    Args:
        study: The study.
        record: What JSON can hold.
    """
    file = records_file(study)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+b") as lines:
        _drop_torn_line(lines)
        lines.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        lines.flush()
        os.fsync(lines.fileno())


def read_records(study: Study) -> dict[Run, Record]:
    """Reads the results of the runs that a study asks for now.

    Args:
        study: The study.

    Returns:
        The last record of each run, or the last with scores, if there is one: a run can fail when
        it is done again for its model. They stand in the order of the plan, under the names that
        data set and configuration have now; runs of other configurations, or of an older state of
        the data, are left out.

    Raises:
        ValueError: If a line is damaged.
    """
    found: dict[str, Record] = {}
    file = records_file(study)
    if file.exists():
        *lines, last = file.read_bytes().split(b"\n")
        if _is_whole(last):
            lines.append(last)
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
                if "error" not in record or "error" in found.get(record["key"], record):
                    found[record["key"]] = record
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(
                    f"{file}, line {number} is no result: {line[:60]!r}. Delete that line; its run "
                    "is done again."
                ) from error
    keys = {run: run_key(study, run) for run in plan(study)}
    return {run: {**found[key], **run._asdict()} for run, key in keys.items() if key in found}


def _drop_torn_line(lines: Any) -> None:
    """Cuts off what a crash in the middle of writing left."""
    lines.seek(0)
    text = lines.read()
    last = text[text.rfind(b"\n") + 1 :]
    if _is_whole(last):  # an editor may leave out the end of the last line
        lines.write(b"\n")
    else:
        lines.truncate(len(text) - len(last))
    lines.seek(0, os.SEEK_END)


def _is_whole(line: bytes) -> bool:
    """Whether a line without end is a result all the same."""
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
