"""jointner study."""

from pathlib import Path

import click

from flair_jointner.cli.options import COUNT
from flair_jointner.studies.checks import check_data
from flair_jointner.studies.config import Study, read_study
from flair_jointner.studies.grid import plan
from flair_jointner.studies.records import Record, is_done, read_records, records_file
from flair_jointner.studies.report import write_report
from flair_jointner.studies.results import Results
from flair_jointner.studies.runner import run_study

IN_OUTPUT = Path("-")


@click.command()
@click.argument("config", required=False, metavar="CONFIG",
                type=click.Path(exists=True, dir_okay=False, path_type=Path))  # fmt: skip
@click.option("--jobs", type=COUNT, default=1, show_default=True,
              help="Runs at a time; the CPU's threads are divided among them, at most "
              "OMP_NUM_THREADS for each if that is set.")  # fmt: skip
@click.option("--retry", is_flag=True, help="Do runs again that failed before.")
@click.option("--output", "-o", type=click.Path(path_type=Path, file_okay=False),
              help="Folder in the place of the one that CONFIG names.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Check CONFIG, list its runs, and train nothing.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), is_flag=False,
              flag_value=str(IN_OUTPUT), help="Train nothing, and write what is finished to this "
              "Markdown file (report.md in the output folder, if none is named), with HTML and "
              "pictures beside it.")  # fmt: skip
def study(
    config: Path | None,
    jobs: int,
    retry: bool,
    output: Path | None,
    dry_run: bool,
    report: Path | None,
) -> None:
    """Trains every configuration of CONFIG with every seed on every data set.

    \b
    Interrupted, the same command goes on after the last finished run. A run that fails is recorded,
    the others go on, and the exit code is 1.
      jointner study study.yaml --dry-run
      jointner study study.yaml --jobs 2
      jointner study study.yaml --report
    """
    if config is None:
        last = (
            "" if report in (None, IN_OUTPUT) else f" It comes before --report: {report} --report"
        )
        raise click.UsageError(f"Missing argument 'CONFIG'.{last}")
    without = [name for name, given in (("--dry-run", dry_run), ("--retry", retry)) if given]
    if report is not None and without:
        raise click.UsageError(f"--report trains nothing: leave out {' and '.join(without)}.")
    found = read_study(config)
    if output is not None:
        found = found.model_copy(update={"output": output.absolute()})
    if dry_run:
        _list_runs(found)
    elif report is not None:
        results = Results(found)
        path = found.output / "report.md" if report == IN_OUTPUT else report
        for file in write_report(results, path):
            click.echo(f"Report: {file}")
    else:
        try:
            failed = run_study(found, jobs, retry)
        except (KeyboardInterrupt, SystemExit) as stop:
            records = read_records(found).values()
            finished = sum("error" not in record for record in records)
            wanted = len(plan(found))
            click.echo(
                f"\n{finished} of {wanted} runs are finished; the same command goes on.", err=True
            )
            raise SystemExit(getattr(stop, "code", 130)) from None
        click.echo(f"{len(read_records(found))} runs, {failed} failed: {records_file(found)}")
        if failed:
            click.echo(f"--retry does them again; logs: {found.output / 'logs'}", err=True)
            raise SystemExit(1)


def _list_runs(study: Study) -> None:
    check_data(study)
    records = read_records(study)
    for run in plan(study):
        click.echo(f"{_state(study, records.get(run)):6} {run}")


def _state(study: Study, record: Record | None) -> str:
    if record is None or not is_done(study, record):
        return "to do"
    return "failed" if "error" in record else "done"
