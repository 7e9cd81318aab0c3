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

from graph.model import Interval
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
_BODIES: Final = frozenset({D.Agency, D.OutsideBody})
_STANDING: Final = (D.role, D.holder, D.from_, D.until)
_DEEP: Final = 2
"""Leads that are followed: from a transfer to the responsibility it made to the dataset that this covers."""

_KEPT: Final = 50_000


@dataclass(frozen=True, slots=True)
class Concern:
    """Hold the IRIs that a finding is filed under, each sorted; ``holders`` are all that answer while it lasts."""

    holders: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


class Concerns:
    """Work out concerns on one state of the graph, keeping what it read up to a bound."""

    def __init__(self, reader: Edges) -> None:
        self._reader = reader
        self._said: dict[str, dict[str, list[str]]] = {}
        self._held: dict[str, list[tuple[tuple[str, ...], Interval]]] = {}

    def of(self, node: str, span: Interval) -> Concern:
        """Return what a finding about a node concerns that stands on the days of ``span``."""
        if len(self._said) > _KEPT or len(self._held) > _KEPT:
            self._said.clear()
            self._held.clear()
        holders: set[str] = set()
        areas: set[str] = set()
        fields: set[str] = set()
        wave, seen = [node], {node}
        for deep in range(_DEEP + 1):
            self._read(wave)
            for one in wave:
                if not holders:  # who is named first answers; what lies behind is somebody else's
                    holders |= self._holders(one, span)
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
        self._read(sorted(holders))
        if not areas:
            areas = {area for holder in holders for area in self._said[holder].get(D.jurisdiction, ())}
        return Concern(
            tuple(sorted(holders)), tuple(sorted(self._levels(areas, holders))), tuple(sorted(areas)),
            tuple(sorted(fields)),
        )  # fmt: skip

    def _holders(self, node: str, span: Interval) -> set[str]:
        found: set[str] = set()
        for holders, days in self._standings(node):
            if not (days & span).is_empty:
                found.update(holders)
        if found:
            return found
        said = self._said[node]
        for predicate in _NAMES:
            found.update(said.get(predicate, ()))
        found.discard(D.nobody)
        if not found and not _BODIES.isdisjoint(said.get(RDF.type, ())):
            found.add(node)
        return found

    def _levels(self, areas: set[str], holders: set[str]) -> set[str]:
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
        for subject, predicate, value, _ in self._reader.outgoing(new, _SAID):
            if isinstance(value, ox.NamedNode):
                self._said[subject.value].setdefault(predicate.value, []).append(value.value)

    def _standings(self, node: str) -> list[tuple[tuple[str, ...], Interval]]:
        """Return who is accountable for a node, and when."""
        known = self._held.get(node)
        if known is None:
            known = self._held[node] = list(self._read_standings(node))
        return known

    def _read_standings(self, node: str) -> Iterator[tuple[tuple[str, ...], Interval]]:
        standings = sorted({subject.value for subject, _, _, _ in self._reader.incoming((node,), (D.about,))})
        said: dict[str, dict[str, list[str]]] = {}
        for subject, predicate, value, _ in self._reader.outgoing(standings, _STANDING):
            said.setdefault(subject.value, {}).setdefault(predicate.value, []).append(value.value)
        for standing in said.values():  # findings are about things too, and have no role
            if Role.accountable in standing.get(D.role, ()) and D.holder in standing:
                days = (standing.get(predicate, [None])[0] for predicate in (D.from_, D.until))
                yield tuple(standing[D.holder]), Interval(*(date.fromisoformat(day) if day else None for day in days))


def touched(reader: Edges, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> set[str]:
    """Return the nodes whose concern a change may alter; more is allowed. ``reader`` shows the graph after it."""
    watched = frozenset(_SAID)
    start: set[str] = set()
    standings: set[str] = set()
    for quads in (removed, added):
        for subject, predicate, value, _ in quads:
            said = predicate.value
            if said == D.about and isinstance(value, ox.NamedNode):
                start.add(value.value)
            if said in watched:
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
