"""Blank nodes get names that depend on what is said, never on labels, order or the rest of the file."""

from __future__ import annotations

import random
import time

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.blank import name_blanks
from graph.errors import Malformed

P, Q = ox.NamedNode("http://a/p"), ox.NamedNode("http://a/q")
SOURCE = "https://example.org/source"


def blank(number: int) -> ox.BlankNode:
    return ox.BlankNode(f"b{number}")


edges = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([P, Q]), st.integers(0, 7)), min_size=1, max_size=9
)


def graph_of(drawn: list[tuple[int, ox.NamedNode, int]], label: dict[int, int]) -> list[ox.Quad]:
    """Draw a graph on blank nodes 0–5 and the IRIs 6 and 7, labelled as told."""
    return [
        ox.Quad(blank(label[s]), p, blank(label[o]) if o < 6 else ox.NamedNode(f"http://a/{o}")) for s, p, o in drawn
    ]


@given(edges, st.randoms(use_true_random=False))
def test_labels_and_order_do_not_matter(drawn: list[tuple[int, ox.NamedNode, int]], chance: random.Random) -> None:
    labels = list(range(6))
    one = graph_of(drawn, dict(enumerate(labels)))
    chance.shuffle(labels)
    other = graph_of(drawn, dict(enumerate(labels)))
    chance.shuffle(other)
    try:
        named = name_blanks(one, SOURCE)
    except Malformed:
        with pytest.raises(Malformed):
            name_blanks(other, SOURCE)
    else:
        assert named == name_blanks(other, SOURCE)


def test_an_unrelated_statement_renames_nothing() -> None:
    address = [ox.Quad(ox.NamedNode("http://a/x"), P, blank(1)), ox.Quad(blank(1), Q, ox.Literal("Hà Nội"))]
    other = [ox.Quad(ox.NamedNode("http://a/y"), P, blank(2))]
    assert set(name_blanks(address, SOURCE)) < set(name_blanks(other + address, SOURCE))


def test_names_lie_under_the_source() -> None:
    [quad] = name_blanks([ox.Quad(blank(1), P, ox.Literal("x"))], SOURCE + "#")
    assert str(quad.subject).startswith(f"<{SOURCE}/.well-known/genid/")


def test_different_things_get_different_names() -> None:
    named = name_blanks([ox.Quad(blank(n), P, ox.Literal(str(n))) for n in range(50)], SOURCE)
    assert len({quad.subject for quad in named}) == 50


def test_like_nodes_stay_apart_where_the_graph_keeps_them_apart() -> None:
    star = [ox.Quad(blank(0), P, blank(n)) for n in range(1, 30)]
    assert len(name_blanks(star, SOURCE)) == 29


@pytest.mark.parametrize("size", [8, 30])
def test_a_graph_made_to_stall_is_refused_at_once(size: int) -> None:
    everyone = [ox.Quad(blank(a), P, blank(b)) for a in range(size) for b in range(size) if a != b]
    begun = time.perf_counter()
    with pytest.raises(Malformed, match="alike"):
        name_blanks(everyone, SOURCE)
    assert time.perf_counter() - begun < 5


def test_a_blank_graph_name_is_named_too() -> None:
    [quad] = name_blanks([ox.Quad(ox.NamedNode("http://a/x"), P, ox.Literal("x"), blank(1))], SOURCE)
    assert isinstance(quad.graph_name, ox.NamedNode)
