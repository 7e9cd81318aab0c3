"""Read the W3C's test cases for SHACL, run our check on them, and compare reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyoxigraph as ox

from graph.checking import Checker
from graph.shacl.paths import SH
from graph.shacl.reading import read_path, shapes_of
from graph.shacl.shapes import Result, Shape, Term
from graph.shacl.triples import RDF_TYPE, Triples
from graph.shacl.written import WrittenStore

MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
SHT = "http://www.w3.org/ns/shacl-test#"
DAY = date(2026, 1, 1)

#: (focus, path, value, component, severity, shape)
Row = tuple[Term, object, Term | None, str, str, Term]


@dataclass(frozen=True)
class Case:
    """Hold one case: the graphs it names and the report it expects, ``None`` where the check must refuse."""

    name: str
    data: tuple[ox.Quad, ...]
    shapes: tuple[ox.Quad, ...]
    expected: tuple[Row, ...] | None


def parsed(path: Path) -> tuple[ox.Quad, ...]:
    return tuple(ox.parse(path=str(path), format=ox.RdfFormat.TURTLE, base_iri=path.as_uri()))


def case_files(suite: Path) -> list[Path]:
    """Return the files that hold a case, in order, whether or not a manifest names them."""
    files = sorted((suite / "tests").rglob("*.ttl"))
    return [file for file in files if "sht:Validate" in file.read_text(encoding="utf-8")]


def read_case(path: Path) -> Case:
    quads = parsed(path)
    triples = Triples(quads)
    (case,) = triples.subjects(RDF_TYPE, ox.NamedNode(SHT + "Validate"))
    (action,) = triples.objects(case, MF + "action")
    graphs = []
    for word in ("dataGraph", "shapesGraph"):
        (named,) = triples.objects(action, SHT + word)
        file = path.parent / named.value.rpartition("/")[2]
        graphs.append(quads if file == path else parsed(file))
    (result,) = triples.objects(case, MF + "result")
    failure = result == ox.NamedNode(SHT + "Failure")
    expected = None if failure else tuple(rows_of_report(triples, result))
    return Case(path.stem, graphs[0], graphs[1], expected)


def rows_of_report(triples: Triples, report: Term) -> Iterator[Row]:
    """Yield the results of a validation report in RDF."""
    shape = Shape(report)
    for result in triples.objects(report, SH + "result"):

        def one(word: str, of: Term = result) -> Term | None:
            found = triples.objects(of, SH + word)
            return found[0] if found else None

        path = one("resultPath")
        yield (
            one("focusNode"),
            None if path is None else read_path(triples.quads, path, shape),
            one("value"),
            one("sourceConstraintComponent").value,
            one("resultSeverity").value,
            one("sourceShape"),
        )


def rows_of_results(results: Iterable[Result]) -> Iterator[Row]:
    for one in results:
        yield one.focus, one.path, one.value, one.component, one.severity, one.shape


def run(case: Case) -> tuple[Checker, list[Result]]:
    """Check a case. Raises ``ShapeFault``."""
    checker = Checker(shapes_of(case.shapes))
    return checker, list(checker.check(WrittenStore(case.data), DAY))


def same(found: Iterable[Row], expected: Iterable[Row]) -> bool:
    """Say whether two reports hold the same results, whatever their blank nodes are called.

    A blank node of one may stand for one of the other, each for one only: found by trying.
    """
    return _match(sorted(set(found), key=_key), list(set(expected)), {})


def _key(row: Row) -> str:
    return str([None if isinstance(part, ox.BlankNode) else str(part) for part in row])


def _match(found: list[Row], expected: list[Row], names: dict[ox.BlankNode, ox.BlankNode]) -> bool:
    if len(found) != len(expected):
        return False
    if not found:
        return True
    first, rest = found[0], found[1:]
    for at, other in enumerate(expected):
        bound = dict(names)
        if all(_fits(mine, theirs, bound) for mine, theirs in zip(first, other, strict=True)) and _match(
            rest, expected[:at] + expected[at + 1 :], bound
        ):
            return True
    return False


def _fits(mine: object, theirs: object, names: dict[ox.BlankNode, ox.BlankNode]) -> bool:
    if isinstance(mine, ox.BlankNode) and isinstance(theirs, ox.BlankNode):
        if mine in names:
            return names[mine] == theirs
        if theirs in names.values():
            return False
        names[mine] = theirs
        return True
    return mine == theirs
