"""Say whom and what a finding concerns: the bodies that answer for it, their level, the area and the field.

Of a resource these are who its standings name and what it is about; of a record, who it names and what it is a record
of. The walk is short and always the same, so that a change knows what it touches (``touched``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import pyoxigraph as ox

from graph.model import ALWAYS, Interval
from graph.store import Edges
from graph.terms import DCAT, RDF, D, Role

#: a record names its body
_NAMES: Final = (
    D.holder, D.transferor, D.issuer, D.predecessor, D.postIn, D.NS + "doneBy",
)  # fmt: skip

#: a record leads to what it is a record of
_LEADS: Final = (
    D.covers, D.nameOf, D.codeOf, D.placed, D.takesFrom, D.creates, D.flowTo, D.partOf, D.NS + "regards",
    D.NS + "answers", D.NS + "lists", D.NS + "madeFor", DCAT.servesDataset,
)  # fmt: skip

_FIELDS: Final = (D.field, DCAT.theme)
_AREAS: Final = (D.area, D.managedIn, D.jurisdiction)
_SAID: Final = (RDF.type, D.bodyKind, D.level, *_NAMES, *_LEADS, *_FIELDS, *_AREAS)
_WATCHED: Final = frozenset(_SAID)
_BODIES: Final = frozenset({D.Agency, D.OutsideBody})
_STANDING: Final = (D.role, D.holder, D.from_, D.until)
_DEEP: Final = 2
"""Leads that are followed: from a transfer to the responsibility it made to the dataset that this covers."""

_KEPT: Final = 50_000


@dataclass(frozen=True, slots=True)
class Concern:
    """Hold the IRIs that a finding is filed under for some of its days, each sorted."""

    span: Interval = ALWAYS
    holders: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


_Held = tuple[tuple[str, ...], Interval]
"""Who holds something, and when."""


class Concerns:
    """Work out concerns on one state of the graph, keeping what it read up to a bound."""

    def __init__(self, reader: Edges) -> None:
        self._reader = reader
        self._said: dict[str, dict[str, list[str]]] = {}
        self._held: dict[str, list[_Held]] = {}

    def of(self, node: str, span: Interval) -> Concern:
        """Return what a finding about a node concerns on any of the days of ``span``, such as the one of a check."""
        parts = list(self.parts(node, span))

        def joined(values: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
            return tuple(sorted({value for some in values for value in some}))

        return Concern(
            span, joined(part.holders for part in parts), joined(part.levels for part in parts),
            joined(part.areas for part in parts), parts[0].fields,
        )  # fmt: skip

    def parts(self, node: str, span: Interval) -> Iterator[Concern]:
        """Yield what a finding about a node concerns on the days of ``span``, in order: one for each set of holders."""
        if len(self._said) > _KEPT or len(self._held) > _KEPT:
            self._said.clear()
            self._held.clear()
        held: list[_Held] = []
        areas: set[str] = set()
        fields: set[str] = set()
        wave, seen = [node], {node}
        for deep in range(_DEEP + 1):
            self._read(wave)
            # who is named first answers; what lies behind is somebody else's
            held = held or [one for node in wave for one in self._holders(node, span)]
            for one in wave:
                said = self._said[one]
                for predicate in _AREAS:
                    areas.update(said.get(predicate, ()))
                for predicate in _FIELDS:
                    fields.update(said.get(predicate, ()))
                if D.Area in said.get(RDF.type, ()):
                    areas.add(one)
            if deep < _DEEP:
                led = {to for one in wave for lead in _LEADS for to in self._said[one].get(lead, ())}
                wave = sorted(led - seen)
                seen.update(wave)
        for days, holders in _parted(span, held):
            self._read(sorted(holders))
            of_holders = {area for holder in holders for area in self._said[holder].get(D.jurisdiction, ())}
            where = areas or of_holders
            yield Concern(
                days, tuple(sorted(holders)), tuple(sorted(self._levels(where, holders))), tuple(sorted(where)),
                tuple(sorted(fields)),
            )  # fmt: skip

    def _holders(self, node: str, span: Interval) -> Iterator[_Held]:
        """Yield who answers for a node within ``span``: by its standings, or else by what it says itself."""
        standing = [(holders, days) for holders, days in self._standings(node) if not (days & span).is_empty]
        if standing:
            yield from standing
            return
        said = self._said[node]
        found = {holder for predicate in _NAMES for holder in said.get(predicate, ())} - {D.nobody}
        if not found and not _BODIES.isdisjoint(said.get(RDF.type, ())):
            found.add(node)
        if found:
            yield tuple(sorted(found)), span

    def _levels(self, areas: Iterable[str], holders: Iterable[str]) -> set[str]:
        """Return the levels of the areas, and where none has one, those of the kinds of the bodies."""
        self._read(sorted(areas))
        levels = {level for area in areas for level in self._said[area].get(D.level, ())}
        if not levels:
            kinds = {kind for holder in holders for kind in self._said[holder].get(D.bodyKind, ())}
            self._read(sorted(kinds))
            levels = {level for kind in kinds for level in self._said[kind].get(D.level, ())}
        return levels

    def _read(self, nodes: Iterable[str]) -> None:
        new = [node for node in nodes if node not in self._said]
        if not new:
            return
        for node in new:
            self._said[node] = {}
        # all of it: one look-up a node costs less than one for each of thirty predicates
        for subject, predicate, value, _ in self._reader.outgoing(new):
            if predicate.value in _WATCHED and isinstance(value, ox.NamedNode):
                self._said[subject.value].setdefault(predicate.value, []).append(value.value)

    def _standings(self, node: str) -> list[_Held]:
        """Return who is accountable for a node, and when."""
        known = self._held.get(node)
        if known is None:
            known = self._held[node] = list(self._read_standings(node))
        return known

    def _read_standings(self, node: str) -> Iterator[_Held]:
        standings = sorted({subject.value for subject, _, _, _ in self._reader.incoming((node,), (D.about,))})
        said: dict[str, dict[str, list[str]]] = {}
        for subject, predicate, value, _ in self._reader.outgoing(standings, _STANDING):
            said.setdefault(subject.value, {}).setdefault(predicate.value, []).append(value.value)
        for standing in said.values():  # findings are about things too, and have no role
            if Role.accountable in standing.get(D.role, ()) and D.holder in standing:
                days = (standing.get(predicate, [None])[0] for predicate in (D.from_, D.until))
                yield tuple(standing[D.holder]), Interval(*(date.fromisoformat(day) if day else None for day in days))


def _parted(span: Interval, held: Iterable[_Held]) -> Iterator[tuple[Interval, frozenset[str]]]:
    """Part days where who holds changes: neighbours have other holders."""
    held = list(held)
    inside = {day for _, days in held for day in (days.start, days.end) if day is not None}
    cuts = sorted(day for day in inside if span.contains(day) and day != span.start)
    start, last = span.start, _on(held, span.start)
    for day in cuts:
        now = _on(held, day)
        if now != last:
            yield Interval(start, day), last
            start, last = day, now
    yield Interval(start, span.end), last


def _on(held: Iterable[_Held], day: date | None) -> frozenset[str]:
    """Return who holds on a day, ``None`` being the day before all others."""
    return frozenset(
        holder for holders, days in held for holder in holders if days.contains(date.min if day is None else day)
    )


def touched(reader: Edges, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> set[str]:
    """Return the nodes whose concern a change may alter; more is allowed. ``reader`` shows the graph after it."""
    start: set[str] = set()
    standings: set[str] = set()
    for quads in (removed, added):
        for subject, predicate, value, _ in quads:
            said = predicate.value
            if said == D.about and isinstance(value, ox.NamedNode):
                start.add(value.value)
            if said in _WATCHED:
                start.add(subject.value)
            if said in _STANDING:
                standings.add(subject.value)
    start.update(value.value for _, _, value, _ in reader.outgoing(sorted(standings), (D.about,)))
    found = set(start)
    wave = sorted(start)
    # a level is of an area or of the kind of a body, which is named by a record, which is led to
    for _ in range(_DEEP + 2):
        if not wave:
            break
        steps = (*_NAMES, *_LEADS, *_AREAS, D.bodyKind)
        reached = {subject.value for subject, _, _, _ in reader.incoming(wave, steps)}
        reached |= _answered_for(reader, wave)
        reached -= found
        found |= reached
        wave = sorted(reached)
    return found


def _answered_for(reader: Edges, bodies: list[str]) -> set[str]:
    """Return what standings name the bodies for."""
    holding = sorted({subject.value for subject, _, _, _ in reader.incoming(bodies, (D.holder,))})
    return {value.value for _, _, value, _ in reader.outgoing(holding, (D.about,)) if isinstance(value, ox.NamedNode)}
