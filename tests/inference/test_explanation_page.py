"""The page holds every token, escaped, beside its figures."""

import html.parser

import pytest
import tiny

from flair_jointner.inference import explain
from flair_jointner.inference.explanation_page import explanation_page

PICTURE = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>'
TOKENS = ["<b>", "a&b", '"q"', "</td><script>", "น้ำ", "x\x00y"]


class Cells(html.parser.HTMLParser):
    """The text of each row of a table, cell by cell, and all tags that were seen."""

    def __init__(self):
        super().__init__()
        self.rows, self.seen = [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def parse(attention):
    found = explain(tiny.joint_tagger(attention=attention), TOKENS)
    page = explanation_page(found, PICTURE)
    parser = Cells()
    parser.feed(page)
    return found, page, parser


@pytest.mark.parametrize("attention", ["learned", "scaled", "soft"])
def test_the_table_has_each_token_as_it_is(attention):
    found, page, parsed = parse(attention)
    heading, *rows = parsed.rows
    assert [row[1] for row in rows] == [*TOKENS[:-1], "x�y"]
    assert [row[2] for row in rows] == found.tags
    assert [row[3] for row in rows] == [f"{score:.2f}" for score in found.tag_scores]
    assert ("temperature" in heading) == (attention == "learned")
    assert "script" not in parsed.seen and "b" not in parsed.seen
    assert "&lt;b&gt;" in page


def test_a_row_tells_its_temperature_and_the_tokens_attended_to_most():
    found, _, parsed = parse("learned")
    assert [row[4] for row in parsed.rows[1:]] == [f"{t:.2f}" for t in found.temperatures]
    shown = [*TOKENS[:-1], "x�y"]
    most = found.attended(0)
    expected = "".join(f"{shown[place]} ({place + 1}) {weight:.2f}" for place, weight in most)
    assert parsed.rows[1][5].strip() == expected


def test_a_row_of_soft_attention_tells_its_weight():
    found, _, parsed = parse("soft")
    assert [row[-1].strip() for row in parsed.rows[1:]] == [f"{w:.3f}" for w in found.weights]


def test_the_picture_stands_in_the_page_itself():
    _, page, parsed = parse("learned")
    assert "<svg xmlns" in page and "<?xml" not in page
    assert not {"link", "img", "script"} & set(parsed.seen)
