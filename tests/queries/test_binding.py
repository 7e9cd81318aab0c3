"""Values become terms or are refused: none of them can become syntax."""

from __future__ import annotations

from datetime import date

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import BadQuestion
from graph.queries import CannedQuery, Sort, load_queries, parse_query, run
from graph.resources import folder
from graph.store import OxigraphStore

QUERIES = load_queries([folder("queries")])

ECHO = """\
# title
#   en: Echo
# problem
#   en: Say what came in.
# solution
#   en: It is given back.
# parameter thing iri
#   en: Thing | an IRI
# parameter day date = today
#   en: Day | a day
# parameter size integer
#   en: Size | a number
# parameter word text
#   en: Word | a text
# column thing
#   en: Thing | as given
# column day
#   en: Day | as given
# column size
#   en: Size | as given
# column word
#   en: Word | as given
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
SELECT ?thing ?day ?size ?word
WHERE {
  VALUES (?thing ?day ?size ?word) { (<https://example.org/a> "2025-02-28"^^xsd:date 7 "vi") }
}
"""
QUERY = parse_query("echo", ECHO, "echo.rq")

HOSTILE = [
    "",
    " ",
    "2025-02-28",
    "https://example.org/a> } ?s ?p ?o . VALUES ?x { <https://example.org/a",
    "https://example.org/a>",
    "https://example.org/\\u003e } #",
    "https://example.org/a\n} DROP ALL #",
    "https://example.org/{}",
    "<https://example.org/a>",
    "_:b",
    "?thing",
    "UNDEF",
    "relative",
    "//example.org/a",
    "https://example.org/\ud800",
    "https://exa mple.org/",
    "https://example.org/" + "a" * 3000,
    '2025-02-28"^^xsd:date "x',
    "2025-02-28Z",
    "2025-02-28+07:00",
    "2025-02-30",
    "2025-2-28",
    "20250228",
    "2025-W09-5",
    "٢٠٢٥-٠٢-٢٨",
    "2025-02-28\n",
    "0000-01-01",
    "12345678901234567890",
    "1.0",
    "1e3",
    "+1",
    "--1",
    "1)}",
    "٧",
    '7 "x") } #',
    'x" . ?s ?p ?o . "',
    "x\\",
    "\\u0022 ) } #",
    "x\x00y",
    "x\ty",
    "x\ud800",
    "x" * 3000,
    "'''",
    "#",
]

FITS = {
    Sort.iri: set[str](),
    Sort.date: {"2025-02-28"},
    Sort.integer: {"20250228"},
    Sort.text: {
        "2025-02-28", "https://example.org/a> } ?s ?p ?o . VALUES ?x { <https://example.org/a",
        "https://example.org/a>", "https://example.org/{}", "<https://example.org/a>", "_:b", "?thing", "UNDEF",
        "relative", "//example.org/a", "https://exa mple.org/", '2025-02-28"^^xsd:date "x', "2025-02-28Z",
        "2025-02-28+07:00", "2025-02-30", "2025-2-28", "20250228", "2025-W09-5", "٢٠٢٥-٠٢-٢٨", "0000-01-01",
        "12345678901234567890", "1.0", "1e3", "+1", "--1", "1)}", "٧", '7 "x") } #', 'x" . ?s ?p ?o . "', "'''", "#",
    },
}  # fmt: skip

SAMPLES = {"thing": "https://example.org/a", "day": "2025-02-28", "size": "7", "word": "vi"}


@pytest.mark.parametrize("parameter", QUERY.parameters, ids=lambda parameter: str(parameter.name))
@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_value_is_the_term_it_says_or_is_refused(parameter: object, value: str) -> None:
    name = parameter.name  # type: ignore[attr-defined]
    sort = parameter.sort  # type: ignore[attr-defined]
    values = {**SAMPLES, name: value}
    if value in FITS[sort]:
        table = run(OxigraphStore(), QUERY, values)
        assert table.rows == (tuple(values.values()),)
    else:
        with pytest.raises(BadQuestion) as caught:
            QUERY.bind(values)
        assert name in caught.value.message
        assert caught.value.remedy


@pytest.mark.parametrize(
    ("query", "name"),
    [(query, parameter.name) for query in QUERIES.values() for parameter in query.parameters],
    ids=[f"{query.name}-{parameter.name}" for query in QUERIES.values() for parameter in query.parameters],
)
def test_no_parameter_of_ours_lets_syntax_in(query: CannedQuery, name: str) -> None:
    for value in HOSTILE:
        try:
            bound = query.bind({**query.samples, name: value})
        except BadQuestion:
            continue
        before, after = query.text.split("\n"), bound.split("\n")
        assert len(before) == len(after)
        differing = [number for number, line in enumerate(before) if line != after[number]]
        assert differing == [query.line]
        assert isinstance(ox.Store().query(bound), ox.QuerySolutions)


@given(st.text(max_size=60))
def test_any_text_comes_back_as_it_went_in_or_is_refused(word: str) -> None:
    try:
        table = run(OxigraphStore(), QUERY, {**SAMPLES, "word": word})
    except BadQuestion:
        return
    assert table.rows == (("https://example.org/a", "2025-02-28", "7", word),)


@given(st.dates())
def test_any_day_comes_back_as_it_went_in(day: date) -> None:
    assert run(OxigraphStore(), QUERY, {**SAMPLES, "day": day.isoformat()}).rows[0][1] == day.isoformat()


def test_kinds_tell_an_iri_from_a_text_that_looks_like_one() -> None:
    table = run(OxigraphStore(), QUERY, {**SAMPLES, "word": "https://example.org/a"})
    assert table.kinds == (("iri", "date", "integer", "text"),)


def test_a_parameter_nobody_knows_is_refused() -> None:
    with pytest.raises(BadQuestion, match="no parameter days"):
        QUERY.bind({**SAMPLES, "days": "1"})


def test_a_missing_value_is_asked_for_by_name() -> None:
    with pytest.raises(BadQuestion, match="needs size"):
        QUERY.bind({"thing": SAMPLES["thing"], "day": "2025-02-28", "word": "vi"})


def test_a_default_is_the_callers_and_a_value_wins_over_it() -> None:
    given_ = {key: value for key, value in SAMPLES.items() if key != "day"}
    today = date(2026, 11, 23)
    assert run(OxigraphStore(), QUERY, given_, today=today).rows[0][1] == "2026-11-23"
    assert run(OxigraphStore(), QUERY, SAMPLES, today=today).rows[0][1] == "2025-02-28"
    with pytest.raises(BadQuestion, match="needs day"):
        QUERY.bind(given_)
    expiring = QUERIES["mandates-expiring"].bind({}, today=today, language="en")
    assert '"2026-11-23"' in expiring
    assert '"2027-02-21"' in expiring


def test_a_window_that_runs_out_of_the_calendar_is_refused() -> None:
    with pytest.raises(BadQuestion, match="calendar"):
        QUERIES["mandates-expiring"].bind({}, today=date(9999, 12, 31), language="en")


def test_statements_and_yes_or_no_come_as_a_table() -> None:
    head = ECHO.partition("# column")[0] + "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>\n"
    where = "WHERE {" + ECHO.partition("WHERE {")[2]
    ask = parse_query("ask", head + "ASK\n" + where, "ask.rq")
    table = run(OxigraphStore(), ask, SAMPLES)
    assert (table.columns, table.rows, table.kinds) == (("answer",), (("true",),), (("boolean",),))
    construct = parse_query("build", head + "CONSTRUCT { ?thing <https://example.org/on> ?day }\n" + where, "build.rq")
    table = run(OxigraphStore(), construct, SAMPLES)
    assert table.columns == ("subject", "predicate", "object")
    assert table.rows == (("https://example.org/a", "https://example.org/on", "2025-02-28"),)
    assert table.kinds == (("iri", "iri", "date"),)
