import gzip
import logging
from pathlib import Path

import pytest
from seqeval.metrics.sequence_labeling import get_entities

from flair_jointner.data.annotation import is_annotated
from flair_jointner.data.columns import read_columns
from flair_jointner.data.errors import DataError

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the corpora of ../shared/data")


@pytest.fixture
def write(tmp_path):
    def write_file(text, name="f.conll", encoding="utf-8"):
        path = tmp_path / name
        content = text.encode(encoding)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write_file


def tokens_of(sentences):
    return [[token.text for token in sentence] for sentence in sentences]


def spans_of(sentences):
    return [
        (number, span.text, span.get_label("ner").value)
        for number, sentence in enumerate(sentences)
        for span in sentence.get_spans("ner")
    ]


def categories_of(sentences):
    return [[label.value for label in s.get_labels("category")] for s in sentences]


def error_of(path, *arguments, **options):
    with pytest.raises(DataError) as error:
        read_columns(path, *arguments, **options)
    return error.value


PLAIN = "# category = shoes\nred\tB-COLOUR\nboots\tO\n\n# category = hats\nfelt\tO\nhat\tO\n"


@pytest.mark.parametrize(
    ("name", "encoding", "text"),
    [
        ("f.conll", "utf-8", PLAIN),
        ("f.conll", "utf-8", PLAIN.rstrip("\n")),
        ("f.conll", "utf-8", "\n\n" + PLAIN + "\n \t\n\t\n"),
        ("f.conll", "utf-8", PLAIN.replace("\n", "\r\n")),
        ("f.conll", "utf-8-sig", PLAIN),
        ("f.conll.gz", "utf-8", PLAIN),
        ("f.conll", "utf-8", PLAIN.replace("\t", " ")),
        ("f.conll", "utf-8", PLAIN.replace("\t", "   ")),
        ("f.conll", "utf-8", PLAIN.replace("\tO", " O ").replace("\t", " ")),
        ("f.conll", "utf-8", PLAIN.replace(" = ", ": ")),
        ("f.conll", "utf-8", PLAIN.replace(" = ", "=")),
        ("f.conll", "utf-8", PLAIN.replace("\n\n", "\n\n-DOCSTART-\tO\n\n")),
    ],
)
def test_one_content_in_many_forms(write, name, encoding, text):
    sentences = read_columns(write(text, name, encoding), "ner", "category")
    assert tokens_of(sentences) == [["red", "boots"], ["felt", "hat"]]
    assert spans_of(sentences) == [(0, "red", "COLOUR")]
    assert categories_of(sentences) == [["shoes"], ["hats"]]
    assert all(is_annotated(sentence, "ner") for sentence in sentences)


def test_without_a_class_type_comments_are_metadata_only(write):
    sentences = read_columns(write(PLAIN))
    assert categories_of(sentences) == [[], []]
    assert sentences[1].get_metadata("category") == "hats"


def test_unicode_spaces_are_tokens(write):
    path = write("\u3000\tO\n\u00a0\tB-X\na\u3000b\tI-X\n")
    (sentence,) = read_columns(path)
    assert [token.text for token in sentence] == ["\u3000", "\u00a0", "a\u3000b"]
    assert spans_of([sentence])[0][2] == "X"
    assert tokens_of(read_columns(write("a\u00a0b O\nc O\n"))) == [["a\u00a0b", "c"]]


def test_latin_1(write):
    path = write("mañana\tO\n\nÁvila\tB-LOC\n", encoding="latin-1")
    assert tokens_of(read_columns(path, encoding="latin-1")) == [["mañana"], ["Ávila"]]
    error = error_of(path)
    assert error.line == 1
    assert "F1" in error.found and "not utf-8" in error.found
    assert "encoding=" in error.expected


def test_more_columns(write):
    path = write("1\tset\tint\tO\n2\tnine\tint\tB-time\n")
    (sentence,) = read_columns(path, text_column=1)
    assert sentence.to_tokenized_string() == "set nine"
    assert spans_of([sentence]) == [(0, "nine", "time")]
    path = write("O Oslo B-LOC\nO is O\n")
    assert spans_of(read_columns(path, text_column=-2, tag_column=2)) == [(0, "Oslo", "LOC")]


@pytest.mark.parametrize("separator", ["\t", " "])
def test_tokens_may_begin_with_a_hash(write, separator):
    lines = ["# category = X", "#_O", "#2_B-SIZE", "#nyaman_O", "##_O", "", "#tag_O", "#_B-A"]
    path = write("\n".join(lines).replace("_", separator))
    sentences = read_columns(path, "ner", "category")
    assert tokens_of(sentences) == [["#", "#2", "#nyaman", "##"], ["#tag", "#"]]
    assert spans_of(sentences) == [(0, "#2", "SIZE"), (1, "#", "A")]
    assert categories_of(sentences) == [["X"], []]


def test_a_file_of_nothing_but_hash_tokens(write):
    path = write("#\tO\n#one\tB-X\n")
    assert tokens_of(read_columns(path)) == [["#", "#one"]]


def test_comments_before_the_first_token_and_with_tabs(write):
    text = (
        "# licence: free\n#####\n\n# global.columns = TOKEN TAG\n# text = a\tb\n# newpar\n"
        "# category = A = B: c\na\tO\n"
    )
    (sentence,) = read_columns(write(text), "ner", "category")
    assert tokens_of([sentence]) == [["a"]]
    assert categories_of([sentence]) == [["A = B: c"]]
    assert sentence.get_metadata("text") == "a\tb"
    assert sentence.get_metadata("global.columns") == "TOKEN TAG"
    assert not sentence.has_metadata("licence")


def test_a_category_comment_with_as_many_words_as_columns(write):
    path = write("# category = O\nred JJ X O\n\n# category = B-1\n# NN X O\n")
    sentences = read_columns(path, "ner", "category")
    assert tokens_of(sentences) == [["red"], ["#"]]
    assert categories_of(sentences) == [["O"], ["B-1"]]


def test_the_category_may_have_another_key(write):
    path = write("# id: 1\n# intent: set alarm\na\tO\n")
    (sentence,) = read_columns(path, "ner", "category", class_key="intent")
    assert categories_of([sentence]) == [["set alarm"]]
    assert sentence.get_metadata("id") == "1"
    error = error_of(path, "ner", "category", class_key="kind")
    assert "'id', 'intent'" in error.found
    assert "'kind'" in error.expected
    with pytest.raises(ValueError, match="class_type"):
        read_columns(path, class_key="intent")


def test_comments_of_other_keys_are_no_category_and_named(write, caplog):
    path = write("# id: 1\n# intent: set alarm\na\tO\n")
    assert categories_of(read_columns(path, "ner", "category")) == [[]]
    assert "'id', 'intent' and none 'category'" in caplog.text
    assert "--class-key" in caplog.text


def test_a_sentence_without_the_comment_has_no_category(write):
    sentences = read_columns(write("# category = A\na\tO\n\nb\tO\n"), "ner", "category")
    assert categories_of(sentences) == [["A"], []]
    assert categories_of(read_columns(write("b\tO\n"), "ner", "category")) == [[]]


def test_underscores_mean_no_annotation(write):
    path = write("# category = A\na\t_\n_\t_\n\nb\tO\n#\tO\n\n#\t_\n")
    sentences = read_columns(path, "ner", "category")
    assert [is_annotated(sentence, "ner") for sentence in sentences] == [False, True, False]
    assert tokens_of(sentences) == [["a", "_"], ["b", "#"], ["#"]]
    assert categories_of(sentences) == [["A"], [], []]


def test_the_scheme_is_found_from_the_whole_file(write):
    path = write("a\tI-X\nb\tB-X\n\nc\tI-Y\n")
    assert spans_of(read_columns(path)) == [(0, "a", "X"), (0, "b", "X"), (1, "c", "Y")]
    assert error_of(path, scheme="BIO").line == 1
    path = write("a\tB-X\nb\tE-X\nc\tS-X\n")
    assert spans_of(read_columns(path)) == [(0, "a b", "X"), (0, "c", "X")]
    with pytest.raises(ValueError, match="Unknown tagging scheme"):
        read_columns(path, scheme="XYZ")


GOOD = "# category = A\na\tB-X\nb\tO\n\n"  # lines 1 to 4


@pytest.mark.parametrize(
    ("bad", "line", "found"),
    [
        ("c\tO\nd\n", 6, "1 column"),
        ("c\tO\nd\tO\tO\n", 6, "3 column"),
        ("c O\n", 5, "1 column"),
        ("\tO\n", 5, "empty token"),
        (" \tO\n", 5, "empty token"),
        ("c\tO\nd\tI-X\n", 6, "'I-X'"),
        ("c\tB-\n", 5, "without a type"),
        ("c\tX-LOC\n", 5, "'X-LOC'"),
        ("c\t\n", 5, "''"),
        ("#c\tX-LOC\n", 5, "'X-LOC'"),
        ("#c\n", 5, "1 column"),
        ("c\tO\nd\t_\n", 6, "'_' after 'O'"),
        ("c\t_\nd\t_\ne\tO\n", 7, "'O' after '_'"),
        ("c\tO\n#d\n", 6, "1 column"),
        ("c\tO\n# category = B\n", 6, "inside a sentence"),
        ("# category =\nc\tO\n", 5, "without a value"),
        ("# id = 1\n# category:  \nc\tO\n", 6, "without a value"),
        ("# category = A\n# category = B\nc\tO\n", 6, "second comment"),
        ("# id = 1\n# category = A\n", 5, "without tokens"),
    ],
)
def test_malformed_sentences(write, caplog, bad, line, found):
    path = write(GOOD + bad + "\n" + "z\tB-Y\n")
    error = error_of(path, "ner", "category")
    assert error.line == line
    assert error.path == path
    assert found in error.found
    with caplog.at_level(logging.WARNING, "flair_jointner"):
        sentences = read_columns(path, "ner", "category", skip_malformed=True)
    assert tokens_of(sentences) == [["a", "b"], ["z"]]
    assert "skipped 1 malformed" in caplog.text and f"line {line}" in caplog.text


def test_old_line_ends_are_refused(write):
    path = write("a O\rb B-X\r\rc O\r")
    with pytest.raises(DataError, match="line 1: found carriage returns"):
        read_columns(path)


def test_undecodable_bytes_spoil_one_sentence_only(write):
    path = write("a\tO\n\nb\tO\nñ\tO\n\nc\tO\n", encoding="latin-1")
    assert error_of(path).line == 4
    assert tokens_of(read_columns(path, skip_malformed=True)) == [["a"], ["c"]]


@pytest.mark.parametrize("text", ["", "\n\n", "# only = a comment\n", "-DOCSTART-\tO\n\n"])
def test_a_file_without_sentences_is_an_error(write, text):
    assert "no sentence" in error_of(write(text)).found


def test_a_file_of_which_all_is_skipped_is_an_error(write):
    path = write("a\tO\nb\tB-\n")
    assert "no sentence (1 malformed, skipped)" in error_of(path, skip_malformed=True).found


def test_impossible_columns(write):
    assert "text_column=5" in error_of(write(PLAIN), text_column=5).expected
    assert "the same" in error_of(write("a\nb\n")).found
    assert "the same" in error_of(write(PLAIN), text_column=1).found
    with pytest.raises(ValueError, match="'title'"):
        read_columns(write(PLAIN), text_column="title")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_columns(tmp_path / "nowhere.conll")


@needs_data
@pytest.mark.parametrize(
    ("name", "sentences", "tokens", "entities", "categories"),
    [
        ("titles-id/train.conll", 1000, 9576, 2967, 1000),
        ("titles-vi/train.conll", 1000, 16243, 602, 1000),
        ("titles-vi/test.conll", 500, 7856, 296, 500),
        ("attributes-id/train.conll", 1030, 9908, 3547, 0),
        ("attributes-id/test.conll", 300, 2950, 1065, 0),
        ("conll2003-en/eng.train", 14041, 203621, 23499, 0),
        ("conll2003-en/eng.testa", 3250, 51362, 5942, 0),
        ("wnut2016-en/train", 2394, 46469, 1496, 0),
        ("wnut2017-en/wnut17train.conll", 3394, 62730, 1975, 0),
        ("wnut2017-en/emerging.test.annotated", 1287, 23394, 1079, 0),
        ("weibo-zh/weiboNER_2nd_conll.dev", 270, 14509, 389, 0),
    ],
)
def test_real_files_give_the_true_counts(name, sentences, tokens, entities, categories):
    read = read_columns(SHARED / name, "ner", "category")
    assert len(read) == sentences
    assert sum(map(len, read)) == tokens
    assert len(spans_of(read)) == entities
    assert sum(map(len, categories_of(read))) == categories


@needs_data
@pytest.mark.parametrize(
    ("name", "separator"),
    [
        ("conll2003-en/eng.testb", " "),
        ("conll2002-es/esp.testa", " "),
        ("conll2002-es/esp.testb", " "),
        ("weibo-zh/weiboNER_2nd_conll.train", "\t"),
        ("wnut2016-en/dev", "\t"),
        ("attributes-id/dev.conll", "\t"),
    ],
)
def test_entities_of_real_files_are_those_of_seqeval(name, separator):
    tags = [[]]
    for line in (SHARED / name).read_text(encoding="utf-8").split("\n"):
        if not line.strip("\t ") or line.startswith("-DOCSTART-"):
            tags.append([])
        else:
            tags[-1].append(line.split(separator)[-1])
    expected = [
        [(start, end + 1, kind) for kind, start, end in get_entities(sentence)]
        for sentence in tags
        if sentence
    ]
    found = [
        [(s[0].idx - 1, s[-1].idx, s.get_label("ner").value) for s in sentence.get_spans("ner")]
        for sentence in read_columns(SHARED / name, scheme="IOB1")
    ]
    assert found == expected


@needs_data
def test_stray_inside_tags_of_real_bio_files_are_found():
    path = SHARED / "conll2002-es" / "esp.testa"
    assert error_of(path).line == 30882
    assert len(read_columns(path, skip_malformed=True)) == 1914


def test_blanks_behind_a_tag_are_no_part_of_it(write):
    sentences = read_columns(write("mibal\tB-COLOUR \nrofen\tO \ntagop\tB-COLOUR\n"))
    assert spans_of(sentences) == [(0, "mibal", "COLOUR"), (0, "tagop", "COLOUR")]
