"""The text of a body: what is read of it, and where it is said to be wrong."""

from __future__ import annotations

import re

import pyoxigraph as ox
import pytest

from graph.errors import Place, ShapeFault
from graph.shacl.boundaries import boundaries_of
from graph.shacl.days import without_day
from graph.shacl.paths import Predicate, Sequence
from graph.shacl.query import certain, mentioned, scope, write_select
from graph.shacl.select import read
from graph.shacl.shapes import Shape, SparqlConstraint, Way
from graph.shacl.sparql import compile_body
from graph.shacl.text import Text
from tests.shacl.bodies import BODIES, PREFIXES, E


def text_of(text: str) -> Text:
    return Text(text, dict(PREFIXES), None, Place("shapes.ttl", 10, 5), E + "shape")


@pytest.mark.parametrize("name", BODIES)
def test_what_is_read_is_written_as_the_same_query(name: str) -> None:
    select = read(text_of(BODIES[name]))
    written = write_select(select)
    # Names made for what a sub-SELECT keeps to itself get a number each time.
    assert re.sub(r"(_\d+_)+", "_", write_select(read(Text(written)))) == re.sub(r"(_\d+_)+", "_", written)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("SELECT $this WHERE {\n  $this e:p ?x .\n  FILTER (?x > 1 }", 3, 19, "no SPARQL"),
        ("SELECT $this WHERE {\n  $this f:p ?x }", 2, 9, "prefix f:"),
        ("SELECT $this WHERE {\n  $this e:p ?x\n  MINUS { ?x e:q ?y } }", 3, 3, "MINUS"),
        ("SELECT $this WHERE {\n  $this e:p ?x VALUES ?x { 1 } }", 2, 16, "VALUES"),
        ("SELECT $this WHERE { $this e:p ?x SERVICE e:s { ?x e:q ?y } }", 1, 35, "SERVICE"),
        ("SELECT $this WHERE { $this !e:p ?x }", 1, 28, "does not follow"),
        ("SELECT $this ?x WHERE { $this e:p ?x } GROUP BY $this", 1, None, "unbound"),
        ("INSERT DATA { e:a e:p e:b }", 1, None, "no SPARQL"),
        ("CONSTRUCT { ?x e:p ?y } WHERE { ?x e:p ?y }", 1, 1, "SELECT"),
        ("", 1, 1, "no SPARQL"),
    ],
)
def test_a_broken_body_is_told_by_line_and_column_of_its_file(
    text: str, line: int, column: int | None, words: str
) -> None:
    with pytest.raises(ShapeFault, match=words) as caught:
        read(text_of(text))
    place = caught.value.place
    assert place is not None
    assert place.file == "shapes.ttl"
    assert place.line == 10 + line - 1
    if column is not None:
        assert place.column == (column + 4 if line == 1 else column)
    assert caught.value.shape == E + "shape"
    assert caught.value.remedy


def test_a_path_is_put_in_place_of_its_variable() -> None:
    path = Sequence((Predicate(E + "p"), Predicate(E + "q")))
    select = read(Text("SELECT $this ?value WHERE { $this $PATH ?value }", {}, path))
    assert write_select(select) == (
        f"SELECT ?this ?value {{ ?this <{E}p> ?blank1_ . ?blank1_ <{E}q> ?value . }}"
    )


def test_variables_are_told_apart_by_what_binds_them() -> None:
    select = read(text_of(
        "SELECT $this WHERE { $this e:p ?a OPTIONAL { ?a e:q ?b } BIND (1 AS ?c) FILTER (?d > 1) "
        "{ ?a e:p ?f ; e:q ?g } UNION { ?a e:q ?f } "
        "{ SELECT $this (COUNT(?h) AS ?i) { $this e:p ?h } GROUP BY $this } }"
    ))  # fmt: skip
    assert certain(select.where) == {"this", "a", "f"}
    assert scope(select.where) == {"this", "a", "b", "c", "f", "g", "i"}
    assert mentioned(select.where) == {"this", "a", "b", "c", "d", "f", "g", "h_1_", "i"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT $this WHERE { $this e:p ?x BIND (1 AS ?this) }", r"computes \$this|no SPARQL"),
        ("SELECT $this WHERE { $this a e:T { SELECT ?x WHERE { ?x e:p ?y } } }", r"does not give \$this"),
        ("SELECT $this WHERE { ?e d:asOf ?x , ?y . $this e:from ?x }", "one variable"),
        ("SELECT $this WHERE { ?e d:asOf ?x . $this e:p ?e }", "something else"),
        ("SELECT $this WHERE { ?e d:asOf ?x . { $this e:from ?y FILTER (?y < ?x) } }", "inner braces"),
        ("ASK { $this e:p ?x }", "wrong form"),
    ],
)
def test_a_body_that_shacl_does_not_allow_is_refused(text: str, words: str) -> None:
    with pytest.raises(ShapeFault, match=words):
        compile_body(
            Shape(ox.NamedNode(E + "s")), SparqlConstraint(ox.NamedNode(E + "c"), text, PREFIXES, place=Place("f", 3))
        )


@pytest.mark.parametrize(
    "condition",
    [
        "YEAR(?asOf) > 2025",
        '?asOf - "P1Y"^^xsd:yearMonthDuration > ?from',
        "?from IN (?asOf)",
        "?from < COALESCE(?until, ?asOf)",
    ],
)
def test_a_body_that_computes_with_the_day_does_not_say_when_it_changes(condition: str) -> None:
    patterns = "?e d:asOf ?asOf . $this e:from ?from ; e:until ?until"
    text = text_of(f"SELECT $this WHERE {{ {patterns} FILTER ({condition}) }}")
    select, day = without_day(read(text), text)
    with pytest.raises(ShapeFault, match="computes with"):
        boundaries_of(select, day, text)


def test_what_asks_the_shapes_graph_goes_to_pyshacl() -> None:
    constraint = SparqlConstraint(
        ox.NamedNode(E + "c"), "SELECT $this WHERE { $this e:p ?x . GRAPH $shapesGraph { ?x e:p ?y } }", PREFIXES
    )
    assert compile_body(Shape(ox.NamedNode(E + "s")), constraint).route.way is Way.reference
