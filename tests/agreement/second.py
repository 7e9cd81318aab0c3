"""Ask pySHACL the same as our check, and name what it is known to get wrong."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from unittest import mock

import pyoxigraph as ox
from rdflib.plugins.sparql import processor
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.parser import parseQuery
from rdflib.plugins.sparql.sparql import Query

from graph.checking import Checker
from graph.shacl.independent import graph_of, judged, report, targeting
from graph.shacl.reference import evaluation
from graph.shacl.report import read_report
from graph.shacl.shapes import Result, Shapes, Term
from graph.store import Reader

#: (focus, path, value, component, severity, shape): what two checks must agree on
Row = tuple[Term, object, Term | None, str, str, Term]


@lru_cache(maxsize=4096)
def _translated(text: str, base: str | None, prefixes: tuple[tuple[str, str], ...]) -> Query:
    return translateQuery(parseQuery(text), base, dict(prefixes))


@contextmanager
def reading_once() -> Iterator[None]:
    """Read each query once: pySHACL asks the same text for every focus node, and reading takes longest (measured)."""
    plain = processor.SPARQLProcessor.query

    def query(self, text, initBindings=None, initNs=None, base=None, DEBUG=False):  # type: ignore[no-untyped-def]
        if isinstance(text, str):
            text = _translated(text, base, tuple(sorted((initNs or {}).items())))
        return plain(self, text, initBindings, {}, base, DEBUG)

    with mock.patch.object(processor.SPARQLProcessor, "query", query):
        yield


def row(result: Result) -> Row:
    return result.focus, result.path, result.value, result.component, result.severity, result.shape


def ours(checker: Checker, reader: Reader, day: date, nodes: Iterable[Term] | None = None) -> set[Row]:
    chosen = None if nodes is None else list(nodes)
    return {row(result) for result in checker.check(reader, day, nodes=chosen)}


def theirs(quads: Iterable[ox.Quad], shapes: Shapes, day: date) -> set[Row]:
    """Return what pySHACL finds in statements on a day. Raises ``Refused``."""
    return _rows(report([*quads, *evaluation(day)], shapes.quads))


def _rows(found: Iterable[ox.Quad]) -> set[Row]:
    return {row(result) for result in read_report(found, ox.NamedNode("urn:none"))}


class TooLong(Exception):
    """pySHACL was given up."""


class Second:
    """Let pySHACL judge one graph on one day, root by root, each within a limit of seconds."""

    def __init__(self, quads: Iterable[ox.Quad], shapes: Shapes, day: date) -> None:
        self._shapes = list(shapes.quads)
        self._graph = graph_of([*quads, *evaluation(day)])

    def judge(self, root: Term, seconds: float, nodes: Iterable[str] | None = None) -> set[Row]:
        """Return what it finds under a root, or about ``nodes`` of it only. Raises ``TooLong`` and ``Refused``."""
        shapes = graph_of(targeting(self._shapes, {root}))

        def give_up(*_: object) -> None:
            raise TooLong

        before = signal.signal(signal.SIGALRM, give_up)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            return _rows(judged(self._graph, shapes, None if nodes is None else list(nodes)))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def told(rows: Iterable[Row]) -> str:
    """Say rows so that a reader of a failed test can tell them apart."""
    return "\n".join(sorted(" ".join(str(getattr(part, "sparql", part)) for part in row) for row in rows))
