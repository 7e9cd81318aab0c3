"""A query file that does not keep to the form is refused, with its place and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.errors import Malformed, Unreadable
from graph.queries import Form, Sort, load_queries, parse_query
from graph.resources import folder

GOOD = """\
# title
#   vi: Cái gì?
#   en: What?
# problem
#   vi: Cần biết.
#   en: One needs
#       to know.
# solution
#   vi: Tìm.
#   en: It looks.
# parameter thing iri
#   vi: Vật | IRI của nó
#   en: Thing | its IRI
# parameter day date = today+30
#   vi: Ngày | ngày hỏi
#   en: Day | the day asked
# parameter size integer
#   vi: Cỡ | một số
#   en: Size | a number
# parameter word text = language
#   vi: Chữ | một chữ
#   en: Word | a word
# column other
#   vi: Kia | cái kia
#   en: Other | the other one
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>

SELECT ?other
WHERE {
  VALUES (?thing ?day ?size ?word) { (<https://example.org/a> "2025-02-28"^^xsd:date 7 "vi") }
  ?thing ?edge ?other .
}
"""


def refused(text: str) -> Malformed:
    with pytest.raises(Malformed) as caught:
        parse_query("what", text, "what.rq")
    assert caught.value.remedy
    assert caught.value.place is not None
    assert caught.value.place.file == "what.rq"
    return caught.value


def test_a_header_tells_title_texts_parameters_and_columns() -> None:
    query = parse_query("what", GOOD, "what.rq")
    assert query.title == {"vi": "Cái gì?", "en": "What?"}
    assert query.description["en"] == "One needs to know. It looks."
    assert [(one.name, one.sort, one.sample, one.default) for one in query.parameters] == [
        ("thing", Sort.iri, "https://example.org/a", None),
        ("day", Sort.date, "2025-02-28", "today+30"),
        ("size", Sort.integer, "7", None),
        ("word", Sort.text, "vi", "language"),
    ]
    assert query.parameters[1].label["en"] == "Day"
    assert query.parameters[1].meaning["en"] == "the day asked"
    assert [column.name for column in query.columns] == ["other"]
    assert query.form is Form.select


def test_a_file_from_windows_reads_the_same() -> None:
    assert parse_query("what", GOOD.replace("\n", "\r\n"), "what.rq") == parse_query("what", GOOD, "what.rq")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("# title\n", "# titel\n", 1),
        ("# title\n", "#title\n", 1),
        ("#   en: What?\n", "#  en: What?\n", 3),
        ("#   en: What?\n", "#   en: What?\n#   en: Again?\n", 4),
        ("#       to know.\n", "#     to know.\n", 7),
        ("#   en: What?\n", "", 1),
        ("#   vi: Tìm.\n", "#   fr: Il cherche.\n", 8),
        ("# solution\n", "# problem\n", 8),
        ("# solution\n#   vi: Tìm.\n#   en: It looks.\n", "", 1),
        ("# parameter thing iri\n", "# parameter thing link\n", 11),
        ("# parameter thing iri\n", "# parameter thing\n", 11),
        ("# parameter thing iri\n", "# parameter Thing iri\n", 11),
        ("# parameter day date = today+30\n", "# parameter day date = tomorrow\n", 14),
        ("# parameter day date = today+30\n", "# parameter day date = language\n", 14),
        ("# parameter word text = language\n", "# parameter word text = today\n", 20),
        ("#   en: Thing | its IRI\n", "#   en: Thing\n", 11),
        ("#   en: Thing | its IRI\n", "#   en: Thing |\n", 11),
        ("# column other\n", "# column others\n", 23),
        ("# column other\n#   vi: Kia | cái kia\n#   en: Other | the other one\n", "", 1),
        ("# column other\n", "# column\n", 23),
        ("(?thing ?day ?size ?word)", "(?thing ?size ?day ?word)", 30),
        ("(?thing ?day ?size ?word)", "(?thing ?day ?size)", 30),
        ('"vi") }', ") }", 30),
        ('7 "vi"', '"7" "vi"', 30),
        ('"2025-02-28"^^xsd:date', '"2025-02-30"^^xsd:date', 30),
        ("<https://example.org/a>", "<a>", 30),
        ("<https://example.org/a>", "UNDEF", 30),
        ("  VALUES", "  # first\n  VALUES", 30),
        ("  VALUES", "  ?thing a ?kind .\n  VALUES", 30),
        ("SELECT ?other\n", "SELECT ?other ?other2\n", 23),
        ("?thing ?edge ?other .", "?thing ?edge .", None),
        ("SELECT ?other\n", "DELETE\n", None),
        ("?thing ?edge ?other .", "SERVICE <https://example.org/> { ?thing ?edge ?other }", None),
        ("?thing ?edge ?other .", "LATERAL { ?thing ?edge ?other }", None),
    ],
)
def test_a_wrong_line_is_named(old: str, new: str, line: int | None) -> None:
    assert GOOD.count(old) == 1
    fault = refused(GOOD.replace(old, new))
    assert fault.place is not None
    if line is not None:
        assert fault.place.line == line


def test_a_word_in_a_comment_or_a_name_is_no_call_of_another_service() -> None:
    text = GOOD.replace("?thing ?edge ?other .", "# no SERVICE here\n  ?thing <https://example.org/service> ?other .")
    assert parse_query("what", text, "what.rq").form is Form.select


@pytest.mark.parametrize("name", ["What", "1-what", "what_is", "what is", "-what", "what-"])
def test_a_name_that_cannot_be_an_address_is_refused(name: str) -> None:
    with pytest.raises(Malformed):
        parse_query(name, GOOD, f"{name}.rq")


def test_a_query_may_answer_yes_or_no_or_with_statements() -> None:
    head = GOOD.partition("# column")[0] + "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>\n"
    body = GOOD.partition("SELECT ?other\n")[2]
    assert parse_query("what", head + "ASK\n" + body, "what.rq").form is Form.ask
    template = "CONSTRUCT { ?thing ?edge ?other }\n"
    assert parse_query("what", head + template + body, "what.rq").form is Form.construct


def test_a_query_may_take_nothing() -> None:
    head = GOOD.partition("# parameter")[0] + "# column" + GOOD.partition("# column")[2].partition("PREFIX")[0]
    query = parse_query("what", head + "SELECT ?other WHERE { ?thing ?edge ?other }\n", "what.rq")
    assert query.parameters == ()
    assert query.bind({}) == query.text


def test_a_folder_of_ones_own_is_read_beside_ours(tmp_path: Path) -> None:
    (tmp_path / "what.rq").write_text(GOOD, encoding="utf-8")
    queries = load_queries([folder("queries"), tmp_path])
    assert "what" in queries
    assert "owner-of-dataset" in queries
    assert list(queries) == sorted(queries)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "owner-of-dataset.rq").write_text(GOOD, encoding="utf-8")
    with pytest.raises(Malformed, match="twice") as caught:
        load_queries([folder("queries"), tmp_path])
    assert caught.value.place is not None
    assert caught.value.place.file == str(tmp_path / "owner-of-dataset.rq")


def test_a_missing_folder_and_a_file_that_is_no_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="nowhere"):
        load_queries([tmp_path / "nowhere"])
    (tmp_path / "what.rq").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Unreadable, match=r"what\.rq"):
        load_queries([tmp_path])


def test_the_query_that_the_documentation_shows_is_one() -> None:
    page = (Path(__file__).resolve().parents[2] / "service" / "docs" / "queries.md").read_text(encoding="utf-8")
    shown = page.partition("```sparql\n")[2].partition("```")[0]
    assert parse_query("posts-of-body", shown, "posts-of-body.rq").columns[0].name == "post"
