"""SPARQL constraints: what is asked about all nodes, about one, and on many days is what SHACL says, to the letter."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from pyshacl import validate

from graph.rechecking import Walk, reached
from graph.shacl import sparql
from graph.shacl.focus import Focus
from graph.shacl.shapes import Kind, Row, Shape, SparqlConstraint, Target, Term
from graph.shacl.sparql import compile_body
from graph.store import OxigraphStore
from graph.terms import RDF, XSD, D
from tests.shacl.bodies import BODIES, DAYS, NODES, PREFIXES, E, graphs, triples

CLASS = ox.NamedNode(E + "T")
FOCUS = Focus((Target(Kind.class_, CLASS),), {CLASS: (CLASS.value,)})
OVERLAY = ox.NamedNode(E + "evaluation")
Violation = tuple[Term, Term | None]


def compiled(text: str):
    return compile_body(
        Shape(ox.NamedNode(E + "shape")), SparqlConstraint(ox.NamedNode(E + "constraint"), text, PREFIXES)
    )


COMPILED = {name: compiled(text) for name, text in BODIES.items()}


def store_of(statements: Iterable[ox.Triple]) -> OxigraphStore:
    store = OxigraphStore()
    for number, one in enumerate(sorted(statements, key=str)):
        # Two graphs, and some statements in both, as several sources may say the same.
        for graph in ("g", "h") if number % 5 == 0 else ("gh"[number % 2],):
            store.raw.add(ox.Quad(one.subject, one.predicate, one.object, ox.NamedNode(E + graph)))
    return store


def violations(rows: Iterable[Row]) -> set[Violation]:
    return {(row.focus, row.value) for row in rows}


def focus_nodes(statements: Iterable[ox.Triple]) -> list[ox.NamedNode]:
    return [one.subject for one in statements if one.object == CLASS and one.predicate.value == RDF.type]


def overlay(day: date) -> list[ox.Triple]:
    return [
        ox.Triple(OVERLAY, ox.NamedNode(RDF.type), ox.NamedNode(D.Evaluation)),
        ox.Triple(OVERLAY, ox.NamedNode(D.asOf), ox.Literal(day.isoformat(), datatype=ox.NamedNode(XSD.date))),
    ]


def written_in(text: str, node: ox.NamedNode) -> str:
    """Put a node in place of ``$this`` by hand, as SHACL says."""
    text = re.sub(r"(SELECT (?:DISTINCT )?)[$?]this\b", r"\1", text)
    text = re.sub(r"BOUND\([$?]this\)", "true", text)
    text = re.sub(r"GROUP BY [$?]this", f"GROUP BY ({node})", text)
    text = re.sub(r"[$?]this\b", str(node), text)
    text = re.sub(r"SELECT +WHERE", "SELECT (1 AS ?found) WHERE", text)
    return "".join(f"PREFIX {name}: <{iri}> " for name, iri in PREFIXES) + text


def by_hand(text: str, statements: Iterable[ox.Triple], day: date) -> set[Violation]:
    store = ox.Store()
    for one in [*statements, *overlay(day)]:
        store.add(ox.Quad(one.subject, one.predicate, one.object))
    found: set[Violation] = set()
    for node in focus_nodes(statements):
        solutions = store.query(written_in(text, node))
        assert isinstance(solutions, ox.QuerySolutions)
        names = {variable.value for variable in solutions.variables}
        for solution in solutions:
            value = solution["value"] if "value" in names else None
            found.add((node, value or node))  # type: ignore[arg-type]
    return found


# --- agreement -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BODIES)
@settings(max_examples=15)
@given(statements=graphs, day=st.sampled_from(DAYS))
def test_all_forms_give_what_a_node_written_into_the_text_gives(
    name: str, statements: frozenset[ox.Triple], day: date
) -> None:
    body, store = COMPILED[name], store_of(statements)
    expected = by_hand(BODIES[name], statements, day)
    nodes = focus_nodes(statements)
    assert violations(body.of_all(store, FOCUS, day)) == expected
    assert {found for node in nodes for found in violations(body.of_node(store, node, day))} == expected
    pairs = [(node, one) for node in nodes for one in DAYS]
    on_days = list(body.on_days(store, pairs))
    assert {(row.focus, row.value) for found, row in on_days if found == day} == expected
    full = list(body.of_all(store, FOCUS, day))
    assert len(full) == len(set(full))
    assert set(full) == {row for found, row in on_days if found == day}


@pytest.mark.parametrize("name", [name for name, text in BODIES.items() if "NOT EXISTS" in text])
@settings(max_examples=15)
@given(statements=graphs, day=st.sampled_from(DAYS))
def test_many_solutions_are_judged_by_the_engine_and_come_out_the_same(
    name: str, statements: frozenset[ox.Triple], day: date
) -> None:
    body, store = COMPILED[name], store_of(statements)
    few = set(body.of_all(store, FOCUS, day))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sparql, "_MANY", 1)
        assert set(body.of_all(store, FOCUS, day)) == few


def without_name(term: Term) -> Term:
    """Take the name of every second node away."""
    return ox.BlankNode(term.value[-1]) if term in NODES[1::2] else term


@pytest.mark.parametrize("name", [name for name, text in BODIES.items() if "STR(" not in text and "isIRI" not in text])
@settings(max_examples=10)
@given(statements=graphs, day=st.sampled_from(DAYS))
def test_nodes_without_names_are_judged_like_others(
    name: str, statements: frozenset[ox.Triple], day: date
) -> None:
    blank = frozenset(ox.Triple(without_name(s), p, without_name(o)) for s, p, o in statements)
    named = {(row.focus, row.value) for row in COMPILED[name].of_all(store_of(statements), FOCUS, day)}
    expected = {(without_name(focus), value and without_name(value)) for focus, value in named}
    assert violations(COMPILED[name].of_all(store_of(blank), FOCUS, day)) == expected


def pyshacl_says(statements: Iterable[ox.Triple], day: date, names: Iterable[str]) -> dict[str, set[tuple[str, str]]]:
    data = rdflib.Graph()
    for one in [*statements, *overlay(day)]:
        data.parse(data=f"{one.subject} {one.predicate} {one.object} .", format="nt")
    shapes = rdflib.Graph()
    lines = [f"@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix xsd: <{XSD.NS}> . @prefix e: <{E}> ."]
    for prefix, iri in PREFIXES:
        lines.append(f'e:o sh:declare [ sh:prefix "{prefix}" ; sh:namespace "{iri}"^^xsd:anyURI ] .')
    numbered = dict(enumerate(names))
    for number, name in numbered.items():
        body = ox.Literal(BODIES[name])
        lines.append(
            f"e:s{number} a sh:NodeShape ; sh:targetClass e:T ; sh:sparql [ sh:prefixes e:o ; sh:select {body} ] ."
        )
    shapes.parse(data="\n".join(lines), format="turtle")
    _, report, _ = validate(data, shacl_graph=shapes, advanced=False)
    assert isinstance(report, rdflib.Graph)
    sh = rdflib.Namespace("http://www.w3.org/ns/shacl#")
    found: dict[str, set[tuple[str, str]]] = {name: set() for name in numbered.values()}
    for result in report.subjects(rdflib.RDF.type, sh.ValidationResult):
        shape = str(report.value(result, sh.sourceShape)).removeprefix(E + "s")
        value = report.value(result, sh.value)
        assert value is not None
        found[numbered[int(shape)]].add((str(report.value(result, sh.focusNode)), str(value)))
    return found


@settings(max_examples=15)
@given(statements=graphs, day=st.sampled_from(DAYS))
def test_pyshacl_finds_the_same(statements: frozenset[ox.Triple], day: date) -> None:
    names = list(BODIES)
    theirs = pyshacl_says(statements, day, names)
    store = store_of(statements)
    for name in names:
        ours = {(row.focus.value, row.value.value) for row in COMPILED[name].of_all(store, FOCUS, day) if row.value}
        assert ours == theirs[name], name


# --- days ------------------------------------------------------------------------------------------------------------

DATED = [name for name, body in COMPILED.items() if body.depends_on_day]


@pytest.mark.parametrize("name", DATED)
@settings(max_examples=20)
@given(statements=graphs)
def test_an_outcome_changes_only_on_days_that_were_named(name: str, statements: frozenset[ox.Triple]) -> None:
    body, store = COMPILED[name], store_of(statements)
    named = set(body.days(store, FOCUS, None))
    nodes = focus_nodes(statements)
    assert {pair for pair in named if pair[0] in nodes} >= set(body.days(store, FOCUS, nodes))
    before = None
    for day in DAYS:
        outcome = violations(body.of_all(store, FOCUS, day))
        if before is not None:
            changed = {node for node, _ in outcome ^ before}
            assert changed <= {node for node, one in named if one == day}
        before = outcome


# --- triggers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, body in COMPILED.items() if body.triggers() is not None])
@settings(max_examples=20)
@given(before=graphs, gone=st.integers(0, 3), added=st.frozensets(triples, max_size=3), day=st.sampled_from(DAYS))
def test_a_changed_outcome_is_reached_from_the_change(
    name: str, before: frozenset[ox.Triple], gone: int, added: frozenset[ox.Triple], day: date
) -> None:
    removed = frozenset(sorted(before, key=lambda one: hash(str(one)))[:gone]) - added
    after = (before - removed) | added
    body = COMPILED[name]
    old = violations(body.of_nodes(store_of(before), NODES, day))
    store = store_of(after)
    new = violations(body.of_nodes(store, NODES, day))
    quads = [ox.Quad(one.subject, one.predicate, one.object) for one in removed]
    changed: dict[str, list[tuple[Term, Term]]] = {}
    for one in [*removed, *(added - before)]:
        changed.setdefault(one.predicate.value, []).append((one.subject, one.object))
    found = reached(Walk(store, quads), changed, body.triggers() or ())
    assert {node for node, _ in old ^ new} <= found
