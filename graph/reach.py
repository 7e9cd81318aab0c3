"""Find the resources whose answer a change may alter, by walking the edges of ``evidence`` backwards.

The result may be larger than needed, never smaller: a property-based test holds standings kept up this way equal to
standings made anew.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph as ox

from graph.store import Edges
from graph.terms import DCAT, DCT, RDF, SKOS, D, Graphs, Level

#: what the subject of a changed statement must say for the change to matter at all
_WEIGHED = frozenset(
    {
        RDF.type, DCAT.theme, DCAT.inSeries, DCAT.dataset, DCAT.service, DCAT.catalog, DCAT.resource, D.managedIn,
        SKOS.broader, D.from_, D.until, D.level, D.placed, D.under, D.postIn, D.bodyKind, D.jurisdiction, D.partOf,
        D.role, D.holder, D.holderKind, D.covers, D.coversMembersOf, D.field, D.area, D.excludes, D.lapsesWith,
        D.confidence, D.transferKind, D.transferor, D.takesFrom, D.creates, D.event, D.effectiveOn, D.predecessor,
        D.successor, D.lead, D.ends,
    }
)  # fmt: skip

#: the object depends on the subject
_FORWARD = (
    D.covers, D.coversMembersOf, D.creates, D.placed, D.predecessor, D.ends, DCAT.dataset, DCAT.service,
    DCAT.catalog, DCAT.resource,
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


Parts = dict[str, dict[str, set[str]]]
"""What is said of the scopes of records: record → ``d:field`` or ``d:area`` → values."""


def touched(reader: Edges, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> set[str] | None:
    """Return the resources (and other nodes) whose answer a change may alter, ``None`` where that can be all.

    ``reader`` shows the graph after the change.
    """
    start: set[str] = set()
    bodies: set[str] = set()
    kinds: set[str] = set()
    areas: set[str] = set()
    parts: tuple[Parts, Parts] = ({}, {})
    for gone, quads in ((True, removed), (False, added)):
        for subject, predicate, value, graph in quads:
            said = predicate.value
            if graph.value == Graphs.sources:
                if gone and said in (D.confidence, DCT.isPartOf):
                    return None
                continue
            if said == D.exclusive or (said == D.level and value.value == Level.central):
                return None
            if Graphs.is_reserved(graph.value) or said not in _WEIGHED:
                continue
            start.add(subject.value)
            if said in _BODY:
                bodies.add(subject.value)
            if not _is_node(value):
                continue
            if said in _FORWARD:
                start.add(value.value)
            elif said in _SCOPE:
                parts[gone].setdefault(subject.value, {}).setdefault(said, set()).add(value.value)
            elif said == D.bodyKind:
                kinds.add(value.value)
            elif said == D.jurisdiction:
                areas.add(value.value)
            if said == D.ends:
                bodies.add(value.value)
    start |= _jurisdictions(reader, bodies, kinds, areas)
    return _walk(reader, start, came=parts[False], went=parts[True])


def _jurisdictions(reader: Edges, bodies: set[str], kinds: set[str], areas: set[str]) -> set[str]:
    """Return the areas in which a changed body may be, or have been, the body of a kind that a record names."""
    for _, predicate, value, _ in reader.outgoing(sorted(bodies), (D.bodyKind, D.jurisdiction)):
        if _is_node(value):
            (kinds if predicate.value == D.bodyKind else areas).add(value.value)
    named = any(True for _ in reader.incoming(sorted(kinds), (D.holderKind,)))
    return areas if named else set()


def _walk(reader: Edges, start: set[str], came: Parts, went: Parts) -> set[str] | None:
    found = set(start)
    frontier = sorted(found)
    while frontier:
        reached = {value.value for _, _, value, _ in reader.outgoing(frontier, _FORWARD) if _is_node(value)}
        reached |= {subject.value for subject, _, _, _ in reader.incoming(frontier, _BACKWARD)}
        inside = _in_scopes(reader, frontier, came, went)
        if inside is None:
            return None
        reached |= inside
        reached -= found
        found |= reached
        frontier = sorted(reached)
    return found


def _in_scopes(reader: Edges, records: list[str], came: Parts, went: Parts) -> set[str] | None:
    """Return what lies in the scopes of the records as they are, and as they were before the change."""
    now: Parts = {}
    for subject, predicate, value, _ in reader.outgoing(records, _SCOPE):
        if _is_node(value):
            now.setdefault(subject.value, {}).setdefault(predicate.value, set()).add(value.value)
    found: set[str] = set()
    for record in records:
        if record not in now and record not in went:
            continue
        if any(True for _ in reader.outgoing([record], (D.predecessor,))):
            continue  # the condition of a succession, whose predecessor's records are reached another way
        after = {part: now.get(record, {}).get(part, set()) for part in _SCOPE}
        before = {
            part: after[part] - came.get(record, {}).get(part, set()) | went.get(record, {}).get(part, set())
            for part in _SCOPE
        }
        for scope in (after, before) if before != after else (after,):
            inside = _in_scope(reader, scope[D.field], scope[D.area])
            if inside is None:
                return None
            found |= inside
    return found


def _in_scope(reader: Edges, fields: set[str], areas: set[str]) -> set[str] | None:
    """Return resources that lie in a scope, by area if that is small, else by field; ``None`` where it is too wide."""
    if areas:
        # what lies nowhere known lies in the country: its areas do not lead to it
        country = any(level.value == Level.central for _, _, level, _ in reader.outgoing(sorted(areas), (D.level,)))
        below = None if country else _below(reader, areas)
        if below is not None:
            return {subject.value for subject, _, _, _ in reader.incoming(sorted(below), (D.managedIn,))}
        return _narrower(reader, fields) if fields else None
    return _narrower(reader, fields)


def _below(reader: Edges, nodes: set[str]) -> set[str] | None:
    """Return the areas under these, and those they came from; ``None`` when they are too many to be worth it."""
    found = set(nodes)
    frontier = sorted(nodes)
    while frontier:
        records = sorted({s.value for s, _, _, _ in reader.incoming(frontier, (D.under, D.successor))})
        lower = reader.outgoing(records, (D.placed, D.predecessor))
        reached = {value.value for _, _, value, _ in lower if _is_node(value)} - found
        found |= reached
        if len(found) > _MANY_AREAS:
            return None
        frontier = sorted(reached)
    return found


def _narrower(reader: Edges, nodes: set[str]) -> set[str]:
    found = set(nodes)
    frontier = sorted(nodes)
    while frontier:
        reached = {s.value for s, _, _, _ in reader.incoming(frontier, (SKOS.broader,))} - found
        found |= reached
        frontier = sorted(reached)
    return {subject.value for subject, _, _, _ in reader.incoming(sorted(found), (DCAT.theme,))}


def _is_node(value: object) -> bool:
    """Say whether a value leads on; foreign data has words where links belong."""
    return isinstance(value, ox.NamedNode)
