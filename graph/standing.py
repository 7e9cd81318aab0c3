"""Write the decisions down: who holds which role on a resource, from when until when, as a derived graph.

As long as no day passes on which something in its evidence starts or ends, an answer stays as it is: so a standing
lasts for an interval. Lists, counts, rules and pages read standings; ``who`` decides anew and explains, and tests
compare the two on any day of random registers. A standing is derived and never a premise of another answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import pyoxigraph as ox

from graph.evidence import Gathering
from graph.model import Decision, Evidence, Interval
from graph.responsibility import Weighing
from graph.store import Edges, Store
from graph.terms import (
    ANSWERABLE_CLASSES,
    BASE,
    RDF,
    XSD,
    D,
    Graphs,
    Role,
    Status,
)

Progress = Callable[[int, int], None]
"""Called now and then with how many resources are done, of how many."""

_GRAPH = ox.NamedNode(Graphs.standings)
_DATE = ox.NamedNode(XSD.date)
_TYPE = ox.NamedNode(RDF.type)
_STANDING = ox.NamedNode(D.Standing)
_ABOUT, _ROLE, _STATUS, _HOLDER, _FROM, _UNTIL, _PREMISE = (
    ox.NamedNode(term) for term in (D.about, D.role, D.status, D.holder, D.from_, D.until, D.premise)
)


#: the terms of standings come again and again
_term = lru_cache(maxsize=10_000)(ox.NamedNode)


@lru_cache(maxsize=10_000)
def _day(day: date) -> ox.Literal:
    return ox.Literal(day.isoformat(), datatype=_DATE)


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold one answer for the days it lasts: ``about`` a resource, in a role, with its premises."""

    about: str
    role: str
    status: str
    holders: tuple[str, ...]
    span: Interval
    premises: tuple[str, ...]

    @property
    def iri(self) -> str:
        """Name the standing after what it is about and its first day, so that the same one keeps its name."""
        key = f"{self.about}\n{self.role}\n{self.span.start or ''}"
        return f"{BASE}standing/{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def standings_of(evidence: Evidence) -> list[Standing]:
    """Return the standings on one resource: accountable always, other roles where anyone claims them.

    The intervals of a role follow one another without gap or overlap; days on which another role than accountable is
    unknown are left out.
    """
    weighing = Weighing(evidence)
    found: list[Standing] = []
    for role in sorted(evidence.roles() | {Role.accountable}):
        for standing in _spans(weighing, role, (None, *weighing.turning_days(role))):
            if standing.status != Status.unknown or role == Role.accountable:
                found.append(standing)
    return found


def _spans(weighing: Weighing, role: str, days: Sequence[date | None]) -> Iterator[Standing]:
    """Decide at each boundary and join neighbours that answer alike."""
    start = days[0]
    last: Decision | None = None
    premises: set[str] = set()
    for day in days:
        decision = weighing.decide(role, day or date.min)
        if last is not None and (decision.status, decision.holders) != (last.status, last.holders):
            yield _standing(last, premises, Interval(start, day))
            start, premises = day, set()
        last = decision
        premises.update(decision.premises)
    assert last is not None  # there is always the day before all others
    yield _standing(last, premises, Interval(start, None))


def _standing(decision: Decision, premises: set[str], span: Interval) -> Standing:
    return Standing(decision.resource, decision.role, decision.status, decision.holders, span, tuple(sorted(premises)))


def quads_of(standing: Standing) -> Iterator[ox.Quad]:
    """Write a standing as statements of the standings graph."""
    node = ox.NamedNode(standing.iri)
    about, role, status = map(_term, (standing.about, standing.role, standing.status))
    yield ox.Quad(node, _TYPE, _STANDING, _GRAPH)
    yield ox.Quad(node, _ABOUT, about, _GRAPH)
    yield ox.Quad(node, _ROLE, role, _GRAPH)
    yield ox.Quad(node, _STATUS, status, _GRAPH)
    for holder in standing.holders:
        yield ox.Quad(node, _HOLDER, _term(holder), _GRAPH)
    if standing.span.start is not None:
        yield ox.Quad(node, _FROM, _day(standing.span.start), _GRAPH)
    if standing.span.end is not None:
        yield ox.Quad(node, _UNTIL, _day(standing.span.end), _GRAPH)
    for premise in standing.premises:
        yield ox.Quad(node, _PREMISE, ox.NamedNode(premise), _GRAPH)


def described(reader: Edges) -> list[str]:
    """Return every resource and task the register describes, sorted."""
    return sorted({subject.value for subject, _, _, _ in reader.incoming(sorted(ANSWERABLE_CLASSES), (RDF.type,))})


def derive(reader: Edges, resources: Sequence[str], progress: Progress | None = None) -> Iterator[ox.Quad]:
    """Yield the statements of all standings on the resources, which must be described."""
    gathering = Gathering(reader)
    for done, resource in enumerate(resources):
        if progress is not None and done % 500 == 0:
            progress(done, len(resources))
        for standing in standings_of(gathering.gather(resource)):
            yield from quads_of(standing)
    if progress is not None:
        progress(len(resources), len(resources))


def changes(reader: Edges, resources: Iterable[str]) -> tuple[list[ox.Quad], list[ox.Quad]]:
    """Return what to remove from and add to the standings graph so that it is right for these resources again."""
    nodes = sorted(set(resources))
    types = reader.outgoing(nodes, (RDF.type,))
    known = {subject.value for subject, _, kind, _ in types if kind.value in ANSWERABLE_CLASSES}
    old_nodes = sorted({subject.value for subject, _, _, _ in reader.incoming(nodes, (D.about,))})
    old = {quad for quad in reader.outgoing(old_nodes) if quad.graph_name == _GRAPH}
    new = set(derive(reader, [node for node in nodes if node in known]))
    return sorted(old - new, key=str), sorted(new - old, key=str)


def refresh(store: Store, resources: Iterable[str] | None = None, progress: Progress | None = None) -> None:
    """Make the standings right again: of some resources in one commit, or all anew (``None``)."""
    if resources is not None:
        removed, added = changes(store, resources)
        if removed or added:
            store.apply(removed, added, store.revision)
        return
    store.clear(Graphs.standings)
    store.load(derive(store, described(store), progress), store.revision)
