"""Write the register's catalogue as DCAT-AP 3.0.1, as of a day.

What the profile demands and the register does not know is neither invented nor left broken. A resource goes out under
the widest class it satisfies: a catalogue that nobody publishes as a dataset, a service without an address as a
resource; one without a description is described by its field, its area and who answers for it. Who answers comes from
the standings, so the feed says what the card says. https://semiceu.github.io/DCAT-AP/releases/3.0.1/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Final

import pyoxigraph as ox

from graph import standards as std
from graph.portrait import Portrait, Said, Term, derived, first, lasts, pointing, read, state, text, things, typed
from graph.store import Edges
from graph.terms import BASE, DCAT, DCT, RDF, RESOURCE_CLASSES, D, Role, Status

_CHUNK: Final = 500
"""How many resources are read together."""

REGISTER: Final = BASE + "register"
"""What stands as the publisher of a register that names none: the register itself."""

CATALOGUE: Final = BASE + "catalogue"
"""What the catalogue of the whole register is called."""

_DATES: Final = frozenset(std.XSD + name for name in ("date", "dateTime", "gYear", "gYearMonth"))

#: predicates whose values are text, and how many of them the profile allows
_TEXT: Final = {
    DCT.identifier: None, std.DCAT + "keyword": None, std.DCAT + "version": 1, std.ADMS + "versionNotes": None,
}  # fmt: skip
_DATED: Final = (std.DCT + "issued", std.DCT + "modified")
#: predicates whose values are things, the class the profile asks of them, and how many it allows
_THINGS: Final = {
    DCAT.landingPage: (std.FOAF + "Document", None),
    std.FOAF + "page": (std.FOAF + "Document", None),
    std.DCT + "language": (std.DCT + "LinguisticSystem", None),
    std.DCT + "accrualPeriodicity": (std.DCT + "Frequency", 1),
    std.DCT + "conformsTo": (std.DCT + "Standard", None),
    std.DCT + "provenance": (std.DCT + "ProvenanceStatement", None),
    std.DCT + "license": (std.DCT + "LicenseDocument", 1),
    std.DCT + "isReferencedBy": ("", None),
}
_OF_DISTRIBUTION: Final = {
    std.DCAT + "accessURL": ("", None),
    std.DCAT + "downloadURL": ("", None),
    std.DCT + "format": (std.DCT + "MediaTypeOrExtent", 1),
    std.DCAT + "mediaType": (std.DCT + "MediaType", 1),
    std.DCAT + "compressFormat": (std.DCT + "MediaType", 1),
    std.DCAT + "packageFormat": (std.DCT + "MediaType", 1),
    std.DCT + "license": (std.DCT + "LicenseDocument", 1),
    std.DCT + "rights": (std.DCT + "RightsStatement", 1),
    std.DCT + "language": (std.DCT + "LinguisticSystem", None),
    std.DCT + "conformsTo": (std.DCT + "Standard", None),
    std.FOAF + "page": (std.FOAF + "Document", None),
    std.ODRL + "hasPolicy": (std.ODRL + "Policy", 1),
}
_NUMBERS: Final = {
    std.DCAT + "byteSize": std.XSD + "nonNegativeInteger",
    std.DCAT + "spatialResolutionInMeters": std.XSD + "decimal",
    std.DCAT + "temporalResolution": std.XSD + "duration",
}
#: our roles among those of INSPIRE
_PARTY_ROLES: Final = {
    Role.owner: "owner", Role.accountable: "custodian", Role.executes: "processor", Role.provides: "distributor",
    Role.publisher: "publisher", Role.contact: "pointOfContact", Role.uses: "user",
}  # fmt: skip
#: the EU's codes of languages
_LANGUAGES: Final = {
    "vi": "VIE", "en": "ENG", "fr": "FRA", "de": "DEU", "nl": "NLD", "es": "SPA", "pt": "POR", "it": "ITA", "zh": "ZHO",
    "ja": "JPN", "ko": "KOR", "lo": "LAO", "km": "KHM", "th": "THA",
}  # fmt: skip
_DESCRIBED: Final = {
    "vi": ("Lĩnh vực: {}.", "Quản lý tại: {}.", "Chủ quản: {}.", "Có trong sổ; chưa có mô tả."),
    "en": ("Field: {}.", "Managed in: {}.", "Accountable: {}.", "Entered in the register; not yet described."),
}

Remark = Callable[[str, str], None]
"""Hear what was written other than it stands in the register: a stable code, and the IRI of the thing."""


@dataclass(frozen=True, slots=True)
class Head:
    """Say what the catalogue of the register itself is called, in which languages, and who publishes it.

    ``publisher`` is the IRI of a body of the register; without one the register stands as its own publisher.
    """

    title: Mapping[str, str]
    description: Mapping[str, str]
    languages: tuple[str, ...] = ("vi", "en")
    publisher: str | None = None
    iri: str = CATALOGUE


@dataclass(frozen=True, slots=True)
class Held:
    """Hold one standing on the day, with what its premises add: who leads, and on which laws it rests."""

    iri: str
    role: str
    status: str
    holders: tuple[str, ...]
    said: Said
    lead: str | None = None
    basis: tuple[str, ...] = ()

    @property
    def certain(self) -> bool:
        """Say whether somebody is known to hold the role."""
        return self.status in (Status.held, Status.shared) and bool(self.holders)

    @property
    def one(self) -> str | None:
        """Return the holder, or of several the one that leads."""
        return self.holders[0] if len(self.holders) == 1 else self.lead if self.lead in self.holders else None


@dataclass(slots=True)
class _Batch:
    """Hold what was read of some resources together."""

    facts: dict[str, Said]
    held: dict[str, dict[str, Held]]
    kinds: dict[str, frozenset[str]]
    sources: dict[str, list[tuple[str, str]]] = field(default_factory=dict)


class Catalogue:
    """Write resources of the register as DCAT-AP; see ``graph.export`` for the whole of it."""

    def __init__(self, reader: Edges, day: date, head: Head, remark: Remark = lambda code, iri: None) -> None:
        self.reader = reader
        self.day = day
        self.head = head
        self.portrait = Portrait(reader, day, head.languages)
        self._remark = remark
        self._kinds: dict[str, frozenset[str]] = {}

    def heading(self) -> Iterator[ox.Triple]:
        """Write the catalogue of the register, without what it lists."""
        iri = self.head.iri
        yield from typed(iri, DCAT.Catalog, DCAT.Dataset, DCAT.Resource)
        for predicate, texts in ((DCT.title, self.head.title), (DCT.description, self.head.description)):
            for language, words in sorted(texts.items()):
                yield state(iri, predicate, text(words, language))
        for language in self.head.languages:
            if language in _LANGUAGES:
                yield state(iri, std.DCT + "language", std.LANGUAGE + _LANGUAGES[language])
                yield from typed(std.LANGUAGE + _LANGUAGES[language], std.DCT + "LinguisticSystem")
        publisher = self.head.publisher or REGISTER
        yield state(iri, DCT.publisher, publisher)
        if self.head.publisher:
            yield from self.portrait.agents([publisher])
        else:
            yield from typed(REGISTER, std.FOAF + "Agent", std.PROV + "SoftwareAgent")
            yield state(REGISTER, std.FOAF + "name", text("Diaba"))

    def resources(self, iris: Iterable[str]) -> Iterator[ox.Triple]:
        """Write these resources, each with all that it mentions and as a member of the register's catalogue."""
        waiting = iter(iris)
        while chunk := list(islice(waiting, _CHUNK)):
            yield from self._chunk(chunk)

    def _chunk(self, iris: list[str]) -> Iterator[ox.Triple]:
        facts = read(self.reader, iris)
        held = self._standings(iris)
        batch = _Batch(facts, held, {}, self._flows(iris, facts))
        named = {
            value
            for said in facts.values()
            for predicate in (*_BETWEEN, D.copyOf)
            for value in things(said, predicate)
        }
        named |= {origin for several in batch.sources.values() for origin, _ in several}
        batch.kinds = self._classes(sorted({*iris, *named}), facts, held)
        for iri in iris:
            if batch.kinds.get(iri):
                yield from self._resource(iri, batch)

    def _resource(self, iri: str, batch: _Batch) -> Iterator[ox.Triple]:
        said, kinds, held = batch.facts[iri], batch.kinds[iri], batch.held[iri]
        yield state(self.head.iri, _listing(kinds), iri)
        yield from typed(iri, *sorted(kinds))
        names = self.portrait.names([iri])[iri]
        for language, words in sorted(names.items()):
            yield state(iri, DCT.title, text(words, language))
        descriptions = [value for value in said.get(DCT.description, ()) if isinstance(value, ox.Literal)]
        for description in descriptions or self._described(iri, said, held):
            yield state(iri, DCT.description, description)
        yield from _simple(iri, said)
        yield from self._values(iri, said, _THINGS)
        yield from self._rights(iri, said)
        yield from self._themes(iri, said)
        for predicate in (D.managedIn, std.DCT + "spatial"):
            for area in things(said, predicate):
                yield state(iri, predicate, area)
                yield from self.portrait.areas([area])
        yield from self._periods(iri, said)
        yield from self._roles(iri, held)
        yield from self._contacts(iri, said, held)
        yield from self._lineage(iri, said, batch)
        yield from self._neighbours(iri, said, kinds, batch)
        if DCAT.DataService in kinds:
            for predicate in (_ENDPOINT, std.DCAT + "endpointDescription"):
                for address in things(said, predicate):
                    yield state(iri, predicate, address)
        yield from self._distributions(iri, said)

    # --- what a resource is -----------------------------------------------------------------------------------------

    def _classes(
        self, iris: Sequence[str], facts: Mapping[str, Said], held: Mapping[str, Mapping[str, Held]]
    ) -> dict[str, frozenset[str]]:
        """Return resource → the classes it goes out under, those they imply among them; none for what is no resource.

        It is the same for a resource that is written and for one that is only named.
        """
        unknown = [iri for iri in iris if iri not in self._kinds]
        elsewhere = [iri for iri in unknown if iri not in facts]
        said = read(self.reader, elsewhere, (RDF.type, _ENDPOINT))
        said |= {iri: facts[iri] for iri in unknown if iri in facts}
        catalogues = [iri for iri in elsewhere if DCAT.Catalog in things(said[iri], RDF.type)]
        publishing = {**self._standings(catalogues), **held}
        for iri in unknown:
            types = set(things(said[iri], RDF.type)) & RESOURCE_CLASSES
            if DCAT.Catalog in types and not (iri in publishing and _publisher(publishing[iri])):
                types = types - {DCAT.Catalog} | {DCAT.Dataset}
                self._remark("catalogue-without-publisher", iri)
            if DCAT.DataService in types and not things(said[iri], _ENDPOINT):
                types = types - {DCAT.DataService} | {DCAT.Resource}
                self._remark("service-without-endpoint", iri)
            if types & {DCAT.Catalog, DCAT.DatasetSeries}:
                types |= {DCAT.Dataset}
            self._kinds[iri] = frozenset(types | {DCAT.Resource} if types else ())
        return {iri: self._kinds[iri] for iri in iris}

    def _described(self, iri: str, said: Said, held: Mapping[str, Held]) -> Iterator[ox.Literal]:
        """Describe by what the register knows what nobody has described."""
        self._remark("description-made", iri)
        accountable = held.get(Role.accountable)
        holders = accountable.holders if accountable and accountable.certain else ()
        parts = (things(said, DCAT.theme), things(said, D.managedIn), holders)
        names = self.portrait.names({one for several in parts for one in several})
        for language in self.head.languages:
            *patterns, nothing = _DESCRIBED.get(language, _DESCRIBED["en"])
            told = [
                pattern.format(", ".join(_called(names[one], language) for one in several))
                for pattern, several in zip(patterns, parts, strict=True)
                if several
            ]
            yield text(" ".join(told) or nothing, language)

    # --- who answers ------------------------------------------------------------------------------------------------

    def _standings(self, iris: Sequence[str]) -> dict[str, dict[str, Held]]:
        """Return resource → role → the standing of the day."""
        about = dict(pointing(self.reader, iris, D.about))
        facts = {
            iri: said
            for iri, said in read(self.reader, about).items()
            if D.Standing in things(said, RDF.type) and lasts(said, self.day)
        }
        named = {one for said in facts.values() for one in things(said, D.premise)}
        premises = read(self.reader, named, (D.basis, D.lapsesWith, D.lead))
        found: dict[str, dict[str, Held]] = {iri: {} for iri in iris}
        for iri, said in facts.items():
            rests = [premises[one] for one in things(said, D.premise)]
            laws = {law for one in rests for predicate in (D.basis, D.lapsesWith) for law in things(one, predicate)}
            for role in things(said, D.role):
                found[about[iri]][role] = Held(
                    iri,
                    role,
                    next(iter(things(said, D.status)), ""),
                    tuple(one for one in things(said, D.holder) if one != D.nobody),
                    said,
                    next((lead for one in rests for lead in things(one, D.lead)), None),
                    tuple(sorted(laws)),
                )
        return found

    def _roles(self, iri: str, held: Mapping[str, Held]) -> Iterator[ox.Triple]:
        publisher = _publisher(held)
        if publisher:
            yield state(iri, DCT.publisher, publisher)
            yield from self.portrait.agents([publisher])
        certain = [standing for _, standing in sorted(held.items()) if standing.certain]
        for standing in certain:
            for holder in standing.holders:
                attribution = derived("attribution", standing.iri, holder)
                yield state(iri, std.PROV + "qualifiedAttribution", attribution)
                yield from typed(attribution, std.PROV + "Attribution")
                yield state(attribution, std.PROV + "agent", holder)
                yield state(attribution, std.DCAT + "hadRole", standing.role)
                if standing.role in _PARTY_ROLES:
                    party = std.PARTY_ROLE + _PARTY_ROLES[standing.role]
                    yield state(attribution, std.DCAT + "hadRole", party)
                    yield from self.portrait.concepts([party], std.DCAT + "Role")
                for predicate in (D.from_, D.until):
                    for day in standing.said.get(predicate, ()):
                        yield state(attribution, predicate, day)
                yield from self.portrait.agents([holder])
            yield from self.portrait.concepts([standing.role], std.DCAT + "Role")
        laws = sorted({law for standing in certain for law in standing.basis})
        terms = read(self.reader, laws, (D.from_, D.until))
        for law in laws:
            if lasts(terms[law], self.day):
                yield state(iri, std.DCATAP + "applicableLegislation", law)
                yield from self.portrait.laws([law])

    def _contacts(self, iri: str, said: Said, held: Mapping[str, Held]) -> Iterator[ox.Triple]:
        stated = things(said, std.DCAT + "contactPoint")
        for point, facts in read(self.reader, stated).items():
            yield state(iri, std.DCAT + "contactPoint", point)
            for one in self.portrait.fresh([point], "contact"):
                yield from typed(one, std.VCARD + "Kind", *_cards(facts))
                for predicate, values in facts.items():
                    if predicate.startswith(std.VCARD):
                        yield from (state(one, predicate, value) for value in values)
        standing = held.get(Role.contact)
        for holder in standing.holders if standing and standing.certain else ():
            point = derived("contact", holder)
            yield state(iri, std.DCAT + "contactPoint", point)
            if self.portrait.fresh([point], "contact"):
                yield from typed(point, std.VCARD + "Kind", std.VCARD + "Organization")
                for language, words in sorted(self.portrait.names([holder])[holder].items()):
                    yield state(point, std.VCARD + "fn", text(words, language))
                for how, _, value in self.portrait.reached(read(self.reader, [holder])).get(holder, ()):
                    yield state(point, how, value)

    # --- what it is about, and where it comes from ------------------------------------------------------------------

    def _themes(self, iri: str, said: Said) -> Iterator[ox.Triple]:
        themes = things(said, DCAT.theme)
        for theme in themes:
            yield state(iri, DCAT.theme, theme)
        for match in sorted(set(self.portrait.matched(themes, std.AUTHORITY + "data-theme/").values()) - set(themes)):
            yield state(iri, DCAT.theme, match)
        yield from self.portrait.concepts(themes)

    def _rights(self, iri: str, said: Said) -> Iterator[ox.Triple]:
        """Write the class of access in the EU's words where ours match; the country's own words stand beside it."""
        for access in things(said, DCT.accessRights)[:1]:
            table = std.AUTHORITY + "access-right/"
            match = self.portrait.matched([access], table).get(access, access)
            yield state(iri, DCT.accessRights, match)
            yield from typed(match, std.DCT + "RightsStatement")
            if match != access:
                yield state(iri, std.DCT + "rights", access)
            yield from self.portrait.concepts([access], std.DCT + "RightsStatement")

    def _periods(self, iri: str, said: Said) -> Iterator[ox.Triple]:
        for period, facts in read(self.reader, things(said, std.DCT + "temporal")).items():
            yield state(iri, std.DCT + "temporal", period)
            yield from typed(period, std.DCT + "PeriodOfTime")
            for predicate in (std.DCAT + "startDate", std.DCAT + "endDate"):
                yield from (state(period, predicate, value) for value in _dates(facts, predicate)[:1])

    def _flows(self, iris: Sequence[str], facts: Mapping[str, Said]) -> dict[str, list[tuple[str, str]]]:
        """Return resource → (where its data come from on the day, the record that says so; empty for a copy)."""
        into: dict[str, list[str]] = {}
        for record, iri in pointing(self.reader, iris, D.flowTo):
            into.setdefault(record, []).append(iri)
        found: dict[str, list[tuple[str, str]]] = {}
        for record, said in read(self.reader, into).items():
            if lasts(said, self.day):
                for iri in into[record]:
                    found.setdefault(iri, []).extend((origin, record) for origin in things(said, D.flowFrom))
        for iri in iris:
            found.setdefault(iri, []).extend((origin, "") for origin in things(facts[iri], D.copyOf))
        return {iri: sorted(set(several)) for iri, several in found.items()}

    def _lineage(self, iri: str, said: Said, batch: _Batch) -> Iterator[ox.Triple]:
        for origin, record in batch.sources.get(iri, ()):
            if not batch.kinds.get(origin):
                continue
            yield state(iri, std.PROV + "wasDerivedFrom", origin)
            if DCAT.Dataset in batch.kinds[origin] and DCAT.Dataset in batch.kinds[iri]:
                yield state(iri, std.DCT + "source", origin)
            if record:
                yield state(iri, std.PROV + "qualifiedDerivation", record)
                if self.portrait.fresh([record], "flow"):
                    yield from typed(record, std.PROV + "Derivation")
                    yield state(record, std.PROV + "entity", origin)

    def _neighbours(self, iri: str, said: Said, kinds: frozenset[str], batch: _Batch) -> Iterator[ox.Triple]:
        """Write what joins resources of the register, where the one at the other end is of the class it must be."""
        for predicate, (mine, theirs) in _BETWEEN.items():
            for other in things(said, predicate):
                found = batch.kinds.get(other, frozenset())
                if mine not in kinds:
                    continue
                if predicate in _LISTED and found:
                    yield state(iri, _listing(found), other)
                elif theirs in found and not (predicate == DCT.isPartOf and DCAT.Catalog in kinds - found):
                    yield state(iri, predicate, other)

    # --- how to get at it -------------------------------------------------------------------------------------------

    def _distributions(self, iri: str, said: Said) -> Iterator[ox.Triple]:
        found = read(self.reader, things(said, std.DCAT + "distribution"))
        for one, facts in found.items():
            addresses = [*things(facts, std.DCAT + "accessURL"), *things(facts, std.DCAT + "downloadURL")]
            if not addresses:
                self._remark("distribution-without-address", one)
                continue
            yield state(iri, std.DCAT + "distribution", one)
            if not self.portrait.fresh([one], "distribution"):
                continue
            yield from typed(one, std.DCAT + "Distribution")
            if not things(facts, std.DCAT + "accessURL"):
                yield state(one, std.DCAT + "accessURL", addresses[0])
            for predicate in (DCT.title, DCT.description):
                for value in facts.get(predicate, ()):
                    if isinstance(value, ox.Literal):
                        yield state(one, predicate, value)
            yield from _simple(one, facts)
            yield from self._values(one, facts, _OF_DISTRIBUTION)
            services = self._classes(things(facts, std.DCAT + "accessService"), {}, {})
            for service, kinds in services.items():
                if DCAT.DataService in kinds:
                    yield state(one, std.DCAT + "accessService", service)
            for status in things(facts, std.ADMS + "status")[:1]:
                yield state(one, std.ADMS + "status", status)
                yield from self.portrait.concepts([status])
            for offered in things(facts, std.DCATAP + "availability")[:1]:
                yield state(one, std.DCATAP + "availability", offered)
                yield from self.portrait.concepts([offered])
            yield from self._checksum(one, facts)

    def _checksum(self, iri: str, said: Said) -> Iterator[ox.Triple]:
        for node, facts in read(self.reader, things(said, std.SPDX + "checksum")[:1]).items():
            algorithm = things(facts, std.SPDX + "algorithm")
            value = first(facts, std.SPDX + "checksumValue")
            if len(algorithm) == 1 and isinstance(value, ox.Literal) and _is_hex(value.value):
                yield state(iri, std.SPDX + "checksum", node)
                yield from typed(node, std.SPDX + "Checksum")
                yield state(node, std.SPDX + "algorithm", algorithm[0])
                hexadecimal = ox.NamedNode(std.XSD + "hexBinary")
                yield state(node, std.SPDX + "checksumValue", ox.Literal(value.value, datatype=hexadecimal))

    def _values(self, iri: str, said: Said, table: Mapping[str, tuple[str, int | None]]) -> Iterator[ox.Triple]:
        for predicate, (kind, most) in table.items():
            for value in things(said, predicate)[:most]:
                yield state(iri, predicate, value)
                if kind and self.portrait.fresh([value], kind):
                    yield from typed(value, kind)


_ENDPOINT: Final = std.DCAT + "endpointURL"
_LISTED: Final = frozenset({DCAT.dataset, DCAT.service, DCAT.catalog, DCAT.resource})
#: predicates between resources, with the classes of the one that says it and the one it names
_BETWEEN: Final = {
    DCAT.inSeries: (DCAT.Dataset, DCAT.DatasetSeries),
    DCAT.servesDataset: (DCAT.DataService, DCAT.Dataset),
    std.DCT + "hasVersion": (DCAT.Dataset, DCAT.Dataset),
    DCT.isPartOf: (DCAT.Resource, DCAT.Resource),
    std.DCT + "relation": (DCAT.Resource, DCAT.Resource),
    DCAT.dataset: (DCAT.Catalog, DCAT.Dataset),
    DCAT.service: (DCAT.Catalog, DCAT.DataService),
    DCAT.catalog: (DCAT.Catalog, DCAT.Catalog),
    DCAT.resource: (DCAT.Catalog, DCAT.Resource),
}


def _listing(kinds: frozenset[str]) -> str:
    """Return by which word a catalogue lists something of these classes."""
    if DCAT.Catalog in kinds:
        return DCAT.catalog
    if DCAT.Dataset in kinds:
        return DCAT.dataset
    return DCAT.service if DCAT.DataService in kinds else DCAT.resource


def _publisher(held: Mapping[str, Held]) -> str | None:
    """Return the one publisher: whoever is recorded as such, else whoever is accountable."""
    for role in (Role.publisher, Role.accountable):
        standing = held.get(role)
        if standing and standing.certain and standing.one:
            return standing.one
    return None


def _simple(iri: str, said: Said) -> Iterator[ox.Triple]:
    """Write text, dates and numbers, each in the datatype that the profile asks for."""
    for predicate, most in _TEXT.items():
        literals = [value for value in said.get(predicate, ()) if isinstance(value, ox.Literal)]
        yield from (state(iri, predicate, value) for value in literals[:most])
    for predicate in _DATED:
        yield from (state(iri, predicate, value) for value in _dates(said, predicate)[-1:])
    for predicate, kind in _NUMBERS.items():
        for value in said.get(predicate, ())[:1]:
            if isinstance(value, ox.Literal) and _fits(value.value, kind):
                yield state(iri, predicate, ox.Literal(value.value, datatype=ox.NamedNode(kind)))


def _dates(said: Said, predicate: str) -> list[Term]:
    return [
        value
        for value in sorted(said.get(predicate, ()), key=lambda term: term.value)
        if isinstance(value, ox.Literal) and value.datatype.value in _DATES
    ]


def _fits(value: str, kind: str) -> bool:
    if kind == std.XSD + "nonNegativeInteger":
        return value.isascii() and value.isdigit()
    if kind == std.XSD + "decimal":
        return value.isascii() and value.removeprefix("-").replace(".", "", 1).isdigit()
    return value.startswith(("P", "-P"))


def _is_hex(value: str) -> bool:
    return bool(value) and len(value) % 2 == 0 and all(letter in "0123456789abcdefABCDEF" for letter in value)


def _cards(said: Said) -> list[str]:
    return [kind for kind in things(said, RDF.type) if kind.startswith(std.VCARD)]


def _called(names: Mapping[str, str], language: str) -> str:
    return names.get(language) or next(iter(names[other] for other in sorted(names)))
