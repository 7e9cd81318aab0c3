"""Write the register's bodies in the Core Public Organisation Vocabulary 2.1.2, as of a day.

Bodies that exist on the day go out whole; those that ended go out where a change names them, with their name and days.
https://semiceu.github.io/CPOV/releases/2.1.2/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, tzinfo
from itertools import islice
from typing import Final

import pyoxigraph as ox

from graph import standards as std
from graph.portrait import (
    Portrait,
    Said,
    day_of,
    derived,
    first,
    lasts,
    pointing,
    read,
    state,
    text,
    things,
    typed,
)
from graph.store import Edges
from graph.terms import RDF, SKOS, XSD, D

_CHUNK: Final = 500
_BODY: Final = frozenset({D.Agency, D.OutsideBody})
_PUBLIC: Final = std.CV + "PublicOrganisation"
#: ours → theirs, for the classes a body goes out under
_CLASSES: Final = {
    D.Agency: (_PUBLIC, std.ORG + "Organization", std.FOAF + "Agent"),
    D.OutsideBody: (std.ORG + "FormalOrganization", std.ORG + "Organization", std.FOAF + "Agent"),
}


def bodies_of(reader: Edges, day: date) -> list[str]:
    """Return the bodies that exist on the day, sorted."""
    found = sorted({subject for subject, _ in pointing(reader, _BODY, RDF.type)})
    terms = read(reader, found, (D.from_, D.until))
    return [iri for iri in found if lasts(terms[iri], day)]


class Organisations:
    """Write bodies of the register in CPOV; see ``graph.export`` for the whole of it."""

    def __init__(self, reader: Edges, day: date, zone: tzinfo, languages: tuple[str, ...]) -> None:
        self.reader = reader
        self.day = day
        self.zone = zone
        self.portrait = Portrait(reader, day, languages)
        self._events: dict[str, list[tuple[str, str]]] = {}

    def bodies(self, iris: Iterable[str]) -> Iterator[ox.Triple]:
        """Write these bodies, each with its posts, codes, areas, contact, and the changes that made and changed it."""
        waiting = iter(iris)
        while chunk := list(islice(waiting, _CHUNK)):
            yield from self._chunk(chunk)

    def _chunk(self, iris: list[str]) -> Iterator[ox.Triple]:
        facts = read(self.reader, iris)
        names = self.portrait.names(iris)
        codes = self.portrait.codes(iris)
        ways = self.portrait.reached(facts)
        above = self._placements(iris)
        posts: dict[str, list[str]] = {}
        for post, body in pointing(self.reader, iris, D.postIn):
            posts.setdefault(body, []).append(post)
        changes = self._changes(iris)
        for iri in self.portrait.fresh(iris, "body"):
            yield from self._body(iri, facts[iri], names[iri])
            yield from self._identifiers(iri, codes.get(iri, ()))
            for up in above.get(iri, ()):
                yield state(iri, std.ORG + "subOrganizationOf", up)
                yield state(up, std.ORG + "hasSubOrganization", iri)
            yield from self._contact(iri, ways.get(iri, ()), names[iri])
            for post in sorted(posts.get(iri, ())):
                yield state(iri, std.ORG + "hasPost", post)
            yield from self._posts(posts.get(iri, ()))
            for event, part in changes.get(iri, ()):
                yield state(iri, std.ORG + part, event)
        yield from self._change_events({event for several in changes.values() for event, _ in several})
        named = {up for several in above.values() for up in several}
        yield from self._stubs(named)

    def _body(self, iri: str, said: Said, names: Mapping[str, str]) -> Iterator[ox.Triple]:
        ours = [kind for kind in things(said, RDF.type) if kind in _CLASSES]
        yield from typed(iri, *ours, *dict.fromkeys(kind for one in ours for kind in _CLASSES[one]))
        yield from _labels(iri, names)
        for language, words in sorted(self._short(said, names).items()):
            yield state(iri, SKOS.altLabel, text(words, language))
        for kind in things(said, D.bodyKind):
            yield state(iri, std.ORG + "classification", kind)
            yield from self.portrait.concepts([kind])
        for area in things(said, D.jurisdiction):
            yield state(iri, std.DCT + "spatial", area)
            yield from self.portrait.areas([area])
        for page in things(said, std.FOAF + "homepage"):
            yield state(iri, std.FOAF + "homepage", page)
            yield from self.portrait.documents([page])
        for predicate in (D.from_, D.until):
            yield from (state(iri, predicate, day) for day in said.get(predicate, ()))

    @staticmethod
    def _short(said: Said, names: Mapping[str, str]) -> dict[str, str]:
        """Return one other name per language, the shortest: the profile allows no more."""
        found: dict[str, str] = {}
        others = [value for value in said.get(SKOS.altLabel, ()) if isinstance(value, ox.Literal)]
        for value in sorted(others, key=lambda value: (len(value.value), value.value)):
            language = value.language or "und"
            if value.value != names.get(language):
                found.setdefault(language, value.value)
        return found

    def _identifiers(self, iri: str, codes: Iterable[tuple[str, str, str | None]]) -> Iterator[ox.Triple]:
        codes = list(codes)
        schemes = self.portrait.names({scheme for _, _, scheme in codes if scheme})
        for record, code, scheme in codes:
            yield state(iri, std.ADMS + "identifier", record)
            yield from typed(record, std.ADMS + "Identifier")
            yield state(record, SKOS.notation, text(code))
            for language, words in sorted(schemes.get(scheme or "", {}).items()):
                yield state(record, std.ADMS + "schemeAgency", text(words, language))

    def _contact(
        self, iri: str, ways: Iterable[tuple[str, str, ox.NamedNode | ox.Literal]], names: Mapping[str, str]
    ) -> Iterator[ox.Triple]:
        ways = list(ways)
        if not ways:
            return
        point = derived("contact", iri)
        yield state(iri, std.CV + "contactPoint", point)
        yield from typed(point, std.CV + "ContactPoint")
        for _, how, value in ways:
            if how == std.CV + "contactPage":
                if isinstance(value, ox.NamedNode):
                    yield state(point, how, value)
                    yield from self.portrait.documents([value.value])
            else:
                yield state(point, how, text(value.value.removeprefix("mailto:").removeprefix("tel:")))

    def _posts(self, iris: Iterable[str]) -> Iterator[ox.Triple]:
        iris = self.portrait.fresh(iris, "post")
        names, facts = self.portrait.names(iris), read(self.reader, iris)
        for iri in iris:
            yield from typed(iri, D.Post, std.ORG + "Post")
            yield from _labels(iri, names[iri])
            for body in things(facts[iri], D.postIn):
                yield state(iri, std.ORG + "postIn", body)
            for kind in things(facts[iri], D.postKind):
                yield state(iri, std.ORG + "role", kind)
                yield from self.portrait.concepts([kind], std.ORG + "Role")

    def _placements(self, iris: Iterable[str]) -> dict[str, list[str]]:
        """Return body → the bodies it stands under on the day."""
        records = dict(pointing(self.reader, iris, D.placed))
        found: dict[str, list[str]] = {}
        said = {record: one for record, one in read(self.reader, records).items() if lasts(one, self.day)}
        bodies = self._existing({up for one in said.values() for up in things(one, D.under)})
        for record, one in said.items():
            known = [up for up in things(one, D.under) if up in bodies]
            found.setdefault(records[record], []).extend(known)
        return {body: sorted(set(ups)) for body, ups in found.items() if ups}

    def _existing(self, iris: Iterable[str]) -> set[str]:
        said = read(self.reader, iris, (RDF.type, D.from_, D.until))
        return {iri for iri, one in said.items() if _BODY & set(things(one, RDF.type)) and lasts(one, self.day)}

    # --- how they came about ----------------------------------------------------------------------------------------

    def _changes(self, iris: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
        """Return body → (event, how the event bears on it) for the events up to the day."""
        parts: dict[str, list[tuple[str, str, str]]] = {}
        for predicate, part in ((D.predecessor, "changedBy"), (D.successor, "resultedFrom")):
            for record, body in pointing(self.reader, iris, predicate):
                parts.setdefault(record, []).append((body, part, predicate))
        records = read(self.reader, parts, (D.event,))
        events = {event for said in records.values() for event in things(said, D.event)}
        days = read(self.reader, events, (D.effectiveOn,))
        started = {iri: said.get(D.from_) for iri, said in read(self.reader, iris, (D.from_,)).items()}
        found: dict[str, set[tuple[str, str]]] = {}
        for record, several in parts.items():
            for event in things(records[record], D.event):
                effective = day_of(first(days[event], D.effectiveOn))
                if effective is None or effective > self.day:
                    continue
                for body, part, _ in several:
                    born = any(day.value == effective.isoformat() for day in started[body] or ())
                    # a body that took over from another without being new was changed by it
                    found.setdefault(body, set()).add((event, part if born else "changedBy"))
        return {body: sorted(several) for body, several in found.items()}

    def _change_events(self, iris: Iterable[str]) -> Iterator[ox.Triple]:
        iris = self.portrait.fresh(iris, "event")
        names, facts = self.portrait.names(iris), read(self.reader, iris)
        sides: dict[str, tuple[set[str], set[str]]] = {iri: (set(), set()) for iri in iris}
        records = dict(pointing(self.reader, iris, D.event))
        for record, said in read(self.reader, records, (D.predecessor, D.successor)).items():
            before, after = sides[records[record]]
            before.update(things(said, D.predecessor))
            after.update(things(said, D.successor))
        public = self._public({body for pair in sides.values() for side in pair for body in side})
        laws: set[str] = set()
        for iri in iris:
            yield from typed(iri, std.ORG + "ChangeEvent", std.PROV + "Activity")
            for language, words in sorted(names[iri].items()):
                yield state(iri, std.DCT + "description", text(words, language or "und"))
            effective = day_of(first(facts[iri], D.effectiveOn))
            if effective is not None:
                moment = datetime.combine(effective, time.min, self.zone).isoformat()
                yield state(iri, std.PROV + "startedAtTime", ox.Literal(moment, datatype=ox.NamedNode(XSD.dateTime)))
            for kind in things(facts[iri], D.changeKind):
                yield state(iri, std.DCT + "type", kind)
                yield from self.portrait.concepts([kind])
            for law in things(facts[iri], D.basis):
                yield state(iri, std.CV + "hasFormalFramework", law)
                yield from typed(law, std.CV + "ReferenceFramework")
                yield state(law, std.CPSV + "implements", iri)
                laws.add(law)
            before, after = sides[iri]
            for body in sorted(before & public):
                yield state(iri, std.ORG + "originalOrganization", body)
            for body in sorted(after & public):
                yield state(iri, std.ORG + "resultingOrganization", body)
            for older in sorted(before & public):
                for newer in sorted(after & public - {older}):
                    if self._follows(records, iri, older, newer):
                        yield state(newer, std.XHV + "prev", older)
                        yield state(older, std.XHV + "next", newer)
            yield from self._stubs((before | after) & public)
        yield from self.portrait.laws(laws)

    def _follows(self, records: Mapping[str, str], event: str, older: str, newer: str) -> bool:
        """Say whether a succession of the event leads from the one to the other."""
        if event not in self._events:
            mine = [record for record, its in records.items() if its == event]
            self._events[event] = [
                (before, after)
                for said in read(self.reader, mine, (D.predecessor, D.successor)).values()
                for before in things(said, D.predecessor)
                for after in things(said, D.successor)
            ]
        return (older, newer) in self._events[event]

    def _public(self, iris: Iterable[str]) -> set[str]:
        said = read(self.reader, iris, (RDF.type,))
        return {iri for iri, one in said.items() if D.Agency in things(one, RDF.type)}

    def _stubs(self, iris: Iterable[str]) -> Iterator[ox.Triple]:
        """Write bodies that others name: what they are, what they are called, how long they existed."""
        said = read(self.reader, iris, (RDF.type, D.from_, D.until))
        ended = [iri for iri in said if not lasts(said[iri], self.day)]
        names = self.portrait.names(ended)
        for iri in self.portrait.fresh(ended, "body"):
            ours = [kind for kind in things(said[iri], RDF.type) if kind in _CLASSES]
            yield from typed(iri, *ours, *dict.fromkeys(kind for one in ours for kind in _CLASSES[one]))
            yield from _labels(iri, names[iri])
            for predicate in (D.from_, D.until):
                yield from (state(iri, predicate, day) for day in said[iri].get(predicate, ()))


def _labels(iri: str, names: Mapping[str, str]) -> Iterator[ox.Triple]:
    """Write names, each in its language; a name without one is in a language not known (``und``), as CPOV wants one."""
    for language, words in sorted(names.items()):
        yield state(iri, SKOS.prefLabel, text(words, language or "und"))
