"""Check a generated register by the shipped rules and by ten shapes, beside other engines; and again after a change.

``python -m tests.benchmarks.bench_check '{"way": "ours", "rules": "ten", "graph": "…"}'`` prints one measurement.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox

from graph.checking import Checker
from graph.findings import Findings
from graph.rechecking import focus_nodes
from graph.resources import folder
from graph.rules import read_rules
from graph.shacl.reading import read_shapes
from graph.shacl.reference import evaluation
from graph.shacl.shapes import Shapes
from graph.store import OxigraphStore
from graph.terms import BASE, RDF, D, Graphs

from .measuring import apart, spread

DAY: Final = date(2026, 1, 1)
TEN: Final = Path(__file__).with_name("ten.ttl")
#: seconds after which an engine has not ended
PATIENCE: Final = 600.0
#: largest registers, in datasets, that an engine is given: beyond, it is known not to end
LARGEST: Final = {"pyshacl": 1_000, "shifty": 100_000}
LEAVES, HUBS = 60, 12


def shapes_of(rules: str) -> Shapes:
    """Return ten shapes, or all shipped ones."""
    return read_shapes([TEN]) if rules == "ten" else read_rules(pack="vn").shapes


def ours(graph: Path, rules: str) -> dict[str, Any]:
    """Check the whole store on disk."""
    checker, store = Checker(shapes_of(rules)), OxigraphStore(graph, read_only=True)
    return _taken(lambda: sum(1 for _ in checker.check(store, DAY)))


def pyshacl(data: Path, rules: str) -> dict[str, Any]:
    """Check in memory, loading apart."""
    import rdflib
    from pyshacl import validate

    loaded, shapes = rdflib.Graph(), rdflib.Graph()
    loaded.parse(data, format="nt")
    for file in files_of(rules):
        shapes.parse(file, format="turtle")
    return _taken(lambda: _counted(validate(loaded, shacl_graph=shapes)[1]))


def shifty(data: Path, rules: str) -> dict[str, Any]:
    """Check in memory, loading included: it takes files only."""
    import shifty as engine  # type: ignore[import-not-found,import-untyped,unused-ignore]

    return _taken(lambda: _counted(engine.validate(str(data), [str(file) for file in files_of(rules)], infer=False)[1]))


def files_of(rules: str) -> list[Path]:
    """Return the files of a set of shapes."""
    if rules == "ten":
        return [TEN]
    shipped = folder("shapes")
    return sorted(one for one in [*shipped.glob("*.ttl"), *shipped.glob("vn/*.ttl")] if one.name != "ontology.ttl")


def _counted(report: Any) -> int:
    import rdflib

    return sum(1 for _ in report.subjects(rdflib.RDF.type, rdflib.URIRef("http://www.w3.org/ns/shacl#ValidationResult")))


def _taken(run: Callable[[], int]) -> dict[str, Any]:
    working, begun = time.process_time(), time.perf_counter()
    results = run()
    return {
        "seconds": round(time.perf_counter() - begun, 2), "cpu": round(time.process_time() - working, 2),
        "results": results,
    }  # fmt: skip


def dumped(graph: Path, into: Path) -> Path:
    """Write what a store shows, each statement once, with the day, for engines that read files."""
    store = ox.Store.read_only(str(graph))
    derived = {ox.NamedNode(Graphs.projection), ox.NamedNode(Graphs.findings)}
    quads = (quad.triple for quad in store if quad.graph_name not in derived)
    ox.serialize((*quads, *(quad.triple for quad in evaluation(DAY))), str(into), format=ox.RdfFormat.N_TRIPLES)
    return into


# --- after a change --------------------------------------------------------------------------------------------------


def again(graph: Path) -> dict[str, Any]:
    """Find again what one change can alter: a claim about a dataset (a leaf), the end of a body or a law (a hub)."""
    findings, chance = Findings(read_rules(pack="vn")), random.Random(1)
    with tempfile.TemporaryDirectory(dir=graph.parent) as copied:
        store = OxigraphStore(shutil.copytree(graph, Path(copied) / "graph"))
        datasets = _some(store, "http://www.w3.org/ns/dcat#Dataset", LEAVES, chance)
        bodies = _some(store, D.Agency, HUBS, chance)
        laws = _some(store, D.LegalInstrument, HUBS, chance)
        leaf = [_claim(number, node, bodies[number % len(bodies)]) for number, node in enumerate(datasets)]
        hub = [[ox.Quad(node, ox.NamedNode(D.until), _day("2025-12-01"), _BENCH)] for node in (*bodies, *laws)]
        taken = {name: _changed(store, findings, changes) for name, changes in (("leaf", leaf), ("hub", hub))}
        store.close()
    return taken


_BENCH: Final = ox.NamedNode(BASE + "bench/change")


def _day(text: str) -> ox.Literal:
    return ox.Literal(text, datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#date"))


def _some(store: OxigraphStore, kind: str, count: int, chance: random.Random) -> list[ox.NamedNode]:
    found = store.raw.quads_for_pattern(None, ox.NamedNode(RDF.type), ox.NamedNode(kind), None)
    nodes = sorted({quad.subject for quad in found if isinstance(quad.subject, ox.NamedNode)}, key=str)
    return chance.sample(nodes, min(count, len(nodes)))


def _claim(number: int, dataset: ox.NamedNode, body: ox.NamedNode) -> list[ox.Quad]:
    record = ox.NamedNode(f"{_BENCH.value}/{number}")
    stated = {
        RDF.type: ox.NamedNode(D.Responsibility), D.covers: dataset, D.holder: body,
        D.role: ox.NamedNode(BASE + "role/accountable"), D.NS + "from": _day("2024-01-01"),
    }  # fmt: skip
    return [ox.Quad(record, ox.NamedNode(predicate), value, _BENCH) for predicate, value in stated.items()]


def _changed(store: OxigraphStore, findings: Findings, changes: list[list[ox.Quad]]) -> dict[str, Any]:
    """Make each change, find again, and take it back, timing the finding alone."""
    seconds, cpu, nodes, per_node = [], [], [], []
    for added in changes:
        store.raw.extend(added)
        working, begun = time.process_time(), time.perf_counter()
        work = focus_nodes(store, (), added, findings, findings.roots)
        for root, reached in work.items():
            for _ in findings.of(store, root, reached):
                pass
        seconds.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - working)
        nodes.append(sum(len(reached or ()) for reached in work.values()))
        per_node.append(seconds[-1] / max(1, nodes[-1]))
        for quad in added:
            store.raw.remove(quad)
    return {
        **spread(seconds, cpu).as_json(), "nodes": sorted(nodes)[len(nodes) // 2],
        "per node": spread(per_node).as_json(),
    }  # fmt: skip


# --- all of it -------------------------------------------------------------------------------------------------------


def measure(graph: Path, size: int, into: Path) -> dict[str, Any]:
    """Return every measurement of a register whose graph is in a folder, each taken in a process of its own."""
    data = dumped(graph, into / "data.nt")
    found: dict[str, Any] = {}
    for rules in ("ten", "all"):
        for way in ("ours", "pyshacl", "shifty"):
            if size > LARGEST.get(way, size):
                found[f"{rules}, {way}"] = None
                continue
            source = {"graph": str(graph)} if way == "ours" else {"data": str(data)}
            try:
                found[f"{rules}, {way}"] = apart(__spec__.name, {"way": way, "rules": rules, **source}, PATIENCE)
            except (TimeoutError, SystemExit):
                found[f"{rules}, {way}"] = None
    found["again"] = apart(__spec__.name, {"way": "again", "graph": str(graph)})
    return found


WAYS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "ours": ours, "pyshacl": pyshacl, "shifty": shifty, "again": again,
}  # fmt: skip

if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    run = WAYS[asked.pop("way")]
    print(json.dumps(run(**{name: Path(v) if name in ("graph", "data") else v for name, v in asked.items()})))
