"""Hold the whole pack in one store, as a load of every part would leave it."""

from __future__ import annotations

from dataclasses import dataclass

import pyoxigraph as ox
import pytest

from graph.answering import Sources
from graph.pack import Pack, quads_of, read_pack
from graph.resources import folder
from graph.store import OxigraphStore, Reader
from graph.terms import D, Graphs


@dataclass(frozen=True, slots=True)
class Register:
    graph: Reader
    history: Reader
    pack: Pack


@pytest.fixture(scope="session")
def pack() -> Pack:
    return read_pack(folder("ontology") / "vn")


@pytest.fixture(scope="session")
def statements(pack: Pack) -> dict[str, list[ox.Quad]]:
    """Return the statements of every part by its source."""
    return {part.source: list(quads_of(part)) for part in pack.parts}


@pytest.fixture(scope="session")
def register(pack: Pack, statements: dict[str, list[ox.Quad]]) -> Sources:
    store = OxigraphStore()
    graph = ox.NamedNode("https://w3id.org/diaba/ns")
    for name in ("core.ttl", "schemes.ttl"):
        triples = ox.parse(path=folder("ontology") / name, format=ox.RdfFormat.TURTLE)
        store.raw.bulk_extend(ox.Quad(q.subject, q.predicate, q.object, graph) for q in triples)
    sources = ox.NamedNode(Graphs.sources)
    for part in pack.parts:
        graph = ox.NamedNode(part.source)
        store.raw.bulk_extend(ox.Quad(q.subject, q.predicate, q.object, graph) for q in statements[part.source])
        store.raw.add(ox.Quad(graph, ox.NamedNode(D.confidence), ox.NamedNode(part.confidence), sources))
    return Register(store, OxigraphStore(), pack)
