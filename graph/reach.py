"""Find the resources whose answer a change may alter, by walking the edges of ``evidence`` backwards.

The result may be larger than needed, never smaller: a property-based test holds standings kept up this way equal to
standings made anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pyoxigraph as ox

from graph.store import Reader
from graph.terms import DCAT, DCT, RDF, SKOS, D, Graphs, Level

#: what the subject of a changed statement must say for the change to matter at all
_WEIGHED = frozenset(
    {
        RDF.type, DCAT.theme, DCAT.inSeries, DCAT.dataset, DCAT.service, DCAT.catalog, DCAT.resource, D.managedIn,
        SKOS.broader, D.from_, D.until, D.level, D.placed, D.under, D.postIn, D.bodyKind, D.jurisdiction, D.partOf,
        D.role, D.holder, D.holderKind, D.covers, D.coversMembersOf, D.field, D.area, D.excludes, D.lapsesWith,
        D.confidence, D.transferKind, D.transferor, D.takesFrom, D.creates, D.event, D.effectiveOn, D.predecessor,
        D.successor, D.lead,
    }
)  # fmt: skip

#: the object depends on the subject
_FORWARD = (
    D.covers, D.coversMembersOf, D.creates, D.placed, D.predecessor, DCAT.dataset, DCAT.service, DCAT.catalog,
    DCAT.resource,
)  # fmt: skip

#: the subject depends on the object
_BACKWARD = (
    DCAT.theme, DCAT.inSeries, D.managedIn, SKOS.broader, D.under, D.successor, D.event, D.holder, D.postIn,
    D.transferor, D.takesFrom, D.lapsesWith, D.partOf,
)  # fmt: skip

_BODY = frozenset({D.from_, D.until, D.bodyKind, D.jurisdiction})
_SCOPE = (D.field, D.area)
_MANY_AREAS = 500
"""Areas below a scope from which on going by field is cheaper."""


@dataclass(slots=True)
class _Scope:
    """Collect the fields and areas of a record, as they are and as they were."""

    fields: set[str] = field(default_factory=set)
    areas: set[str] = field(default_factory=set)

    def note(self, predicate: str, value: str) -> None:
        (self.fields if predicate == D.field else self.areas).add(value)


def touched(reader: Reader, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> set[str] | None:
    """Return the resources (and other nodes) whose answer a change may alter, ``None`` where that can be all.

    ``reader`` shows the graph after the change.
    """
    start: set[str] = set()
    bodies: set[str] = set()
    kinds: set[str] = set()
    areas: set[str] = set()
    scopes: dict[str, _Scope] = {}
    for gone, quads in ((True, removed), (False, added)):
        for subject, predicate, value, graph in quads:
            said = predicate.value
            if graph.value == Graphs.sources:
                if gone and said in (D.confidence, DCT.isPartOf):
                    return None
                continue
            if said == D.exclusive or (said == D.level and value.value == Level.central):
                return None
            if graph.value in Graphs.RESERVED or said not in _WEIGHED:
                continue
            start.add(subject.value)
            if said in _FORWARD:
                start.add(value.value)
            elif said in _SCOPE:
                scopes.setdefault(subject.value, _Scope()).note(said, value.value)
            elif said == D.bodyKind:
                kinds.add(value.value)
            elif said == D.jurisdiction:
                areas.add(value.value)
            if said in _BODY:
                bodies.add(subject.value)
    start |= _jurisdictions(reader, bodies, kinds, areas)
    return _walk(reader, start, scopes)


def _jurisdictions(reader: Reader, bodies: set[str], kinds: set[str], areas: set[str]) -> set[str]:
    """Return the areas in which a changed body may be, or have been, the body of a kind that a record names."""
    for _, predicate, value, _ in reader.outgoing(sorted(bodies), (D.bodyKind, D.jurisdiction)):
        (kinds if predicate.value == D.bodyKind else areas).add(value.value)
    named = any(True for _ in reader.incoming(sorted(kinds), (D.holderKind,)))
    return areas if named else set()


def _walk(reader: Reader, start: set[str], scopes: dict[str, _Scope]) -> set[str] | None:
    found = set(start)
    frontier = sorted(found)
    while frontier:
        reached = {value.value for _, _, value, _ in reader.outgoing(frontier, _FORWARD)}
        reached |= {subject.value for subject, _, _, _ in reader.incoming(frontier, _BACKWARD)}
        for subject, predicate, value, _ in reader.outgoing(frontier, _SCOPE):
            scopes.setdefault(subject.value, _Scope()).note(predicate.value, value.value)
        for node in frontier:
            if node in scopes:
                inside = _in_scope(reader, node, scopes[node])
                if inside is None:
                    return None
                reached |= inside
        reached -= found
        found |= reached
        frontier = sorted(reached)
    return found


def _in_scope(reader: Reader, record: str, scope: _Scope) -> set[str] | None:
    """Return resources that lie in a scope, by area if that is small, else by field; ``None`` where it is too wide."""
    if any(True for _ in reader.outgoing([record], (D.predecessor,))):
        return set()  # the condition of a succession, whose predecessor's records are reached another way
    if scope.areas:
        areas = _below(reader, scope.areas)
        if areas is not None:
            return {subject.value for subject, _, _, _ in reader.incoming(sorted(areas), (D.managedIn,))}
    return _narrower(reader, scope.fields) if scope.fields else None


def _below(reader: Reader, nodes: set[str]) -> set[str] | None:
    """Return the areas under these, and those they came from; ``None`` when they are too many to be worth it."""
    found = set(nodes)
    frontier = sorted(nodes)
    while frontier:
        records = sorted({s.value for s, _, _, _ in reader.incoming(frontier, (D.under, D.successor))})
        reached = {value.value for _, _, value, _ in reader.outgoing(records, (D.placed, D.predecessor))} - found
        found |= reached
        if len(found) > _MANY_AREAS:
            return None
        frontier = sorted(reached)
    return found


def _narrower(reader: Reader, nodes: set[str]) -> set[str]:
    found = set(nodes)
    frontier = sorted(nodes)
    while frontier:
        reached = {s.value for s, _, _, _ in reader.incoming(frontier, (SKOS.broader,))} - found
        found |= reached
        frontier = sorted(reached)
    return {subject.value for subject, _, _, _ in reader.incoming(sorted(found), (DCAT.theme,))}
