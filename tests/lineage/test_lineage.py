"""Walking flows: up and down, on a day, through circles."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.lineage import Direction, Edge, Flow, Kind, Lineage, walk
from graph.model import Interval

UP, DOWN = Direction.up, Direction.down


def flow(source: str, target: str, start: str | None = None, end: str | None = None) -> Flow:
    span = Interval(date.fromisoformat(start) if start else None, date.fromisoformat(end) if end else None)
    return Flow(Edge(source, target, Kind.flow, f"{source}-{target}"), span)


def depths(lineage: Lineage) -> dict[str, int]:
    return {node.iri: node.depth for node in lineage.nodes}


CHAIN = [flow("a", "b"), flow("b", "c"), flow("c", "d"), flow("a", "c"), flow("x", "y")]


def test_up_leads_to_the_sources_and_down_to_the_uses() -> None:
    assert depths(walk(CHAIN, "c", UP)) == {"c": 0, "a": 1, "b": 1}
    assert depths(walk(CHAIN, "a", DOWN)) == {"a": 0, "b": 1, "c": 1, "d": 2}


def test_a_resource_without_flows_is_its_own_lineage() -> None:
    alone = walk(CHAIN, "alone", UP)
    assert depths(alone) == {"alone": 0}
    assert alone.edges == ()
    assert alone.cycles == ()


def test_every_edge_between_what_is_reached_is_there_once() -> None:
    assert [edge.record for edge in walk(CHAIN + CHAIN, "d", UP).edges] == ["a-b", "a-c", "b-c", "c-d"]


def test_two_flows_between_the_same_two_are_two() -> None:
    twice = [flow("a", "b"), Flow(Edge("a", "b", Kind.flow, "again")), Flow(Edge("a", "b", Kind.copy))]
    assert len(walk(twice, "b", UP).edges) == 3


@pytest.mark.parametrize(
    ("day", "reached"),
    [
        ("2024-12-31", {"b"}),
        ("2025-01-01", {"b", "a"}),
        ("2025-06-30", {"b", "a"}),
        ("2025-07-01", {"b"}),
        (None, {"b", "a"}),
    ],
)
def test_a_flow_runs_from_its_first_day_until_the_day_before_its_end(day: str | None, reached: set[str]) -> None:
    as_of = date.fromisoformat(day) if day else None
    assert set(depths(walk([flow("a", "b", "2025-01-01", "2025-07-01")], "b", UP, as_of))) == reached


def test_what_lies_behind_a_flow_that_has_ended_is_not_reached() -> None:
    flows = [flow("a", "b"), flow("b", "c", None, "2024-01-01")]
    assert set(depths(walk(flows, "c", UP, date(2025, 1, 1)))) == {"c"}


def test_a_circle_ends_and_is_named_in_the_order_in_which_data_run() -> None:
    flows = [flow("b", "c"), flow("c", "a"), flow("a", "b"), flow("z", "a")]
    up = walk(flows, "b", UP)
    assert depths(up) == {"b": 0, "a": 1, "c": 2, "z": 2}
    assert up.cycles == (("a", "b", "c"),)
    assert walk(flows, "b", DOWN).cycles == (("a", "b", "c"),)


def test_a_flow_into_itself_is_a_circle_of_one() -> None:
    assert walk([flow("a", "a")], "a", UP).cycles == (("a",),)


def test_a_circle_that_does_not_run_on_the_day_is_none() -> None:
    flows = [flow("a", "b"), flow("b", "a", "2025-01-01")]
    assert walk(flows, "a", DOWN, date(2024, 12, 31)).cycles == ()
    assert walk(flows, "a", DOWN, date(2025, 1, 1)).cycles == (("a", "b"),)


def test_two_circles_through_one_resource_are_both_named() -> None:
    flows = [flow("a", "b"), flow("b", "a"), flow("b", "c"), flow("c", "d"), flow("d", "b")]
    assert walk(flows, "a", DOWN).cycles == (("a", "b"), ("b", "c", "d"))


def test_a_circle_elsewhere_is_not_named() -> None:
    assert walk([flow("a", "b"), flow("x", "y"), flow("y", "x")], "a", DOWN).cycles == ()


def test_a_chain_of_any_length_is_walked() -> None:
    flows = [flow(f"{number:05}", f"{number + 1:05}") for number in range(20_000)]
    long = walk(flows, "20000", UP)
    assert long.nodes[-1].depth == 20_000
    ring = walk([*flows, flow("20000", "00000")], "20000", UP)
    assert [len(cycle) for cycle in ring.cycles] == [20_001]


names = st.sampled_from("abcdefgh")
flows_of_any_kind = st.lists(st.builds(flow, names, names), max_size=25)


@given(flows_of_any_kind, st.randoms(use_true_random=False))
def test_any_order_of_flows_gives_the_same_answer(flows: list[Flow], random: object) -> None:
    shuffled = list(flows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert walk(flows, "a", DOWN) == walk(shuffled, "a", DOWN)


@given(flows_of_any_kind)
def test_what_is_upstream_of_a_has_a_downstream(flows: list[Flow]) -> None:
    for node in walk(flows, "a", UP).nodes:
        assert depths(walk(flows, node.iri, DOWN))["a"] == node.depth


@given(flows_of_any_kind)
def test_exactly_what_can_be_reached_from_itself_is_in_a_named_circle(flows: list[Flow]) -> None:
    lineage = walk(flows, "a", DOWN)
    edges = {(edge.source, edge.target) for edge in lineage.edges}
    round_trips = {
        node.iri
        for node in lineage.nodes
        if any(node.iri in depths(walk(flows, target, DOWN)) for source, target in edges if source == node.iri)
    }
    assert {iri for cycle in lineage.cycles for iri in cycle} == round_trips
    for cycle in lineage.cycles:
        assert cycle[0] == min(cycle)
        assert len(set(cycle)) == len(cycle)
        assert all(step in edges for step in zip(cycle, (*cycle[1:], cycle[0]), strict=True))
