"""Gather what two checks are to agree on: example files, the Vietnam example, a generated register."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyoxigraph as ox

from graph.pack import quads_of, read_pack
from graph.projections import scope_keys
from graph.resources import folder
from graph.standing import refresh
from graph.store import OxigraphStore
from graph.terms import BASE, D, Graphs
from tests.benchmarks.register import write

EXAMPLES = Path(__file__).parents[1] / "examples"
_AS_OF = re.compile(r"^# as-of: (\d{4}-\d\d-\d\d)$", re.MULTILINE)


class Example(NamedTuple):
    """Hold one example file, as it is written, and its day."""

    name: str
    quads: tuple[ox.Quad, ...]
    day: date


def examples() -> Iterator[Example]:
    """Yield every example file that says its day, in order."""
    for file in sorted(EXAMPLES.rglob("*.ttl")):
        text = file.read_text(encoding="utf-8")
        stated = _AS_OF.search(text)
        if stated:
            quads = tuple(ox.parse(text, format=ox.RdfFormat.TURTLE))
            yield Example(file.relative_to(EXAMPLES).as_posix(), quads, date.fromisoformat(stated[1]))


def vietnam() -> OxigraphStore:
    """Return the Vietnam example as the register keeps it, with the keys of its scopes and its standings."""
    pack = read_pack(folder("ontology") / "vn")
    store = _with_ontology()
    sources = ox.NamedNode(Graphs.sources)
    for part in pack.parts:
        graph = ox.NamedNode(part.source)
        store.raw.bulk_extend(ox.Quad(quad.subject, quad.predicate, quad.object, graph) for quad in quads_of(part))
        store.raw.add(ox.Quad(graph, ox.NamedNode(D.confidence), ox.NamedNode(part.confidence), sources))
    return _derived(store)


def generated(workshop: Path, datasets: int) -> tuple[OxigraphStore, dict[str, Any]]:
    """Return a generated register with the keys of its scopes and its standings, and what is true in it."""
    file, truth = workshop / f"{datasets}.nq", workshop / f"{datasets}.json"
    write(file, datasets, 1, truth_file=truth)
    store = _with_ontology()
    store.raw.bulk_load(path=str(file), format=ox.RdfFormat.N_QUADS)
    return _derived(store), json.loads(truth.read_text(encoding="utf-8"))


def _with_ontology() -> OxigraphStore:
    store = OxigraphStore()
    for name in ("core.ttl", "schemes.ttl", "sharing.ttl"):
        file = folder("ontology") / name
        store.raw.load(path=str(file), format=ox.RdfFormat.TURTLE, to_graph=ox.NamedNode(BASE + "ns"))
    return store


def _derived(store: OxigraphStore) -> OxigraphStore:
    store.raw.extend(list(scope_keys(store)))
    refresh(store)
    return store
