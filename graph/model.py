"""Describe the facts an answer rests on, and the answer, as frozen values.

Facts carry IRIs as strings, days as ``datetime.date`` and intervals ``[start, end)`` in days; ``None`` is an open end.
Nothing here reads a store, a file or a clock. The steps these values pass through are in ``responsibility``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from graph.terms import Confidence


@dataclass(frozen=True, slots=True)
class Interval:
    """Hold the days from ``start`` (inclusive) to ``end`` (exclusive); ``None`` is unbounded."""

    start: date | None = None
    end: date | None = None

    def contains(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day < self.end)

    def ended_by(self, day: date) -> bool:
        return self.end is not None and self.end <= day

    def starts_after(self, day: date) -> bool:
        return self.start is not None and self.start > day

    @property
    def is_empty(self) -> bool:
        return self.start is not None and self.end is not None and self.end <= self.start

    def __and__(self, other: Interval) -> Interval:
        later = other.start is not None and (self.start is None or other.start > self.start)
        start = other.start if later else self.start
        if other.end is not None and (self.end is None or other.end < self.end):
            return Interval(start, other.end)
        return Interval(start, self.end)


ALWAYS = Interval()


@dataclass(frozen=True, slots=True)
class Responsibility:
    """Say who holds what in which role, when (``d:Responsibility``)."""

    iri: str
    roles: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    holder_kind: str | None = None
    lead: str | None = None
    covers: frozenset[str] = frozenset()
    members_of: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    excludes: frozenset[str] = frozenset()
    basis: tuple[str, ...] = ()
    lapses_with: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    span: Interval = ALWAYS
    sources: tuple[str, ...] = ()
    confidence: str = ""
    verified: bool = True
    at_the_door: bool = False


@dataclass(frozen=True, slots=True)
class Transfer:
    """Make one responsibility out of another: devolution, delegation or mandate (``d:Transfer``)."""

    iri: str
    kind: str | None = None
    transferors: tuple[str, ...] = ()
    takes_from: tuple[str, ...] = ()
    creates: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()
    lapses_with: tuple[str, ...] = ()
    granted_on: date | None = None
    span: Interval = ALWAYS
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Event:
    """Date a change among bodies or areas (``d:ChangeEvent``)."""

    iri: str
    day: date | None = None
    basis: tuple[str, ...] = ()
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Succession:
    """Join a predecessor to a successor at an event, for a field or an area or for the rest (``d:Succession``)."""

    iri: str
    event: Event
    predecessor: str
    successor: str
    fields: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    confidence: str = ""
    verified: bool = True
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holder:
    """Describe a body or a post: when it exists, its kind, its jurisdiction, and for a post its body."""

    iri: str
    span: Interval = ALWAYS
    kinds: tuple[str, ...] = ()
    jurisdiction: frozenset[str] = frozenset()
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Put an area under another for a time (``d:Placement``)."""

    iri: str
    under: str
    span: Interval = ALWAYS


@dataclass(frozen=True, slots=True)
class Area:
    """Describe a territory: when it exists, its level, what it lies in."""

    iri: str
    span: Interval = ALWAYS
    level: str | None = None
    placements: tuple[Placement, ...] = ()


@dataclass(frozen=True, slots=True)
class Law:
    """Give the days on which a legal instrument or a provision is in force."""

    iri: str
    span: Interval = ALWAYS
    part_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Gather every claim that bears on one resource, whatever the day, with what is needed to weigh it.

    ``containers`` maps each series or catalogue that holds the resource to the containers that hold it in turn;
    ``broader`` maps a field to its broader fields; ``bodies_in`` maps an area to the bodies with jurisdiction there,
    filled only where a candidate names a kind of body.
    """

    resource: str
    described: bool = False
    label: str | None = None
    themes: frozenset[str] = frozenset()
    managed_in: frozenset[str] = frozenset()
    containers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    broader: Mapping[str, frozenset[str]] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)
    candidates: frozenset[str] = frozenset()
    responsibilities: Mapping[str, Responsibility] = field(default_factory=dict)
    created_by: Mapping[str, tuple[Transfer, ...]] = field(default_factory=dict)
    holders: Mapping[str, Holder] = field(default_factory=dict)
    successions: Mapping[str, tuple[Succession, ...]] = field(default_factory=dict)
    laws: Mapping[str, Law] = field(default_factory=dict)
    bodies_in: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclusive: frozenset[str] = frozenset()

    def roles(self) -> frozenset[str]:
        """Return the roles that anyone claims on the resource."""
        return frozenset(role for iri in self.candidates for role in self.responsibilities[iri].roles)

    def boundaries(self) -> tuple[date, ...]:
        """Return the days on which an answer can change, in order: every start and end among the facts."""
        return tuple(sorted(set(self._days())))

    def laws_of_events(self) -> dict[str, tuple[str, ...]]:
        """Return the legal basis of each event that holders are followed through."""
        return {
            succession.event.iri: succession.event.basis
            for successions in self.successions.values()
            for succession in successions
        }

    def _days(self) -> Iterator[date]:
        spans = [record.span for record in self.responsibilities.values()]
        spans += [transfer.span for transfers in self.created_by.values() for transfer in transfers]
        spans += [holder.span for holder in self.holders.values()]
        spans += [law.span for law in self.laws.values()]
        for area in self.areas.values():
            spans.append(area.span)
            spans += [placement.span for placement in area.placements]
        for span in spans:
            if span.start is not None:
                yield span.start
            if span.end is not None:
                yield span.end
        for successions in self.successions.values():
            for succession in successions:
                if succession.event.day is not None:
                    yield succession.event.day


class How(StrEnum):
    """Tell how a line came about."""

    asserted = "asserted"
    derived = "derived"
    followed = "followed"


class Reach(StrEnum):
    """Tell by what a record reaches the resource."""

    resource = "resource"
    members = "members"
    scope = "scope"


@dataclass(frozen=True, slots=True)
class Via:
    """Name what made a record a candidate: the resource itself, a container, or a scope of fields and areas."""

    reach: Reach
    container: str | None = None
    fields: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """Record one hop of following a holder through an event, and how far the succession can be trusted."""

    event: str
    day: date
    before: str
    after: str
    succession: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """Hold one record on the day asked: who holds by it now, since when, through which steps.

    ``undecided`` says that somebody must decide: a holder became several, or ended (``lost``) without a known heir.
    """

    record: Responsibility
    via: Via
    span: Interval
    holders: tuple[str, ...]
    how: How
    steps: tuple[Step, ...] = ()
    lost: tuple[str, ...] = ()
    undecided: bool = False

    @property
    def confidence(self) -> str:
        """Return the weakest mark among the record and the successions that lead to its holders."""
        return max((self.record.confidence, *(step.confidence for step in self.steps)), key=Confidence.weakness)


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one line of an answer: the candidates that lead to the same holders; the first speaks for them."""

    candidates: tuple[Candidate, ...]

    @property
    def leading(self) -> Candidate:
        return self.candidates[0]

    @property
    def holders(self) -> tuple[str, ...]:
        return self.leading.holders

    @property
    def undecided(self) -> bool:
        return self.leading.undecided


@dataclass(frozen=True, slots=True)
class Decision:
    """Answer one role on one day: status, lines, what was beaten or contradicted, what is only claimed, and why.

    ``earlier`` and ``later`` are records that ended before the day or start after it; ``cycles`` names the
    responsibilities whose chain runs in a circle.
    """

    resource: str
    role: str
    day: date
    status: str
    lines: tuple[Line, ...] = ()
    beaten: tuple[Line, ...] = ()
    contradicted: tuple[Line, ...] = ()
    claims: tuple[Line, ...] = ()
    earlier: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    next_holders: tuple[str, ...] = ()
    cycles: tuple[tuple[str, ...], ...] = ()
    premises: tuple[str, ...] = ()

    @property
    def holders(self) -> tuple[str, ...]:
        """Return everyone the answer names, sorted; ``d:nobody`` among them where that is stated."""
        return tuple(sorted({holder for line in self.lines for holder in line.holders}))
