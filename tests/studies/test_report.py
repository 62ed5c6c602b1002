"""The report of made-up results."""

import html
import re

import pytest
from PIL import Image
from small_study import make_study, record, settings

from flair_jointner.studies.plots import (
    draw_confusion,
    draw_learning_curves,
    draw_sizes,
    draw_types,
)
from flair_jointner.studies.records import append_record
from flair_jointner.studies.report import MARKER, write_report
from flair_jointner.studies.results import Results

HEADS = [
    "Which configuration to take",
    "Test F1, 20 training sentences",
    "Test F1, 40 training sentences",
    "Gain over plain, 20 training sentences",
    "Gain over plain, 40 training sentences",
    "F1 against training size",
    "Learning curves",
    "By entity type",
    "Confusion",
    "Accuracy of the classes, 20 training sentences",
    "Accuracy of the classes, 40 training sentences",
    "How it was run",
    "Runs that failed",
]


@pytest.fixture
def results(tmp_path):
    study = make_study(tmp_path, sizes=[20, 40])
    for size in (20, 40):
        for seed in (1, 2):
            append_record(study, record(study, size=size, seed=seed))
            joint = {"size": size, "configuration": "joint", "seed": seed}
            if (size, seed) == (40, 2):
                joint["error"] = "a\nBoom: x | y"
            counts = [[3, 0, 0], [1, seed, 0]]
            append_record(study, record(study, **joint, counts=counts, accuracy=0.5))
    return Results(study)


def test_it_says_all_and_the_page_needs_no_other_file(results, tmp_path):
    paths = write_report(results, tmp_path / "docs.md")
    assert [path.name for path in paths] == ["docs.md", "docs.html"]
    text, page = (path.read_text(encoding="utf-8") for path in paths)
    assert re.findall(r"^## (.*)$", text, re.M) == HEADS
    assert "| titles, 20 | joint | " in text
    assert "`Boom: x \\| y`" in text
    pictures = re.findall(r"\]\((.*?\.png)\)", text)
    assert len(pictures) == 4
    for name in pictures:
        with Image.open(tmp_path / name) as picture:
            assert min(picture.size) > 200
            assert len(picture.convert("L").getcolors()) > 20  # something is drawn
    assert page.count('src="data:image/png;base64,') == 4
    assert not re.findall(r'(src|href)="(?!data:)', page)
    assert page.count("<table>") == text.count("| --- |")


@pytest.mark.parametrize(("others", "drawn"), [(0, "plain joint"), (9, "plain best")])
def test_curves_are_of_all_configurations_if_they_are_few(tmp_path, others, drawn):
    more = {f"other {number}": {"hidden_size": 5 + number} for number in range(others)}
    names = {"plain": {"ner_only": True}, "joint": {}, "best": {"hidden_size": 4}, **more}
    if not others:
        del names["best"]
    study = make_study(tmp_path, configurations=names)
    for name in names:
        counts = [[3 + (name == "best"), 1, 0]]
        append_record(study, record(study, configuration=name, counts=counts))
    results = Results(study)
    for figure in (draw_learning_curves(results), draw_sizes(results)):
        assert " ".join(figure.axes[0].get_legend_handles_labels()[1]) == drawn
    write_report(results, tmp_path / "docs.md")
    text = (tmp_path / "docs.md").read_text(encoding="utf-8")
    assert ("Drawn are the configurations compared with" in text) == bool(others)


def test_types_stand_in_the_middle_of_their_bars(results):
    for baselines in (["plain"], ["joint"]):  # beside the best one, which is joint, and alone
        study = results.study.model_copy(update={"baselines": baselines})
        axes = draw_types(Results(study)).axes[0]
        places = [bar.get_y() + bar.get_height() / 2 for bar in axes.patches]
        ticks = len(axes.get_yticks())
        middles = [sum(places[i::ticks]) / len(places[i::ticks]) for i in range(ticks)]
        assert middles == pytest.approx(axes.get_yticks())


def test_a_run_that_diverged_is_named(tmp_path):
    study = make_study(tmp_path)
    append_record(study, record(study))
    append_record(study, record(study, seed=2, diverged=True))
    write_report(Results(study), tmp_path / "docs.md")
    text = (tmp_path / "docs.md").read_text(encoding="utf-8")
    assert "| titles, 40, plain, seed 2 | diverged after epoch 2; the best model before" in text


def test_confusion_says_how_many_entities_a_run_has(tmp_path):
    study = make_study(tmp_path, configurations={"plain": {"ner_only": True}})
    for seed, counts in ((1, [[5, 1, 3]]), (2, [[3, 4, 1]])):
        append_record(study, record(study, seed=seed, counts=counts))
    labels = [
        label.get_text() for label in draw_confusion(Results(study)).axes[0].get_yticklabels()
    ]
    assert labels == ["COLOUR (6)", "spurious (2)"]  # (8 + 4) / 2, and (1 + 4) / 2 to the even


def test_all_sentences_are_counted(tmp_path):
    study = make_study(tmp_path, sizes=["all"])
    append_record(study, record(study, size="all"))
    count = Results(study).count("titles", "all")
    write_report(Results(study), tmp_path / "docs.md")
    text = (tmp_path / "docs.md").read_text(encoding="utf-8")
    assert f"## Test F1, all training sentences ({count})" in text


def write_below(path, results, wording):
    """Writes a report, then another below what a person wrote in the place of the title."""
    write_report(results, path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("# Results\n", wording), encoding="utf-8")
    write_report(results, path)


def test_what_a_person_wrote_is_kept(results, tmp_path):
    path = tmp_path / "docs.md"
    write_below(path, results, "# Ours\n\nTake joint.\n")
    again = path.read_text(encoding="utf-8")
    assert again.startswith(f"# Ours\n\nTake joint.\n\n{MARKER}")
    assert again.count(MARKER) == 1
    assert "<title>Ours</title>" in (tmp_path / "docs.html").read_text(encoding="utf-8")


def test_a_report_of_a_part_says_so(results, tmp_path):
    write_report(results, tmp_path / "docs.md")
    text = (tmp_path / "docs.md").read_text(encoding="utf-8")
    assert "**7 of 8 runs are finished, and 1 failed.** Compared are means over the seeds" in text


def test_the_gain_of_the_mean_row_is_over_the_same_seeds(tmp_path):
    plain, joint = settings()["configurations"].values()
    fewer = {**joint, "only": {"seeds": [1]}}
    titles = settings()["data"]["titles"]
    study = make_study(
        tmp_path,
        data={"titles": titles, "others": titles},
        configurations={"plain": plain, "joint": fewer},
    )
    right, wrong = [[1, 0, 0]], [[0, 1, 1]]
    for data in ("titles", "others"):
        append_record(study, record(study, data, seed=1, counts=wrong, dev_f1=0.1))
        append_record(study, record(study, data, seed=2, counts=right, dev_f1=0.9))
        joint_record = record(study, data, configuration="joint", counts=right, dev_f1=0.5)
        append_record(study, joint_record)
    write_report(Results(study), tmp_path / "docs.md")
    text = (tmp_path / "docs.md").read_text(encoding="utf-8")
    assert "| mean, 40 | joint | 50.00 | 100.00 | +100.00 |" in text


def test_one_data_set_has_no_row_of_means(tmp_path):
    study = make_study(tmp_path)
    append_record(study, record(study))
    write_report(Results(study), tmp_path / "docs.md")
    text = (tmp_path / "docs.md").read_text(encoding="utf-8")
    assert "| titles, 40 | plain |" in text and "| mean" not in text


def test_names_are_shown_as_they_are(tmp_path):
    name = "A*b*_c_ <b>x</b> | [y](z)"
    study = make_study(tmp_path, configurations={name: {"ner_only": True}})
    append_record(study, record(study, configuration=name))
    path = tmp_path / "my report.md"
    write_report(Results(study), path)
    page = path.with_suffix(".html").read_text(encoding="utf-8")
    assert html.escape(name, quote=False) in page
    assert "<b>x" not in page and "<em>" not in page and page.count("data:image/png") == 3
    assert "](my%20report/types.png)" in path.read_text(encoding="utf-8")


def test_the_report_is_markdown(results, tmp_path):
    with pytest.raises(ValueError, match=r"name it docs\.md"):
        write_report(results, tmp_path / "docs.html")
    assert not (tmp_path / "docs").exists()


def test_a_file_of_another_origin_is_not_overwritten(results, tmp_path):
    path = tmp_path / "README.md"
    path.write_text("# Mine\n", encoding="utf-8")
    with pytest.raises(ValueError, match="was not written by this command"):
        write_report(results, path)
    assert path.read_text(encoding="utf-8") == "# Mine\n"
    assert not path.with_suffix("").exists()

    path.unlink()
    page = path.with_suffix(".html")
    page.write_text("<p>Mine</p>", encoding="utf-8")
    with pytest.raises(ValueError, match=r"README\.html was not written by this command"):
        write_report(results, path)
    assert page.read_text(encoding="utf-8") == "<p>Mine</p>"


def test_a_file_where_the_pictures_would_lie_is_named(results, tmp_path):
    (tmp_path / "docs").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match="docs is a file, where the pictures would lie"):
        write_report(results, tmp_path / "docs.md")


def test_the_smallest_study_has_a_report(tmp_path):
    configurations = {"plain": settings()["configurations"]["plain"]}
    study = make_study(tmp_path, configurations=configurations)
    append_record(study, record(study))
    write_report(Results(study), tmp_path / "docs.md")
    text = (tmp_path / "docs.md").read_text(encoding="utf-8")
    assert "F1 against training size" not in text and "Accuracy" not in text


def test_names_in_pictures_are_shown_as_they_are(tmp_path):
    names = [r"$\foo$ $x$", "_under"]
    study = make_study(tmp_path, configurations={name: {"ner_only": True} for name in names})
    for name in names:
        append_record(study, record(study, configuration=name))
    write_report(Results(study), tmp_path / "docs.md")
    axes = draw_learning_curves(Results(study)).axes[0]
    shown = axes.get_legend_handles_labels()[1]
    assert [label.replace("\\$", "$").strip("\u200b") for label in shown] == names
