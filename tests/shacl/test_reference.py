"""Show that what is not compiled goes to pySHACL within limits, and is never passed over."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyoxigraph as ox
import pytest

from graph.checking import Checker
from graph.errors import ShapeFault
from graph.shacl.reading import shapes_of
from graph.shacl.reference import Limits
from graph.shacl.shapes import Result, Way
from graph.shacl.written import WrittenStore
from graph.store import OxigraphStore

DAY = date(2026, 1, 1)
PREFIXES = """@prefix e: <https://example.org/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
#: the engine knows no look-ahead
AHEAD = 'e:s a sh:PropertyShape ; sh:targetClass e:C ; sh:path e:p ; sh:pattern "^(?!no)" ; sh:message "No {?value}." .'
DATA = 'e:good a e:C ; e:p "yes" . e:bad a e:C ; e:p "no" ; e:other "no" . _:b a e:C ; e:p "nothing" .'


def checker(shapes: str, limits: Limits | None = None) -> Checker:
    read = shapes_of(ox.parse(PREFIXES + shapes, format=ox.RdfFormat.TURTLE))
    return Checker(read, limits) if limits else Checker(read)


def quads(text: str) -> list[ox.Quad]:
    return list(ox.parse(PREFIXES + text, format=ox.RdfFormat.TURTLE))


def test_a_shape_beyond_the_engine_is_judged_by_pyshacl_and_its_route_says_so() -> None:
    one = checker(AHEAD)
    (root,) = one.roots
    assert one.routes()[root].way is Way.reference
    assert one.routes()[root].why
    results = list(one.check(WrittenStore(quads(DATA)), DAY))
    assert {result.value.value for result in results if result.value} == {"no", "nothing"}
    assert {result.root for result in results} == {root}


def test_some_nodes_are_judged_as_among_all() -> None:
    one, store = checker(AHEAD), OxigraphStore()
    store.raw.extend(quads(DATA))
    bad = ox.NamedNode("https://example.org/bad")
    assert [result.focus for result in one.check(store, DAY, nodes=[bad])] == [bad]
    assert one.triggers(next(iter(one.roots))) is None


def test_the_other_shapes_of_the_file_are_compiled_all_the_same() -> None:
    one = checker(AHEAD + "e:t a sh:PropertyShape ; sh:targetClass e:C ; sh:path e:other ; sh:maxCount 0 .")
    ways = {root.value: one.routes()[root].way for root in one.roots}
    assert ways == {"https://example.org/s": Way.reference, "https://example.org/t": Way.compiled}
    found: list[Result] = list(one.check(WrittenStore(quads(DATA)), DAY))
    assert {str(result.root) for result in found} == {"<https://example.org/s>", "<https://example.org/t>"}


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(seconds=0.01), "0.01 s"),
        (Limits(statements=3), "more than 3 statements"),
    ],
    ids=["time", "statements"],
)
def test_a_limit_that_is_hit_is_a_fault_that_names_the_shape(limits: Limits, says: str) -> None:
    with pytest.raises(ShapeFault, match=says) as caught:
        list(checker(AHEAD, limits).check(WrittenStore(quads(DATA)), DAY))
    assert caught.value.shape == "<https://example.org/s>"
    assert caught.value.remedy


def test_memory_that_does_not_suffice_is_a_fault_too() -> None:
    bad, p = ox.NamedNode("https://example.org/bad"), ox.NamedNode("https://example.org/p")
    many = [ox.Quad(bad, p, ox.Literal("x" * length)) for length in range(3000)]
    with pytest.raises(ShapeFault, match="pySHACL"):
        list(checker(AHEAD, Limits(memory=64 << 20)).check(WrittenStore([*quads(DATA), *many]), DAY))


def test_a_regular_expression_that_explodes_is_stopped_by_the_limit() -> None:
    text = 'e:s a sh:PropertyShape ; sh:targetClass e:C ; sh:path e:p ; sh:pattern "^(?=(a+)+$)b" .'
    with pytest.raises(ShapeFault, match="takes more than"):
        list(checker(text, Limits(seconds=5)).check(WrittenStore(quads(f'e:n a e:C ; e:p "{"a" * 60}!" .')), DAY))


def test_what_is_no_regular_expression_is_a_fault_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ShapeFault, match="no regular expression") as caught:
        checker('e:s a sh:PropertyShape ; sh:targetClass e:C ; sh:path e:p ; sh:pattern "(" .')
    assert "https://example.org/s" in caught.value.message
