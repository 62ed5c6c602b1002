"""The section of a report that says how its study was run."""

import json
from typing import Any

from flair_jointner.studies.config import Study
from flair_jointner.studies.records import Record
from flair_jointner.studies.results import Results
from flair_jointner.studies.sections import Size
from flair_jointner.studies.tables import escape, table


def how_it_was_run(results: Results) -> str:
    """Says how much was trained on and how long, with which settings and versions.

    Args:
        results: The results.

    Returns:
        A section in Markdown.
    """
    study = results.study
    used = [f"{name} {', '.join(values)}" for name, values in _versions(results).items()]
    return (
        "## How it was run\n\n"
        "Number of sentences; means of epochs and seconds of a run. The source's sentences are for "
        "the configurations that learn from one.\n\n"
        f"{_counts_table(results)}\n\n"
        f"- Training, where a configuration does not say otherwise: {_shown(study.training)}.\n"
        f"- Classifiers: {_shown(study.pretraining)}.\n"
        f"- Word vectors: {_shown_vectors(study)}.\n"
        "- A data set without class files pre-trains on the classes of all its training data.\n"
        f"- Versions: {'; '.join(used)}.\n\n"
        f"{_options_table(study)}"
    )


def _counts_table(results: Results) -> str:
    head = ["data, sentences", "train", "dev", "test", "source", "runs", "epochs", "seconds"]
    return table(head, [_counts(results, data, size) for data, size in results.places])


def _counts(results: Results, data: str, size: Size) -> list[str]:
    """The row of a data set and a training size."""
    runs = [r for r in results.records if (r["data"], r["size"]) == (data, size)]
    sentences = runs[0]["sentences"]
    return [
        f"{escape(data)}, {size}",
        f"{results.count(data, size):,}",
        *(f"{sentences[part]:,}" for part in ("dev", "test")),
        f"{max(r['sentences'].get('source', 0) for r in runs):,}",
        str(len(runs)),
        f"{_mean(runs, 'epochs'):.0f}",
        f"{_mean(runs, 'seconds'):.0f}",
    ]


def _mean(runs: list[Record], name: str) -> float:
    return sum(run[name] for run in runs) / len(runs)


def _shown(settings: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.model_dump().items())


def _shown_vectors(study: Study) -> str:
    """The vectors of each data set; data sets with the same ones together."""
    shown: dict[str, list[str]] = {}
    for name in study.data:
        shown.setdefault(_shown_words(study, name), []).append(escape(name))
    if len(shown) == 1:
        return next(iter(shown))
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in shown.items())


def _shown_words(study: Study, name: str) -> str:
    data, vectors = study.data[name], study.vectors_of(name)
    if vectors.file is not None:
        text = vectors.file.name
    else:
        settings = ", ".join(f"{name} {value}" for name, value in vectors.settings.items())
        parts = ["training and dev data, whatever the size"]
        parts += ["class files"] if data.classes else []
        parts += ["extra files"] if any(files != "rest" for files in data.extra.values()) else []
        parts += [path.name for path in [*(vectors.texts or []), *(vectors.raw or [])]]
        parts += ["the source"] if data.source and data.source.vectors is None else []
        text = f"{settings or 'defaults'}, trained on the texts of {' and '.join(parts)}"
    own = data.source.vectors if data.source else None
    if own is None:
        return text
    of_source = own.file.name if own.file is not None else "trained on its own texts"
    return f"{text} (the source's: {of_source})"


def _options_table(study: Study) -> str:
    """What each configuration says in the study's file."""
    rows = []
    for name, configuration in study.configurations.items():
        said = configuration.model_dump(mode="json", exclude={"only"}, exclude_defaults=True)
        rows.append([escape(name), f"`{json.dumps(said, ensure_ascii=False)}`"])
    return table(["configuration", "options"], rows)


def _versions(results: Results) -> dict[str, list[str]]:
    """All versions with which runs were done: one of each, if results are to be compared."""
    found: dict[str, list[str]] = {}
    for record in results.records:
        for name, value in record["versions"].items():
            if value not in found.setdefault(name, []):
                found[name].append(value)
    return found
