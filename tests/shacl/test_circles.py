"""Hold the walk that finds all circles at once to asking each node by itself."""

from __future__ import annotations

from datetime import date

import pyoxigraph as ox
from hypothesis import given
from hypothesis import strategies as st

from graph.checking import Checker
from graph.shacl.circles import nodes_on
from graph.shacl.paths import Alternative, Inverse, Predicate
from graph.shacl.reading import shapes_of
from graph.store import OxigraphStore

X = "https://example.org/"
DAY = date(2026, 1, 1)
SHAPES = """
@prefix x:   <https://example.org/> .
@prefix sh:  <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
x:circle a sh:NodeShape ;
  sh:targetClass x:Thing ;
  sh:declare [ sh:prefix "x" ; sh:namespace "https://example.org/"^^xsd:anyURI ] ;
  sh:sparql [ sh:prefixes x:circle ; sh:select "SELECT $this WHERE { $this (x:to|^x:back)+ $this }" ] .
x:dated a sh:NodeShape ;
  sh:targetClass x:Thing ;
  sh:sparql [ sh:prefixes x:circle, x:ours ; sh:select
    "SELECT $this WHERE { $this (x:to|^x:back)+ $this ; x:ends ?ends . ?e d:asOf ?asOf . FILTER (?ends <= ?asOf) }" ] .
x:ours sh:declare [ sh:prefix "d" ; sh:namespace "https://w3id.org/diaba/ns#"^^xsd:anyURI ] .
"""
STEP = [Alternative((Predicate(X + "to"), Inverse(Predicate(X + "back"))))]
ROOTS = [ox.NamedNode(X + "circle"), ox.NamedNode(X + "dated")]

steps = st.lists(st.tuples(st.integers(0, 7), st.sampled_from(["to", "back"]), st.integers(0, 7)), max_size=14)


def thing(number: int) -> ox.NamedNode:
    return ox.NamedNode(f"{X}{number}")


def store_of(drawn: list[tuple[int, str, int]], things: int = 8) -> OxigraphStore:
    store = OxigraphStore()
    quads = [ox.Quad(thing(n), ox.NamedNode(X + "is"), ox.Literal(str(n)), thing(0)) for n in range(things)]
    kind, named = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"), ox.NamedNode(X + "Thing")
    ended = ox.Literal("2025-01-01", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#date"))
    quads += [ox.Quad(thing(n), kind, named, thing(0)) for n in range(things)]
    quads += [ox.Quad(thing(n), ox.NamedNode(X + "ends"), ended, thing(0)) for n in range(things)]
    quads += [ox.Quad(thing(a), ox.NamedNode(X + way), thing(b), thing(0)) for a, way, b in drawn]
    store.raw.bulk_extend(quads)
    return store


def checker() -> Checker:
    return Checker(shapes_of(ox.parse(SHAPES, format=ox.RdfFormat.TURTLE)))


@given(steps)
def test_what_is_found_everywhere_is_what_is_found_at_each_node(drawn: list[tuple[int, str, int]]) -> None:
    store, check = store_of(drawn), checker()
    for root in ROOTS:
        everywhere = {one.focus for one in check.check(store, DAY, roots=[root])}
        apart = {
            one.focus for n in range(8) for one in check.check(store, DAY, roots=[root], nodes=[thing(n)])
        }  # fmt: skip
        assert everywhere == apart
        some = {thing(n) for n in range(0, 8, 2)}
        assert nodes_on(store, STEP, some) == nodes_on(store, STEP) & some


@given(steps)
def test_the_days_of_what_is_found_are_among_those_told(drawn: list[tuple[int, str, int]]) -> None:
    store, check = store_of(drawn), checker()
    found = {one.focus for one in check.check(store, DAY, roots=[ROOTS[1]])}
    assert found <= {node for node, _ in check.days(store, ROOTS[1])}


def test_many_nodes_on_their_days_are_judged_as_few_are() -> None:
    many = 520  # more than are asked about at once
    store, check = store_of([(3, "to", 4), (4, "to", 3), (many - 1, "to", many - 1)], many), checker()
    pairs = [(thing(n), DAY) for n in range(many)]
    found = {one.focus for _, one in check.on_days(store, ROOTS[1], pairs)}
    assert found == {thing(3), thing(4), thing(many - 1)}
