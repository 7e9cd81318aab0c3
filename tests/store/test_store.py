"""The store reads edges both ways, changes all or nothing, and knows how far it has come."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from graph.errors import StoreFault
from graph.store import OxigraphStore
from graph.terms import Graphs


def quad(subject: str, predicate: str, target: str, graph: str = "g") -> ox.Quad:
    return ox.Quad(*(ox.NamedNode(f"http://a/{name}") for name in (subject, predicate, target, graph)))


ONE, TWO, THREE = quad("a", "p", "b"), quad("b", "p", "c", "h"), quad("a", "q", "c")
ODD = ox.Quad(
    ox.NamedNode("http://a/a"),
    ox.NamedNode("http://a/p"),
    ox.Literal('a "quoted"\nline \\ with đ', language="vi"),
    ox.NamedNode("http://a/g"),
)


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> OxigraphStore:
    return OxigraphStore(tmp_path / "store" if request.param == "disk" else None)


def test_edges_are_read_both_ways(store: OxigraphStore) -> None:
    store.apply([], [ONE, TWO, THREE], 1)
    assert set(store.outgoing(["http://a/a", "http://a/b"])) == {ONE, TWO, THREE}
    assert list(store.outgoing(["http://a/a"], ["http://a/q"])) == [THREE]
    assert set(store.incoming(["http://a/c"], ["http://a/p", "http://a/q"])) == {TWO, THREE}
    assert list(store.contents("http://a/h")) == [TWO]


def test_a_query_sees_all_graphs_together_and_each_apart(store: OxigraphStore) -> None:
    store.apply([], [ONE, TWO], 1)
    assert len(list(store.query("SELECT * { ?a <http://a/p> ?b . ?b <http://a/p> ?c }"))) == 1  # type: ignore[arg-type]
    assert len(list(store.query("SELECT * { GRAPH <http://a/h> { ?a ?b ?c } }"))) == 1  # type: ignore[arg-type]


def test_a_change_carries_its_revision_and_may_come_twice(store: OxigraphStore) -> None:
    store.apply([], [ONE, TWO], 1)
    for _ in range(2):
        store.apply([ONE], [THREE, ODD], 2)
        assert store.revision == 2
        assert set(store.outgoing(["http://a/a"])) == {THREE, ODD}


def test_what_is_removed_and_added_at_once_is_there(store: OxigraphStore) -> None:
    store.apply([], [ONE], 1)
    store.apply([ONE], [ONE], 2)
    assert list(store.outgoing(["http://a/a"])) == [ONE]


def test_many_are_loaded_and_counted_as_one_change(store: OxigraphStore) -> None:
    store.load((quad(str(number), "p", "b") for number in range(1000)), 7)
    assert store.revision == 7
    assert len(list(store.incoming(["http://a/b"], ["http://a/p"]))) == 1000


def test_parts_remember_how_far_they_came(store: OxigraphStore) -> None:
    assert store.noted(Graphs.standings) == 0
    store.note(Graphs.standings, 3)
    store.note(Graphs.standings, 4)
    assert (store.noted(Graphs.standings), store.noted(Graphs.scopes), store.revision) == (4, 0, 0)
    store.apply([], [ONE], 5)
    assert store.noted(Graphs.standings) == 4


def test_a_graph_can_be_dropped(store: OxigraphStore) -> None:
    store.apply([], [ONE, TWO], 1)
    store.clear("http://a/g")
    assert not list(store.contents("http://a/g"))
    assert list(store.contents("http://a/h")) == [TWO]


def test_a_store_on_disk_is_found_again(tmp_path: Path) -> None:
    store = OxigraphStore(tmp_path)
    store.apply([], [ONE, ODD], 3)
    store.note(Graphs.scopes, 2)
    store.flush()
    store.close()
    again = OxigraphStore(tmp_path)
    assert (again.revision, again.noted(Graphs.scopes)) == (3, 2)
    assert set(again.outgoing(["http://a/a"])) == {ONE, ODD}
    again.close()
    reading = OxigraphStore(tmp_path, read_only=True)
    assert reading.revision == 3
    with pytest.raises(StoreFault, match="did not take"):
        reading.apply([], [TWO], 4)
