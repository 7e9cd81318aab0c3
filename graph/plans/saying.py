"""Collect what a plan states, and what it ends, one statement after the other; know what its words mean."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import pyoxigraph as ox

from graph.errors import Malformed, Place
from graph.evidence import Gathering
from graph.plans.naming import Names
from graph.plans.reading import Document
from graph.store import Reader
from graph.terms import BASE, RDF, SKOS, SKOSXL, XSD, D

PLANS: Final = BASE + "plan/"
"""How the IRI of a plan begins; what it makes has names under it."""

BODIES_AND_AREAS: Final = ("body", "area")


class Saying:
    """Hold the statements of one plan while it is drafted.

    ``ends`` maps what ends to its first day without it, ``begun`` what is made to its first day; ``ended_at`` and
    ``moved`` remember where the plan says so.
    """

    def __init__(self, document: Document, reader: Reader) -> None:
        self.document = document
        self.reader = reader
        self.data = document.data
        self.source = PLANS + self.data["plan"]
        self.effective = date.fromisoformat(self.data["effective"])
        self.names = Names(reader, self.effective - timedelta(days=1), _words(self.data))
        self.gathering = Gathering(reader)
        self.facts: list[tuple[str, str, ox.NamedNode | ox.Literal]] = []
        self.ends: dict[str, date] = {}
        self.ended_at: dict[str, Place] = {}
        self.days = {self.effective}
        self.named: set[str] = set()
        self.begun: dict[str, date] = {}
        self.moved: dict[str, Place] = {}
        self.jurisdictions: dict[str, list[str]] = {}

    def say(self, subject: str, predicate: str, *values: str | date | bool | ox.Literal) -> None:
        for value in values:
            target: ox.NamedNode | ox.Literal
            if isinstance(value, ox.Literal):
                target = value
            elif isinstance(value, date):
                target = ox.Literal(value.isoformat(), datatype=ox.NamedNode(XSD.date))
            elif isinstance(value, bool):
                target = ox.Literal(value)
            else:
                target = ox.NamedNode(value)
            self.facts.append((subject, predicate, target))

    def place(self, *path: str | int) -> Place:
        return self.document.place(*path)

    def one(self, word: str, place: Place, *sorts: str) -> str:
        return self.names.resolve(word, place, *sorts)

    def many(self, entry: Mapping[str, Any], key: str, path: Sequence[str | int], *sorts: str) -> list[str]:
        return [
            self.one(word, self.place(*path, key, number), *sorts) for number, word in enumerate(entry.get(key, ()))
        ]

    def record(self, iri: str, kind: str) -> str:
        self.say(iri, RDF.type, kind)
        if "source" in self.data:
            self.say(iri, D.source, self.data["source"])
        return iri

    def name(self, iri: str, day: date, words: str | Mapping[str, str]) -> None:
        record = self.record(f"{self.source}/name/{key_of(iri, day)}", D.Name)
        self.say(record, D.nameOf, iri)
        self.say(record, SKOSXL.literalForm, *literals(words))
        self.say(record, D.from_, day)

    def put_under(self, iri: str, above: str, day: date) -> None:
        record = self.record(f"{self.source}/placement/{key_of(iri, day)}", D.Placement)
        self.say(record, D.placed, iri)
        self.say(record, D.under, above)
        self.say(record, D.from_, day)

    def code(self, iri: str, scheme: str, code: str, day: date) -> None:
        record = self.record(f"{self.source}/code/{key_of(iri, scheme, day)}", D.Code)
        self.say(record, D.codeOf, iri)
        self.say(record, SKOS.notation, ox.Literal(code))
        self.say(record, SKOS.inScheme, scheme)
        self.say(record, D.from_, day)

    def alive(self, word: str, place: Place, day: date) -> str:
        """Return the body or area of a word; raise ``Malformed`` unless it is there on the eve of ``day``."""
        iri = self.one(word, place, *BODIES_AND_AREAS)
        self.named.add(iri)
        if iri in self.names.new.values():
            return iri
        span, eve = self.names.span(iri), day - timedelta(days=1)
        if not span.contains(eve):
            when = f"ended on {span.end}" if span.end and span.end <= eve else f"does not exist before {span.start}"
            raise Malformed(
                f"“{self.names.label(iri)}” {when}, and the change is on {day}",
                remedy="Name what is there on the eve, or correct the day.", place=place,
            )  # fmt: skip
        if iri in self.ends and self.ends[iri] <= eve:
            raise Malformed(
                f"“{self.names.label(iri)}” ends on {self.ends[iri]} by this plan",
                remedy="Name its heir, or change the order of days.", place=place,
            )  # fmt: skip
        return iri

    def end(self, event: str, iri: str, day: date, place: Place) -> None:
        """State that a body or area ends by an event; refuse what ends already."""
        told = self.names.label(iri) if iri not in self.names.new.values() else iri
        if iri in self.ends:
            raise Malformed(
                f"“{told}” ends twice in this plan", remedy="Let one change end it.",
                place=place,
            )  # fmt: skip
        span = self.names.span(iri) if iri not in self.names.new.values() else None
        if span is not None and span.end is not None:
            raise Malformed(
                f"“{told}” ends on {span.end} already, by what is recorded",
                remedy="Withdraw that first (diaba plan undo), or leave it out.", place=place,
            )  # fmt: skip
        self.say(event, D.ends, iri)
        self.ends[iri] = day
        self.ended_at[iri] = place

    def check_clash(self, iri: str, day: date, place: Place) -> None:
        """Refuse to change on a day what a recorded event changes on that day."""
        if iri in self.names.new.values():
            return
        for succession in self.gathering.successions(iri):
            if succession.verified and succession.event.day == day:
                raise Malformed(
                    f"“{self.told(iri)}” changes on {day} by a recorded event: {succession.event.iri}",
                    remedy="Withdraw that first (diaba plan undo), or choose another day.", place=place,
                )  # fmt: skip

    def end_record(self, event: str, record: str, day: date) -> None:
        self.say(event, D.ends, record)
        self.ends[record] = day

    def open_records(self, iri: str, term: str, day: date, scheme: str | None = None) -> Iterator[str]:
        """Yield the records (names, placements, codes) that say something of a thing and have not ended by a day."""
        records = sorted({subject.value for subject, _, _, _ in self.reader.incoming([iri], (term,))})
        ended: set[str] = set()
        schemes: dict[str, set[str]] = {}
        for subject, predicate, value, _ in self.reader.outgoing(records, (D.until, SKOS.inScheme)):
            if predicate.value == D.until:
                if value.value <= day.isoformat():
                    ended.add(subject.value)
            else:
                schemes.setdefault(subject.value, set()).add(value.value)
        for record in records:
            if record not in ended and (scheme is None or scheme in schemes.get(record, ())):
                yield record

    def types(self, iri: str) -> set[str]:
        known = self.names.types.get(iri)
        if known is None:
            known = {kind.value for _, _, kind, _ in self.reader.outgoing([iri], (RDF.type,))}
            self.names.types[iri] = known
        return known

    def there(self, body: str) -> bool:
        return self.names.span(body).contains(self.effective)

    def told(self, iri: str) -> str:
        for key, new in self.names.new.items():
            if new == iri:
                return key
        return self.names.label(iri)

    def new_places(self, part: str) -> Iterator[tuple[str, Place]]:
        """Yield the key of every new body or area, and where it stands."""
        for key in self.data.get("new", {}).get(part, {}):
            yield key, self.place("new", part, key)

    def kinds_said(self, iri: str) -> set[str]:
        return {value.value for subject, said, value in self.facts if subject == iri and said == D.bodyKind}


def _words(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield every text of a plan that may be a name."""
    stack: list[Any] = [data]
    while stack:
        node = stack.pop()
        if isinstance(node, Mapping):
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
        elif isinstance(node, str):
            yield node


def literals(words: str | Mapping[str, str]) -> list[ox.Literal]:
    texts = {"vi": words} if isinstance(words, str) else words
    return [ox.Literal(text, language=tag) for tag, text in sorted(texts.items())]


def key_of(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]


