"""Ask every canned query of the example register, in three engines, and hold the answers to the checked-in ones."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.plugins.sparql.processor import SPARQLResult
from SPARQLWrapper import JSON, SPARQLWrapper

from graph.queries import CannedQuery, Form, Sort, Table, load_queries, run
from graph.resources import folder
from graph.store import OxigraphStore

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = ROOT / "tests" / "answers"
QUERIES = load_queries([folder("queries")])

Row = tuple[str | None, ...]

each_query = pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)


def answer(query: CannedQuery) -> dict[str, Any]:
    """Return the checked-in answer: ``columns``, the ``kinds`` of their values, and ``rows`` in order."""
    read: dict[str, Any] = json.loads((ANSWERS / f"{query.name}.json").read_text(encoding="utf-8"))
    return read


def expected(query: CannedQuery) -> list[Row]:
    return [tuple(row) for row in answer(query)["rows"]]


def kinds(table: Table) -> list[list[str]]:
    """Return the kinds that occur in each column."""
    return [sorted({row[at] for row in table.kinds} - {None}) for at in range(len(table.columns))]  # type: ignore[type-var]


@each_query
def test_a_query_runs_as_it_stands_and_gives_its_answer(query: CannedQuery, example: OxigraphStore) -> None:
    solutions = example.query(query.text)
    assert isinstance(solutions, ox.QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    rows = [tuple(None if term is None else str(term.value) for term in solution) for solution in solutions]  # type: ignore[union-attr]
    assert names == answer(query)["columns"]
    assert rows == expected(query)
    assert rows, "the samples must find something, or they show nothing"


# rdflib 7 warns of its own calls
@pytest.mark.filterwarnings(r"ignore:Dataset\.(contexts|default_context) is deprecated:DeprecationWarning")
@each_query
def test_a_query_gives_the_same_in_rdflib(query: CannedQuery, example_in_rdflib: rdflib.Dataset) -> None:
    result = example_in_rdflib.query(query.text)
    assert isinstance(result, SPARQLResult)
    assert [str(variable) for variable in result.vars or ()] == answer(query)["columns"]
    assert [tuple(None if term is None else str(term) for term in row) for row in result] == expected(query)


@each_query
def test_a_query_gives_the_same_over_the_sparql_protocol(query: CannedQuery, example_server: str) -> None:
    endpoint = SPARQLWrapper(example_server)
    endpoint.setMethod("POST")
    endpoint.setReturnFormat(JSON)
    endpoint.setQuery(query.text)
    # it looks for verbs in every other line of comments: a header that says "created" would go out as an update
    assert not endpoint.isSparqlUpdateRequest()
    read = endpoint.queryAndConvert()
    columns = read["head"]["vars"]
    assert columns == answer(query)["columns"]
    found = read["results"]["bindings"]
    assert [tuple(row[name]["value"] if name in row else None for name in columns) for row in found] == expected(query)


@each_query
def test_a_query_bound_with_its_samples_is_the_query_as_it_stands(query: CannedQuery, example: OxigraphStore) -> None:
    table = run(example, query, query.samples)
    assert table.columns == tuple(answer(query)["columns"])
    assert list(table.rows) == expected(query)
    assert kinds(table) == answer(query)["kinds"]


@each_query
def test_every_query_says_what_it_is_for_in_vietnamese_and_english(query: CannedQuery) -> None:
    described = [query.title, query.problem, query.solution]
    described += [text for part in (*query.parameters, *query.columns) for text in (part.label, part.meaning)]
    assert all(set(text) == {"vi", "en"} for text in described)


@each_query
def test_every_query_is_in_the_documentation_with_its_parameters_and_columns(query: CannedQuery) -> None:
    page = (ROOT / "service" / "docs" / "queries.md").read_text(encoding="utf-8")
    section = page.partition(f"\n### {query.name}\n")[2].partition("\n### ")[0]
    assert query.title["en"] in section
    assert query.title["vi"] in section
    for part in (*query.parameters, *query.columns):
        assert f"`{part.name}`" in section


@each_query
def test_a_query_keeps_to_what_every_engine_knows(query: CannedQuery) -> None:
    text = re.sub(r"#[^\n]*|<[^>]*>", "", query.text)
    assert query.form is Form.select
    assert not re.search(r"\b(LATERAL|SERVICE|FROM|LIMIT)\b", text)
    assert "ORDER BY" in text, "rows come in a stable order"


def test_no_answer_is_left_over_from_a_query_that_is_gone() -> None:
    assert {path.stem for path in ANSWERS.iterdir()} == set(QUERIES)


def test_the_questions_that_the_register_must_answer_are_there() -> None:
    assert set(QUERIES) >= {
        "owner-of-dataset", "owner-of-dataset-at", "transfer-chain", "datasets-of-agency", "datasets-of-field",
        "upstream-of-dataset", "downstream-of-dataset", "datasets-without-owner", "bodies-that-changed",
        "successors-of-body", "mandates-expiring", "code-on-day",
    }  # fmt: skip


EXAMPLE = "https://w3id.org/diaba/example/"


def column(store: OxigraphStore, name: str, wanted: str, **values: str) -> list[str | None]:
    """Return one column of a query's rows, IRIs of the example without what they share."""
    query = QUERIES[name]
    iris = {parameter.name for parameter in query.parameters if parameter.sort is Sort.iri}
    given = {key: EXAMPLE + value if key in iris else value for key, value in values.items()}
    table = run(store, query, given, today=date(2026, 11, 23), language="en")
    at = table.columns.index(wanted)
    return [None if row[at] is None else str(row[at]).removeprefix(EXAMPLE) for row in table.rows]


@pytest.mark.parametrize(
    ("day", "holder"),
    [
        ("2024-06-30", None),
        ("2024-07-01", "ministry-water"),
        ("2025-02-28", "ministry-water"),
        ("2025-03-01", "ministry-nature"),
        ("2025-09-30", "ministry-nature"),
        ("2025-10-01", "office-hydrology"),
    ],
)
def test_the_owner_changes_on_the_very_day(example: OxigraphStore, day: str, holder: str | None) -> None:
    assert column(example, "owner-of-dataset", "holder", dataset="levels", day=day) == [holder]
    assert set(column(example, "owner-of-dataset-at", "holder", dataset="levels", day=day)) == {holder}


def test_a_dataset_that_is_not_described_gives_no_row(example: OxigraphStore) -> None:
    assert column(example, "owner-of-dataset", "holder", dataset="never-heard-of") == []
    assert column(example, "owner-of-dataset-at", "holder", dataset="never-heard-of", day="2025-01-01") == []


def test_a_unit_counts_for_the_parent_it_is_under_on_that_day(example: OxigraphStore) -> None:
    before = column(example, "datasets-of-agency", "dataset", agency="ministry-water", day="2025-02-28")
    assert before == ["levels", "rain-2024", "rain-2025"]
    assert column(example, "datasets-of-agency", "dataset", agency="ministry-water", day="2025-03-01") == []
    after = column(example, "datasets-of-agency", "dataset", agency="ministry-nature", day="2025-03-01")
    assert {"levels", "rain-2024", "rain-2025"} <= set(after)


def test_a_placement_that_nobody_has_verified_does_not_count(example: OxigraphStore) -> None:
    found = column(example, "datasets-of-agency", "dataset", agency="ministry-works", day="2025-06-30")
    assert "permits" in found
    assert "rain-2024" not in found


def test_what_a_post_answers_for_counts_for_its_body_and_for_the_body_above(example: OxigraphStore) -> None:
    for agency in ("director-water", "department-water"):
        assert column(example, "datasets-of-agency", "holder", agency=agency) == ["director-water"]
    assert "pumps" in column(example, "datasets-of-agency", "dataset", agency="committee-delta")


def test_a_code_belongs_to_another_area_after_the_merger(example: OxigraphStore) -> None:
    assert column(example, "code-on-day", "bearer", code="07", day="2025-06-30") == ["north", "office-hydrology"]
    assert column(example, "code-on-day", "bearer", code="07", day="2025-07-01") == ["delta", "office-hydrology"]
    assert column(example, "code-on-day", "bearer", code="7", day="2025-07-01") == []


def test_nothing_changed_between_a_day_and_itself(example: OxigraphStore) -> None:
    assert column(example, "bodies-that-changed", "body", first="2025-03-01", last="2025-03-01") == []
    assert column(example, "bodies-that-changed", "body", first="2025-02-28", last="2025-03-01")


def test_the_first_name_and_parent_of_a_new_body_are_no_change(example: OxigraphStore) -> None:
    changes = column(example, "bodies-that-changed", "change", first="2025-06-30", last="2025-07-01")
    assert set(changes) == {"began", "ended", "succeeded"}


def test_a_mandate_that_has_ended_is_not_about_to_end(example: OxigraphStore) -> None:
    after = column(example, "mandates-expiring", "mandate", after="2026-12-15", before="2027-01-01")
    assert after == ["mandate-permits"]
    assert column(example, "mandates-expiring", "mandate", after="2026-11-23", before="2026-12-14") == []


def test_a_mandate_ends_with_the_decision_it_lapses_with(example: OxigraphStore) -> None:
    assert column(example, "mandates-expiring", "ends", after="2026-12-31", before="2027-12-31") == ["2027-01-01"]


def test_the_window_of_expiring_mandates_is_ninety_days_by_itself(example: OxigraphStore) -> None:
    assert column(example, "mandates-expiring", "mandate") == ["mandate-gauges", "mandate-permits"]


def test_names_come_in_the_language_asked_for_else_in_another_else_as_iri(example: OxigraphStore) -> None:
    titles = dict(
        zip(
            column(example, "datasets-of-agency", "dataset", agency="ministry-nature"),
            column(example, "datasets-of-agency", "title", agency="ministry-nature"),
            strict=True,
        )
    )
    assert titles["levels"] == "River levels"
    assert titles["rain-2025"] == "Lượng mưa 2025"


def test_a_limit_cuts_the_rows(example: OxigraphStore) -> None:
    query = QUERIES["bodies-that-changed"]
    assert run(example, query, query.samples, limit=2).rows == run(example, query, query.samples).rows[:2]
