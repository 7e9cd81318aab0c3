"""Show that a check of some nodes says what a check of everything says of them, and that triggers miss nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from random import Random

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.checking import Checker
from graph.shacl.forms import AS_WRITTEN, REGISTER
from graph.shacl.paths import Step
from graph.shacl.reading import shapes_of
from graph.shacl.shapes import Result, Trigger
from graph.shacl.written import WrittenStore
from graph.store import OxigraphStore, Reader
from tests.agreement.random_shapes import ORDERED, PREFIXES, a_graph, some_shapes

DAY = date(2026, 1, 1)
Quads = tuple[ox.Quad, ...]


def parsed(text: str) -> Quads:
    return tuple(ox.parse(text, format=ox.RdfFormat.TURTLE))


def drawn(seed: int) -> tuple[Quads, Checker]:
    """Return a random graph, and random shapes ready to check it."""
    random = Random(seed)
    ordered = random.choice(ORDERED)
    graph = parsed(a_graph(random, ordered))
    return graph, Checker(shapes_of(parsed(some_shapes(random, ordered))))


def stored(quads: Iterable[ox.Quad]) -> OxigraphStore:
    store = OxigraphStore()
    store.raw.bulk_extend(quads)
    return store


def terms_of(quads: Iterable[ox.Quad], checker: Checker) -> list[ox.NamedNode | ox.BlankNode | ox.Literal]:
    found = {term for quad in quads for term in (quad.subject, quad.object)}
    found.update(target.term for root in checker.roots.values() for target in root.targets)
    return sorted(found, key=str)  # type: ignore[arg-type]


def found_by(checker: Checker, reader: Reader) -> set[Result]:
    return set(checker.check(reader, DAY))


@pytest.mark.parametrize("written", [False, True], ids=["as a register keeps them", "as they are written"])
@given(seed=st.integers(0, 1 << 32))
def test_a_check_of_some_nodes_says_what_a_check_of_all_says_of_them(written: bool, seed: int) -> None:
    graph, checker = drawn(seed)
    reader = WrittenStore(graph) if written else stored(graph)
    whole = found_by(checker, reader)
    nodes = terms_of(graph, checker)
    assert set(checker.check(reader, DAY, nodes=nodes)) == whole
    some = nodes[::2]
    kept = {one for one in stored_terms(reader, some)}
    assert set(checker.check(reader, DAY, nodes=some)) == {result for result in whole if result.focus in kept}


def stored_terms(reader: Reader, terms: Iterable[ox.NamedNode | ox.BlankNode | ox.Literal]) -> Iterable[object]:
    forms = AS_WRITTEN if isinstance(reader, WrittenStore) else REGISTER
    return [forms.kept(term) for term in terms]


@given(seed=st.integers(0, 1 << 32), at=st.integers(0, 1 << 16))
def test_whatever_a_change_alters_is_reached_by_a_trigger(seed: int, at: int) -> None:
    graph, checker = drawn(seed)
    changed = graph[at % len(graph)]
    before, after = stored(graph), stored(quad for quad in graph if quad != changed)
    for root in checker.roots:
        triggers = checker.triggers(root)
        if triggers is None:
            continue
        altered = set(checker.check(before, DAY, roots=[root])) ^ set(checker.check(after, DAY, roots=[root]))
        reached = {node for trigger in triggers for node in walked(trigger, changed, stored(graph))}
        assert {result.focus for result in altered} <= reached


def walked(trigger: Trigger, changed: ox.Quad, store: OxigraphStore) -> set[object]:
    """Return the focus nodes that a trigger names for a changed quad."""
    if trigger.predicate not in (None, changed.predicate.value):
        return set()
    if trigger.object is not None and trigger.object != changed.object:
        return set()
    return along(trigger.way, {changed.subject}, store)


def along(way: Iterable[Step], nodes: set[object], store: OxigraphStore) -> set[object]:
    for step in way:
        nodes = stepped(nodes, step, store)
    return nodes


def stepped(nodes: set[object], step: Step, store: OxigraphStore) -> set[object]:
    if not step.repeated:
        return once(step, nodes, store)
    found, wave = set(nodes), set(nodes)
    while wave := once(step, wave, store) - found:
        found |= wave
    return found


def once(step: Step, nodes: set[object], store: OxigraphStore) -> set[object]:
    if step.ways:
        return {found for way in step.ways for found in along(way, nodes, store)}
    return {
        quad.subject if step.inverse else quad.object
        for quad in store.raw.quads_for_pattern(None, ox.NamedNode(step.predicate), None)
        if (quad.object if step.inverse else quad.subject) in nodes
    }


@pytest.mark.parametrize(
    ("data", "shapes", "values"),
    [
        ('e:n e:p "01"^^xsd:integer .', "sh:path e:p ; sh:pattern '^0' ", []),
        ('e:n e:p "01"^^xsd:integer .', "sh:path e:p ; sh:in ( 1 )", ['"01"^^xsd:integer']),
        ('e:n e:p "01"^^xsd:integer .', 'sh:path e:p ; sh:hasValue "01"^^xsd:integer', []),
        ('e:n e:p "01"^^xsd:integer, 1 .', "sh:path e:p ; sh:maxCount 1", [None]),
        ('e:n e:p "07"^^xsd:integer .', "sh:path e:p ; sh:maxInclusive 6", ['"07"^^xsd:integer']),
        ('e:n e:p "07"^^xsd:integer .', "sh:path e:p ; sh:maxInclusive 7", []),
        ('e:n e:p "7"^^xsd:byte .', "sh:path e:p ; sh:datatype xsd:byte", []),
        ("e:n e:p 7 .", "sh:path e:p ; sh:datatype xsd:byte", ["7"]),
        ('e:n e:p "1.50"^^xsd:decimal .', "sh:path e:p ; sh:maxLength 3", ['"1.50"^^xsd:decimal']),
        ('e:n e:p "P12M"^^xsd:duration .', "sh:path e:p ; sh:nodeKind sh:IRI", ['"P12M"^^xsd:duration']),
    ],
)
def test_a_file_is_judged_and_shown_as_it_is_written(data: str, shapes: str, values: list[str | None]) -> None:
    checker = Checker(shapes_of(parsed(f"{PREFIXES} e:s a sh:PropertyShape ; sh:targetNode e:n ; {shapes} .")))
    store = WrittenStore(parsed(PREFIXES + data))
    wanted = [None if value is None else parsed(f"{PREFIXES} e:n e:p {value} .")[0].object for value in values]
    assert [result.value for result in checker.check(store, DAY)] == wanted
    assert [
        result.value for result in checker.check(store, DAY, nodes=[ox.NamedNode("https://example.org/n")])
    ] == wanted


def test_a_register_widens_whole_numbers_and_a_shape_takes_them_within_their_bounds() -> None:
    checker = Checker(
        shapes_of(
            parsed(PREFIXES + "e:s a sh:PropertyShape ; sh:targetNode e:n ; sh:path e:p ; sh:datatype xsd:byte .")
        )
    )
    store = stored(parsed(PREFIXES + 'e:n e:p "7"^^xsd:byte, 300 .'))
    assert [result.value for result in checker.check(store, DAY)] == [ox.Literal(300)]


def test_a_sparql_constraint_compares_by_value_and_shows_what_was_written() -> None:
    shapes = PREFIXES + (
        "e:s a sh:NodeShape ; sh:targetNode e:n ; sh:sparql "
        '[ sh:select "SELECT $this ?value { $this <https://example.org/p> ?value FILTER(?value < 8) }" ] .'
    )
    checker = Checker(shapes_of(parsed(shapes)))
    store = WrittenStore(parsed(PREFIXES + 'e:n e:p "07"^^xsd:integer .'))
    (result,) = checker.check(store, DAY)
    assert result.value == ox.Literal("07", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#integer"))
