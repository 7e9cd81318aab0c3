"""Portray the things of the register in the words of the standards, each once, with the types a reader expects.

Reasoning is left to nobody: what our ontology only implies (a public body is a ``foaf:Agent``, an area a
``dct:Location``) is written out. ``dcatap`` and ``cpov`` portray resources and bodies, and here is what both mention.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Final

import pyoxigraph as ox

from graph import standards as std
from graph.labels import named, tail
from graph.store import Edges
from graph.terms import BASE, RDF, SKOS, XSD, D, Level

Term = ox.NamedNode | ox.Literal
Said = Mapping[str, tuple[Term, ...]]
"""What the graph says of a node: predicate → values, each once, in a stable order."""

_TYPE: Final = ox.NamedNode(RDF.type)
_DATE: Final = ox.NamedNode(XSD.date)

#: the kind of publisher that a body of a level is
_PUBLISHER: Final = {
    Level.central: std.PUBLISHER_TYPE + "NationalAuthority",
    Level.province: std.PUBLISHER_TYPE + "RegionalAuthority",
    Level.district: std.PUBLISHER_TYPE + "LocalAuthority",
    Level.commune: std.PUBLISHER_TYPE + "LocalAuthority",
}
_MATCHES: Final = (SKOS.NS + "exactMatch", SKOS.NS + "closeMatch", SKOS.NS + "broadMatch")
#: where a holder's own record may say how to reach it, and what the standards call it
_REACHED: Final = {
    std.VCARD + "hasEmail": (std.VCARD + "hasEmail", std.CV + "email"),
    std.FOAF + "mbox": (std.VCARD + "hasEmail", std.CV + "email"),
    std.VCARD + "hasTelephone": (std.VCARD + "hasTelephone", std.CV + "telephone"),
    std.FOAF + "phone": (std.VCARD + "hasTelephone", std.CV + "telephone"),
    std.FOAF + "homepage": (std.VCARD + "hasURL", std.CV + "contactPage"),
}

node = lru_cache(maxsize=20_000)(ox.NamedNode)


def state(subject: str, predicate: str, value: str | Term) -> ox.Triple:
    """Return one statement; a plain string names a thing."""
    return ox.Triple(node(subject), node(predicate), node(value) if isinstance(value, str) else value)


def typed(subject: str, *types: str) -> Iterator[ox.Triple]:
    """Say of which classes a thing is."""
    for kind in types:
        yield ox.Triple(node(subject), _TYPE, node(kind))


def text(words: str, language: str = "") -> ox.Literal:
    """Return text, in a language where one is known."""
    return ox.Literal(words, language=language) if language else ox.Literal(words)


def derived(kind: str, *parts: str) -> str:
    """Name a node that only the export has, after what it is about, so that it keeps its name."""
    return f"{BASE}{kind}/{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:32]}"


def first(said: Said, *predicates: str) -> Term | None:
    """Return the first value of the first predicate that has one."""
    return next((value for predicate in predicates for value in said.get(predicate, ())), None)


def things(said: Said, predicate: str) -> list[str]:
    """Return the values that are things, not text."""
    return [value.value for value in said.get(predicate, ()) if isinstance(value, ox.NamedNode)]


def day_of(value: Term | None) -> date | None:
    """Return a value as a day, ``None`` where it is none."""
    if not isinstance(value, ox.Literal):
        return None
    try:
        return date.fromisoformat(value.value)
    except ValueError:
        return None


def lasts(said: Said, day: date) -> bool:
    """Say whether the day lies between the thing's ``d:from`` and ``d:until``."""
    start, end = day_of(first(said, D.from_)), day_of(first(said, D.until))
    return (start is None or start <= day) and (end is None or day < end)


def read(reader: Edges, nodes: Iterable[str], predicates: Iterable[str] | None = None) -> dict[str, Said]:
    """Return what the graph says of each node; one of which it says nothing has an empty mapping."""
    wanted = sorted(set(nodes))
    said: dict[str, dict[str, set[Term]]] = {one: {} for one in wanted}
    for subject, predicate, value, _ in reader.outgoing(wanted, None if predicates is None else tuple(predicates)):
        if isinstance(value, ox.NamedNode | ox.Literal) and subject.value in said:
            said[subject.value].setdefault(predicate.value, set()).add(value)
    return {
        one: {predicate: tuple(sorted(values, key=str)) for predicate, values in sorted(facts.items())}
        for one, facts in said.items()
    }


def pointing(reader: Edges, nodes: Iterable[str], predicate: str) -> Iterator[tuple[str, str]]:
    """Yield (who says it, of which node) for what points at the nodes by the predicate."""
    for subject, _, value, _ in reader.incoming(sorted(set(nodes)), (predicate,)):
        if isinstance(subject, ox.NamedNode) and isinstance(value, ox.NamedNode):
            yield subject.value, value.value


class Portrait:
    """Portray on one day, and remember what was portrayed: a page of a feed, or a whole export, says it once."""

    def __init__(self, reader: Edges, day: date, languages: tuple[str, ...]) -> None:
        self.reader = reader
        self.day = day
        self.languages = languages
        self._shown: set[tuple[str, str]] = set()

    def fresh(self, nodes: Iterable[str], kind: str) -> list[str]:
        """Return those that were not yet portrayed as this, sorted; from now on they are."""
        found = sorted({one for one in nodes if (one, kind) not in self._shown})
        self._shown.update((one, kind) for one in found)
        return found

    def names(self, nodes: Iterable[str]) -> dict[str, dict[str, str]]:
        """Return what each is called on the day, by language; the end of the IRI where it has no name."""
        wanted = list(nodes)
        found = named(self.reader, wanted, self.day)
        return {one: found.get(one) or {"": tail(one)} for one in wanted}

    def concepts(self, iris: Iterable[str], *types: str) -> Iterator[ox.Triple]:
        """Portray concepts with their schemes and what they match; those of the EU's tables are described there."""
        ours = [iri for iri in set(iris) if not iri.startswith(std.AUTHORITY)]
        for kind in types:
            for iri in self.fresh(ours, kind):
                yield from typed(iri, kind)
        iris = self.fresh(ours, SKOS.Concept)
        names, facts = self.names(iris), read(self.reader, iris)
        schemes: set[str] = set()
        for iri in iris:
            yield from typed(iri, SKOS.Concept)
            for language, words in sorted(names[iri].items()):
                yield state(iri, SKOS.prefLabel, text(words, language))
            for predicate in (SKOS.notation, SKOS.broader, *_MATCHES):
                for value in facts[iri].get(predicate, ()):
                    if isinstance(value, ox.Literal) == (predicate == SKOS.notation):
                        yield state(iri, predicate, value)
            for scheme in things(facts[iri], SKOS.inScheme):
                yield state(iri, SKOS.inScheme, scheme)
                schemes.add(scheme)
        yield from self.schemes(schemes)
        above = {up for iri in iris for up in things(facts[iri], SKOS.broader)}
        if above:
            yield from self.concepts(above)

    def schemes(self, iris: Iterable[str]) -> Iterator[ox.Triple]:
        """Portray lists of concepts."""
        iris = self.fresh((iri for iri in iris if not iri.startswith(std.AUTHORITY)), "scheme")
        names = self.names(iris)
        for iri in iris:
            yield from typed(iri, SKOS.NS + "ConceptScheme")
            for language, words in sorted(names[iri].items()):
                yield state(iri, std.DCT + "title", text(words, language))
                yield state(iri, SKOS.prefLabel, text(words, language))

    def matched(self, iris: Iterable[str], table: str) -> dict[str, str]:
        """Return concept → the concept of one of the EU's tables that it matches best, or one above it does."""
        found: dict[str, str] = {}
        seen = {iri: {iri} for iri in iris}
        levels = {iri: {iri} for iri in seen}
        while levels:
            facts = read(self.reader, {iri for level in levels.values() for iri in level}, (*_MATCHES, SKOS.broader))
            for start, level in levels.items():
                for predicate in ("", *_MATCHES):
                    for iri in sorted(level):
                        for match in things(facts[iri], predicate) if predicate else [iri]:
                            if match.startswith(table):
                                found.setdefault(start, match)
            above = {
                start: {up for iri in level for up in things(facts[iri], SKOS.broader)} - seen[start]
                for start, level in levels.items()
                if start not in found
            }
            for start, level in above.items():
                seen[start] |= level
            levels = {start: level for start, level in above.items() if level}
        return found

    def agents(self, iris: Iterable[str]) -> Iterator[ox.Triple]:
        """Portray holders as agents: what they are called, what sort of publisher, how to reach them."""
        iris = self.fresh(iris, "agent")
        names, facts = self.names(iris), read(self.reader, iris)
        level = self.levels(facts)
        for iri in iris:
            kinds = set(things(facts[iri], RDF.type))
            yield from typed(iri, std.FOAF + "Agent")
            if D.Agency in kinds:
                yield from typed(iri, D.Agency, std.CV + "PublicOrganisation", std.ORG + "Organization")
            elif D.OutsideBody in kinds:
                yield from typed(iri, D.OutsideBody, std.ORG + "FormalOrganization", std.ORG + "Organization")
            elif D.Post in kinds:
                yield from typed(iri, D.Post, std.ORG + "Post")
                for body in things(facts[iri], D.postIn):
                    yield state(iri, std.ORG + "postIn", body)
            for language, words in sorted(names[iri].items()):
                yield state(iri, std.FOAF + "name", text(words, language))
            if iri in level and level[iri] in _PUBLISHER:
                yield state(iri, std.DCT + "type", _PUBLISHER[level[iri]])
            for page in things(facts[iri], std.FOAF + "homepage"):
                yield state(iri, std.FOAF + "homepage", page)
                yield from self.documents([page])

    def levels(self, facts: Mapping[str, Said]) -> dict[str, str]:
        """Return body → level of government, where its kind has one."""
        kinds = {iri: things(said, D.bodyKind) for iri, said in facts.items()}
        known = read(self.reader, {kind for several in kinds.values() for kind in several}, (D.level,))
        return {
            iri: levels[0]
            for iri, several in kinds.items()
            if (levels := [level for kind in several for level in things(known[kind], D.level)])
        }

    def areas(self, iris: Iterable[str]) -> Iterator[ox.Triple]:
        """Portray areas as locations, with the codes of the day."""
        iris = self.fresh(iris, "area")
        names, codes = self.names(iris), self.codes(iris)
        facts = read(self.reader, iris, (D.level, *_MATCHES))
        for iri in iris:
            yield from typed(iri, std.DCT + "Location")
            for language, words in sorted(names[iri].items()):
                yield state(iri, SKOS.prefLabel, text(words, language))
            for code in sorted({said for _, said, _ in codes.get(iri, ())}):
                yield state(iri, std.DCT + "identifier", text(code))
            for predicate in _MATCHES:
                for match in things(facts[iri], predicate):
                    yield state(iri, predicate, match)

    def codes(self, iris: Iterable[str]) -> dict[str, list[tuple[str, str, str | None]]]:
        """Return thing → (record, code, scheme) of the codes that are valid on the day."""
        records = dict(pointing(self.reader, iris, D.codeOf))
        found: dict[str, list[tuple[str, str, str | None]]] = {}
        for record, said in read(self.reader, records).items():
            code = first(said, SKOS.notation)
            if code is not None and lasts(said, self.day):
                scheme = next(iter(things(said, SKOS.inScheme)), None)
                found.setdefault(records[record], []).append((record, code.value, scheme))
        return found

    def laws(self, iris: Iterable[str]) -> Iterator[ox.Triple]:
        """Portray instruments and provisions as legal resources (ELI), with the instruments they are parts of."""
        iris = self.fresh(iris, "law")
        names, facts = self.names(iris), read(self.reader, iris)
        above: set[str] = set()
        for iri in iris:
            said = facts[iri]
            part = D.Provision in things(said, RDF.type)
            yield from typed(iri, std.ELI + "LegalResource", *([std.ELI + "LegalResourceSubdivision"] if part else []))
            for language, words in sorted(names[iri].items()):
                yield state(iri, std.DCT + "title", text(words, language))
            number = first(said, std.DCT + "identifier")
            if isinstance(number, ox.Literal):
                yield state(iri, std.DCT + "identifier", number)
            for ours, theirs in (
                (D.issuedOn, "date_document"), (D.gazettedOn, "date_publication"),
                (D.from_, "first_date_entry_in_force"), (D.until, "date_no_longer_in_force"),
            ):  # fmt: skip
                known = day_of(first(said, ours))
                if known is not None:
                    yield state(iri, std.ELI + theirs, ox.Literal(known.isoformat(), datatype=_DATE))
            for whole in things(said, D.partOf):
                yield state(iri, std.ELI + "is_part_of", whole)
                above.add(whole)
        if above:
            yield from self.laws(above)

    def documents(self, iris: Iterable[str]) -> Iterator[ox.Triple]:
        """Say that these are pages."""
        for iri in self.fresh(iris, "document"):
            yield from typed(iri, std.FOAF + "Document")

    def reached(self, facts: Mapping[str, Said]) -> dict[str, list[tuple[str, str, Term]]]:
        """Return holder → (in vCard, in CPOV, value) of the ways to reach it that the register knows.

        A ``dcat:contactPoint`` of a holder is looked into.
        """
        points = {iri: things(said, std.DCAT + "contactPoint") for iri, said in facts.items()}
        known = read(self.reader, {point for several in points.values() for point in several})
        return {
            iri: ways
            for iri, said in facts.items()
            if (
                ways := [
                    (*terms, value)
                    for each in (said, *(known[point] for point in points[iri]))
                    for predicate, terms in _REACHED.items()
                    for value in each.get(predicate, ())
                ]
            )
        }
