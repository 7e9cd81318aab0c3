"""Make small random registers, so tight that claims, chains, events and scopes keep meeting one another.

A register is a list of facts ``(subject, predicate, object)`` over a handful of names; ``store_of`` puts it in a store
with the scope keys that loading would derive. Each is made from one number: drawing every choice apart leads the
search to empty registers, in which nothing ever happens.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from random import Random

import pyoxigraph as ox
from hypothesis import strategies as st

from graph.scopes import keys_of
from graph.store import OxigraphStore
from graph.terms import DCAT, RDF, SKOS, XSD, Confidence, D, Graphs, Level, Role

X = "https://w3id.org/diaba/example/"
GRAPH = ox.NamedNode("https://example.org/register")
DAYS = [date(2024, 1, 1), date(2024, 7, 1), date(2025, 3, 1), date(2025, 7, 1), date(2026, 1, 1)]

BODIES = [X + f"body-{n}" for n in range(5)]
POSTS = [X + f"post-{n}" for n in range(2)]
KINDS = [X + "kind-province", X + "kind-commune"]
AREAS = [X + f"area-{n}" for n in range(5)]
FIELDS = [X + f"field-{n}" for n in range(4)]
DATASETS = [X + f"dataset-{n}" for n in range(2)]
SERIES = [X + "series-0", X + "series-1"]
CATALOG = X + "catalog"
LAWS = [X + "law-0", X + "article-0"]
EVENTS = [X + f"event-{n}" for n in range(len(DAYS))]

Fact = tuple[str, str, str | date]


def registers() -> st.SearchStrategy[Register]:
    """Draw whole registers of about ninety facts."""
    return st.integers(0, 2**40).map(make_register)


class Register(list[Fact]):
    """Show, in a failing test, the number it can be made from again instead of a hundred facts."""

    seed = 0

    def __repr__(self) -> str:
        return f"make_register({self.seed})"


def make_register(seed: int) -> Register:
    register = Register(_Maker(Random(seed)).make())
    register.seed = seed
    return register


class _Maker:
    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.facts: list[Fact] = []

    def say(self, subject: str, predicate: str, *values: str | date) -> None:
        self.facts.extend((subject, predicate, value) for value in values)

    def once_in(self, times: int) -> bool:
        return self.chance.randrange(times) == 0

    def some(self, values: list[str], most: int = 2, least: int = 0) -> list[str]:
        return self.chance.sample(values, self.chance.randint(least, min(most, len(values))))

    def span(self, node: str, often: int = 3) -> tuple[date | None, date | None]:
        start = self.chance.choice(DAYS) if self.once_in(often) else None
        end = self.chance.choice(DAYS) if self.once_in(often) else None
        if start and end and end < start:
            start, end = end, start
        if start:
            self.say(node, D.from_, start)
        if end:
            self.say(node, D.until, end)
        return start, end

    def mark(self, node: str) -> None:
        if self.once_in(3):
            self.say(
                node, D.confidence, self.chance.choice([Confidence.V1, Confidence.V2, Confidence.V3, Confidence.R])
            )

    def make(self) -> list[Fact]:
        self.areas_and_fields()
        ends = self.bodies()
        self.resources()
        for law in LAWS:
            self.say(law, RDF.type, D.LegalInstrument)
            self.span(law, 2)
        self.say(LAWS[1], D.partOf, LAWS[0])
        records = [X + f"record-{number}" for number in range(self.chance.randint(2, 7))]
        for record in records:
            self.responsibility(record)
        for number in range(self.chance.randint(0, 3)):
            self.transfer(X + f"transfer-{number}", records)
        for event, day in zip(EVENTS, DAYS, strict=True):
            self.say(event, RDF.type, D.ChangeEvent)
            self.say(event, D.effectiveOn, day)
        for number in range(self.chance.randint(1, 7)):
            self.succession(X + f"succession-{number}", ends)
        for event in EVENTS:
            if self.once_in(5):
                self.say(event, D.ends, self.chance.choice([*BODIES, *POSTS, *AREAS[1:], *records]))
        return self.facts

    def areas_and_fields(self) -> None:
        for number, area in enumerate(AREAS):
            self.say(area, RDF.type, D.Area)
            if number:
                self.span(area, 4)
            elif self.once_in(2):
                self.say(area, D.level, Level.central)
            for above in self.some(AREAS[:number], 1):
                placement = X + f"placement-{number}"
                self.say(placement, RDF.type, D.Placement)
                self.say(placement, D.placed, area)
                self.say(placement, D.under, above)
                self.span(placement, 6)
        for number, field in enumerate(FIELDS):
            self.say(field, SKOS.broader, *self.some(FIELDS[:number], 1))

    def bodies(self) -> dict[str, date | None]:
        ends = {}
        for number, body in enumerate(BODIES):
            self.say(body, RDF.type, D.Agency)
            self.say(body, D.bodyKind, KINDS[number % 2])
            self.say(body, D.jurisdiction, *self.some(AREAS, 1))
            ends[body] = self.span(body)[1]
        for post in POSTS:
            self.say(post, RDF.type, D.Post)
            self.say(post, D.postIn, self.chance.choice(BODIES))
            ends[post] = self.span(post, 5)[1]
        return ends

    def resources(self) -> None:
        for dataset in DATASETS:
            self.say(dataset, RDF.type, DCAT.Dataset)
            self.say(dataset, DCAT.theme, *self.some(FIELDS))
            self.say(dataset, D.managedIn, *self.some(AREAS))
            self.say(dataset, DCAT.inSeries, *self.some(SERIES, 1))
        for series in SERIES:
            self.say(series, RDF.type, DCAT.DatasetSeries)
        self.say(SERIES[0], DCAT.inSeries, SERIES[1])
        self.say(CATALOG, RDF.type, DCAT.Catalog)
        self.say(CATALOG, DCAT.dataset, *self.some([*DATASETS, *SERIES]))

    def responsibility(self, node: str) -> None:
        self.say(node, RDF.type, D.Responsibility)
        self.span(node)
        self.mark(node)
        self.say(node, D.role, self.chance.choice([Role.accountable] * 4 + [Role.executes, Role.owner]))
        if self.once_in(5):
            self.say(node, D.holderKind, self.chance.choice(KINDS))
        else:
            holders = [*BODIES, *POSTS]
            self.say(node, D.holder, *([D.nobody] if self.once_in(12) else self.some(holders, 1 + self.once_in(5), 1)))
        reach = self.chance.randrange(5)
        if reach < 2:
            self.say(node, D.covers, *self.some([*DATASETS, SERIES[0]], 2, 1))
        elif reach == 2:
            self.say(node, D.coversMembersOf, self.chance.choice([*SERIES, CATALOG]))
        else:
            self.say(node, D.field, *self.some(FIELDS))
            self.say(node, D.area, *self.some(AREAS, 1))
        if self.once_in(8):
            self.say(node, D.excludes, self.chance.choice([*DATASETS, *FIELDS, *AREAS, *SERIES]))
        if self.once_in(6):
            self.say(node, D.lapsesWith, self.chance.choice(LAWS))

    def transfer(self, node: str, records: list[str]) -> None:
        """Make one record out of another, now and then in a circle."""
        low, high = sorted(self.chance.sample(range(len(records)), 2))
        if self.once_in(10):
            low, high = high, low
        self.say(node, RDF.type, D.Transfer)
        self.mark(node)
        self.say(node, D.transferKind, self.chance.choice([D.mandate, D.delegation, D.devolution]))
        self.say(node, D.transferor, self.chance.choice(BODIES))
        self.say(node, D.takesFrom, records[low])
        self.say(node, D.creates, records[high])
        if self.once_in(3):
            self.say(node, D.lapsesWith, self.chance.choice(LAWS))

    def succession(self, node: str, ends: dict[str, date | None]) -> None:
        """Let something be followed, mostly on the day it ends."""
        among = self.chance.choice([BODIES, BODIES, BODIES, AREAS, POSTS])
        before = self.chance.choice(among)
        end = ends.get(before)
        event = EVENTS[DAYS.index(end)] if end and not self.once_in(4) else self.chance.choice(EVENTS)
        heirs = [one for one in among if one != before]
        self.say(node, RDF.type, D.Succession)
        self.mark(node)
        self.say(node, D.event, event)
        self.say(node, D.predecessor, before)
        self.say(node, D.successor, D.nobody if among is not AREAS and self.once_in(10) else self.chance.choice(heirs))
        if self.once_in(3):
            self.say(node, D.field, self.chance.choice(FIELDS))
        if self.once_in(4):
            self.say(node, D.area, self.chance.choice(AREAS))


def quad(fact: Fact, graph: ox.NamedNode = GRAPH) -> ox.Quad:
    subject, predicate, value = fact
    dated = isinstance(value, date)
    term = ox.Literal(value.isoformat(), datatype=ox.NamedNode(XSD.date)) if dated else ox.NamedNode(value)
    return ox.Quad(ox.NamedNode(subject), ox.NamedNode(predicate), term, graph)


def keys(facts: Iterable[Fact]) -> set[ox.Quad]:
    """Return the scope keys of the facts' responsibilities, as loading derives them."""
    said: dict[str, dict[str, list[str]]] = {}
    for subject, predicate, value in facts:
        said.setdefault(subject, {}).setdefault(predicate, []).append(str(value))
    return {
        quad((node, D.scopeKey, key), ox.NamedNode(Graphs.scopes))
        for node, values in said.items()
        if D.Responsibility in values.get(RDF.type, ()) and D.covers not in values and D.coversMembersOf not in values
        for key in keys_of(values.get(D.field, []), values.get(D.area, []))
    }


def store_of(facts: Iterable[Fact]) -> OxigraphStore:
    facts = list(facts)
    store = OxigraphStore()
    store.load([*(quad(fact) for fact in facts), *keys(facts)], 1)
    return store
