"""Gathering flows from the graph: as much as the walk needs, whatever the records look like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

import pyoxigraph as ox
import pytest

from graph.flows import gather, lineage
from graph.lineage import Direction, Kind
from graph.store import OxigraphStore

UP, DOWN = Direction.up, Direction.down
X = "https://w3id.org/diaba/example/"
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "register.ttl"
TODAY = date(2026, 11, 23)


def loaded(turtle: str) -> OxigraphStore:
    store = OxigraphStore()
    head = f"@prefix d: <https://w3id.org/diaba/ns#> . @prefix x: <{X}> . "
    store.raw.load(head + turtle, format=ox.RdfFormat.TRIG)
    return store


@pytest.fixture(scope="module")
def example() -> OxigraphStore:
    store = OxigraphStore()
    store.raw.load(path=EXAMPLE)
    return store


def reached(store: OxigraphStore, start: str, direction: Direction, as_of: date | None = TODAY) -> dict[str, int]:
    return {node.iri.removeprefix(X): node.depth for node in lineage(store, X + start, direction, as_of).nodes}


def test_the_flood_map_comes_from_levels_rain_and_gauges(example: OxigraphStore) -> None:
    assert reached(example, "floods", UP) == {"floods": 0, "levels": 1, "rain-2025": 1, "gauges": 2}


def test_the_levels_go_to_their_copy_and_on(example: OxigraphStore) -> None:
    assert reached(example, "levels", DOWN) == {"levels": 0, "floods": 1, "mirror": 1, "gauges": 2, "warnings": 2}


def test_a_copy_comes_from_its_original(example: OxigraphStore) -> None:
    up = lineage(example, X + "mirror", UP, TODAY)
    copies = [edge for edge in up.edges if edge.kind is Kind.copy]
    assert [(edge.source, edge.target, edge.record) for edge in copies] == [(X + "levels", X + "mirror", "")]
    assert reached(example, "mirror", UP)["levels"] == 1


def test_the_circle_of_the_example_is_named(example: OxigraphStore) -> None:
    assert lineage(example, X + "warnings", UP, TODAY).cycles == ((X + "floods", X + "gauges", X + "levels"),)
    assert lineage(example, X + "warnings", UP, date(2024, 12, 31)).cycles == ()


def test_paper_counted_until_the_end_of_2023(example: OxigraphStore) -> None:
    assert "paper" in reached(example, "levels", UP, date(2023, 12, 31))
    assert "paper" not in reached(example, "levels", UP, date(2024, 1, 1))
    assert "paper" in reached(example, "levels", UP, None)


def test_what_nobody_describes_is_alone() -> None:
    assert reached(OxigraphStore(), "never-heard-of", UP) == {"never-heard-of": 0}


def test_a_flow_said_in_two_graphs_is_one() -> None:
    store = loaded("x:g { x:f d:flowFrom x:a ; d:flowTo x:b } x:h { x:f d:flowFrom x:a ; d:flowTo x:b }")
    assert len(gather(store, X + "b", UP)) == 1
    assert len(gather(store, X + "a", DOWN)) == 1


def test_a_flow_with_several_ends_joins_each_pair() -> None:
    store = loaded("x:f d:flowFrom x:a, x:b ; d:flowTo x:c, x:d .")
    assert reached(store, "c", UP) == {"c": 0, "a": 1, "b": 1}
    assert reached(store, "a", DOWN) == {"a": 0, "c": 1, "d": 1}


def test_a_flow_with_one_end_or_a_text_for_an_end_leads_nowhere() -> None:
    store = loaded("x:f d:flowTo x:b . x:g d:flowFrom x:b .")
    assert reached(store, "b", UP) == {"b": 0}
    assert reached(store, "b", DOWN) == {"b": 0}


def test_a_date_that_is_no_day_counts_as_missing() -> None:
    store = loaded('x:f d:flowFrom x:a ; d:flowTo x:b ; d:until "soon" ; d:from "2025" .')
    assert reached(store, "b", UP) == {"b": 0, "a": 1}


class Counting(OxigraphStore):
    """Count the moves that are made."""

    moves = 0

    def outgoing(self, nodes: Iterable[str], predicates: Sequence[str] | None = None) -> Iterator[ox.Quad]:
        self.moves += 1
        return super().outgoing(nodes, predicates)

    def incoming(self, nodes: Iterable[str], predicates: Sequence[str]) -> Iterator[ox.Quad]:
        self.moves += 1
        return super().incoming(nodes, predicates)


def test_gathering_makes_three_moves_a_level_however_wide_it_is() -> None:
    store = Counting()
    text = "".join(f"x:f{n} d:flowFrom x:a{n} ; d:flowTo x:b ." for n in range(50))
    store.raw.load(
        f"@prefix d: <https://w3id.org/diaba/ns#> . @prefix x: <{X}> . " + text, format=ox.RdfFormat.TURTLE
    )
    assert len(gather(store, X + "b", UP)) == 50
    assert store.moves == 6
