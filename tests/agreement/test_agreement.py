"""Hold our check against pySHACL's at a small size; ``make agree`` does it whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.checking import Checker
from graph.rules import Rules, read_rules
from graph.shacl.independent import Refused
from graph.shacl.reading import shapes_of
from graph.shacl.written import WrittenStore

from .random_shapes import DAY, PREFIXES, compared
from .second import ours, reading_once, theirs, told
from .subjects import examples, generated
from .truths import NO_RULE, RULES, differing

#: one example file in so many is compared here
EVERY = 12


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with reading_once():
        yield


@pytest.fixture(scope="module")
def rules() -> Rules:
    return read_rules("vn")


@given(seed=st.integers(0, 1 << 32))
@pytest.mark.filterwarnings("ignore")
def test_random_shapes_find_the_same_in_random_graphs(seed: int) -> None:
    assert compared(seed) == ""


@pytest.mark.filterwarnings("ignore")
def test_example_files_come_out_the_same(rules: Rules) -> None:
    checker = Checker(rules.shapes)
    chosen = list(examples())[::EVERY]
    assert chosen
    for example in chosen:
        found = ours(checker, WrittenStore(example.quads), example.day)
        expected = theirs(example.quads, rules.shapes, example.day)
        assert found == expected, f"{example.name}\n{told(found ^ expected)}"


def test_rules_find_the_faults_that_were_put_into_a_generated_register(rules: Rules, tmp_path: Path) -> None:
    store, truth = generated(tmp_path, 1000)
    assert set(truth["faults"]) == {*RULES, *NO_RULE}
    assert differing(store, Checker(rules.shapes), truth) == {}


#: what pySHACL 0.40 gets wrong, each with a minimal case: data, shape, values that SHACL finds (``None``: a result
#: without a value); W3C cases and random shapes keep away from these
FAULTS = {
    # https://www.w3.org/TR/shacl/#UniqueLangConstraintComponent: only the literal true switches it on
    "takes 1 for true": (
        'e:n e:p "HI"@en, "Hi"@en .',
        'sh:path e:p ; sh:uniqueLang "1"^^xsd:boolean',
        (),
    ),
    # https://www.w3.org/TR/shacl/#MinLengthConstraintComponent: a blank node has no length, not even none
    "finds a blank node long enough for no length": ("e:n e:p _:b .", "sh:path e:p ; sh:minLength 0", ("_:b",)),
    # https://www.w3.org/TR/shacl/#property-path-inverse
    "walks the inverse of a sequence in the wrong order": (
        "e:m e:p e:o . e:o e:q e:n .",
        "sh:path [ sh:inversePath ( e:p e:q ) ] ; sh:maxCount 0",
        (None,),
    ),
    # https://www.w3.org/TR/shacl/#core-components-range: what SPARQL cannot compare is a violation
    "puts a number before a date": (
        "e:n e:p 1 .",
        'sh:path e:p ; sh:minInclusive "2024-01-01"^^xsd:date',
        ("1",),
    ),
    "takes true for 1": ("e:n e:p true .", "sh:path e:p ; sh:maxExclusive 2", ("true",)),
    "compares a text in a language with one in none": (
        'e:n e:p "a"@vi .',
        'sh:path e:p ; sh:minInclusive "b"',
        ('"a"@vi',),
    ),
    # the two days lie further apart than any two time zones
    "cannot compare days far apart for want of a time zone": (
        'e:n e:p "2024-01-01T00:00:00Z"^^xsd:dateTime .',
        'sh:path e:p ; sh:maxExclusive "2024-06-01T00:00:00"^^xsd:dateTime',
        (),
    ),
    # https://www.w3.org/TR/shacl/#LessThanConstraintComponent
    "puts IRIs in order": ("e:n e:p e:a ; e:q e:b .", "sh:path e:p ; sh:lessThan e:q", ("e:a",)),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.filterwarnings("ignore")
def test_where_pyshacl_is_known_to_differ_we_say_what_shacl_says(name: str) -> None:
    data, shape, values = FAULTS[name]
    graph = tuple(ox.parse(PREFIXES + data, format=ox.RdfFormat.TURTLE))
    written = f"{PREFIXES} e:s a sh:PropertyShape ; sh:targetNode e:n ; {shape} ."
    shapes = shapes_of(ox.parse(written, format=ox.RdfFormat.TURTLE))
    found = ours(Checker(shapes), WrittenStore(graph), DAY)
    in_data = {quad.object for quad in graph}
    assert {row[2] for row in found} <= in_data | {None}
    assert len(found) == len(values)
    assert (None in {row[2] for row in found}) is (None in values)
    assert theirs(graph, shapes, DAY) != found, "pySHACL has mended this: take it off the list"


@pytest.mark.filterwarnings("ignore")
def test_pyshacl_refuses_to_compare_blank_nodes_and_we_find_a_violation() -> None:
    graph = tuple(ox.parse(PREFIXES + "e:n e:p _:b ; e:q 1 .", format=ox.RdfFormat.TURTLE))
    written = PREFIXES + "e:s a sh:PropertyShape ; sh:targetNode e:n ; sh:path e:p ; sh:lessThan e:q ."
    shapes = shapes_of(ox.parse(written, format=ox.RdfFormat.TURTLE))
    assert len(ours(Checker(shapes), WrittenStore(graph), DAY)) == 1
    with pytest.raises(Refused):
        theirs(graph, shapes, DAY)
