"""Answer who is responsible for a resource, on a day, as known at an instant, and say why.

This is the front door of the register: ``who`` gathers the evidence, decides every role and returns a card; the card
writes itself as plain JSON for the command line, the pages and the interface alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from threading import Lock
from typing import Any, Final, Protocol

import pyoxigraph as ox

from graph.errors import NotFound
from graph.evidence import Gathering
from graph.labels import labels
from graph.model import Candidate, Decision, Evidence, Line, Reach, Transfer
from graph.responsibility import Weighing
from graph.snapshot import Snapshot
from graph.store import Edges, Reader
from graph.terms import D, Role, Status

#: in this order on the card; accountable always, the others where somebody claims them
_ROLES = (
    Role.owner, Role.accountable, Role.executes, Role.operates, Role.provides, Role.contact, Role.publisher,
    Role.coordinates, Role.supervises, Role.contributes, Role.uses,
)  # fmt: skip


class Zoned(Protocol):
    """Know the register's own time zone, in which *today* is meant."""

    @property
    def timezone(self) -> tzinfo: ...


class Sources(Protocol):
    """Give what answering reads: the graph of now, the history of records, the pack's zone."""

    @property
    def graph(self) -> Reader: ...

    @property
    def history(self) -> Reader: ...

    @property
    def pack(self) -> Zoned: ...


@dataclass(frozen=True, slots=True)
class Note:
    """Tell something the reader should know beside the answer; ``code`` is stable, ``about`` names what it is about."""

    code: str
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """Hold the answer on one resource: a decision per role, with the evidence it was made from.

    ``described`` is false for an IRI that the register only hears of; ``as_recorded_today`` is true for a day to come.
    """

    resource: str
    as_of: date
    known_at: datetime | None
    today: date
    revision: int
    described: bool
    decisions: Mapping[str, Decision]
    supervisors: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    evidence: Evidence = field(default_factory=lambda: Evidence(""), repr=False)

    @property
    def as_recorded_today(self) -> bool:
        return self.as_of > self.today

    @property
    def accountable(self) -> Decision:
        return self.decisions[Role.accountable]

    def candidates(self) -> Iterator[Candidate]:
        """Yield every record that some line of the card shows."""
        for decision in self.decisions.values():
            for line in (*decision.lines, *decision.contradicted, *decision.beaten, *decision.claims):
                yield from line.candidates

    def bases(self) -> set[str]:
        """Return the laws and articles the card names: of records, of the acts that made them, of events."""
        found: set[str] = set()
        laws = self.evidence.laws_of_events()
        for candidate in self.candidates():
            found.update(candidate.record.basis)
            found.update(law for step in candidate.steps for law in laws.get(step.event, ()))
            for transfer in self.evidence.created_by.get(candidate.record.iri, ()):
                found.update(transfer.basis)
        return found

    def mentioned(self) -> set[str]:
        """Return every IRI the card shows, to be labelled."""
        found = {self.resource, *self.supervisors, *self.bases()}
        for decision in self.decisions.values():
            found.update((decision.role, *decision.next_holders))
        for candidate in self.candidates():
            found |= _mentioned(candidate)
            for transfer in self.evidence.created_by.get(candidate.record.iri, ()):
                found.update(transfer.transferors)
        for note in self.notes:
            found.update(note.about)
        return found

    def as_json(self, names: Mapping[str, str], instruments: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Write the card as plain JSON.

        ``names`` labels every IRI that ``mentioned`` returns; ``instruments`` maps each provision among the bases to
        the legal instrument it stands in.
        """
        writer = _Writer(names, instruments or {}, self.evidence)
        return {
            "resource": writer.named(self.resource),
            "described": self.described,
            "as_of": self.as_of.isoformat(),
            "known_at": self.known_at.isoformat().replace("+00:00", "Z") if self.known_at else None,
            "as_recorded_today": self.as_recorded_today,
            "revision": self.revision,
            "lines": {
                role.removeprefix(Role.NS): writer.decision(decision) for role, decision in self.decisions.items()
            },
            "supervises": [writer.named(holder) for holder in self.supervisors],
            "claims": [
                writer.line(line) | {"role": decision.role.removeprefix(Role.NS)}
                for decision in self.decisions.values()
                for line in decision.claims
            ],
            "notes": [{"code": note.code, "about": [writer.named(iri) for iri in note.about]} for note in self.notes],
        }


_INSTANTS_KEPT: Final = 4
"""A desk keeps what it read for so many instants; people ask about one day after the other as known at one of them."""


class Desk:
    """Answer one question after the other, keeping what they share while the register stays as it is.

    Several threads may ask one desk: they take turns at gathering, which is most of the work and holds the interpreter
    anyway.
    """

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._state: tuple[object, ...] = ()
        #: by the instant at which it was known, ``None`` for now; the one used last stands last
        self._gatherings: dict[datetime | None, Gathering] = {}
        self._turn = Lock()

    def who(self, resource: str, as_of: date | None = None, known_at: datetime | None = None) -> Card:
        """Answer who is responsible for a resource; see the function of the same name."""
        zone = self.sources.pack.timezone
        today = datetime.now(zone).date()
        if known_at is not None:
            known_at = (known_at if known_at.tzinfo else known_at.replace(tzinfo=zone)).astimezone(UTC)
        with self._turn:
            evidence = self._gathering(known_at).gather(resource)
        return answer(evidence, as_of or today, today, known_at, self.sources.graph.revision)

    def _gathering(self, known_at: datetime | None) -> Gathering:
        """Return what gathers from the register as known at an instant, anew where the register has changed."""
        graph, history = self.sources.graph, self.sources.history
        state = (graph, graph.revision, history, history.revision)
        if state != self._state:
            self._gatherings.clear()
            self._state = state
        gathering = self._gatherings.pop(known_at, None)
        if gathering is None:
            gathering = Gathering(graph if known_at is None else Snapshot(graph, history, known_at))
            instants = [instant for instant in self._gatherings if instant is not None]
            if len(instants) >= _INSTANTS_KEPT:
                del self._gatherings[instants[0]]
        self._gatherings[known_at] = gathering
        return gathering


def who(sources: Sources, resource: str, as_of: date | None = None, known_at: datetime | None = None) -> Card:
    """Answer who is responsible for a resource.

    ``as_of`` defaults to today in the register's zone, ``known_at`` to now; an instant without a zone is taken in the
    register's. Raises ``NotFound`` for an IRI that nothing in the register describes or claims.
    """
    return Desk(sources).who(resource, as_of, known_at)


def answer(evidence: Evidence, as_of: date, today: date, known_at: datetime | None = None, revision: int = 0) -> Card:
    """Decide every role on the evidence and lay the card (step 12)."""
    if not evidence.described and not evidence.candidates:
        raise NotFound(f"The register does not know {evidence.resource}", remedy="Search by words, or check the IRI.")
    weighing = Weighing(evidence)
    claimed = evidence.roles()
    decisions = {role: weighing.decide(role, as_of) for role in _ROLES if role == Role.accountable or role in claimed}
    decisions |= {role: weighing.decide(role, as_of) for role in sorted(claimed) if role not in decisions}
    supervisors, notes = _supervision(weighing, decisions[Role.accountable])
    notes += tuple(Note("cycle", cycle) for decision in decisions.values() for cycle in decision.cycles)
    if not evidence.described:
        notes += (Note("not-described", (evidence.resource,)),)
    if known_at is not None:
        notes += (Note("descriptions-of-now"),)  # records have two clocks, what describes things only has that of now
    accountable = decisions[Role.accountable]
    if accountable.status in (Status.expired, Status.not_yet) and accountable.next_holders:
        notes += (Note("next-holder", accountable.next_holders),)
    if any(not candidate.span.start for line in accountable.lines for candidate in line.candidates[:1]):
        notes += (Note("start-not-known", tuple(line.leading.record.iri for line in accountable.lines)),)
    return Card(
        resource=evidence.resource,
        as_of=as_of,
        known_at=known_at,
        today=today,
        revision=revision,
        described=evidence.described,
        decisions=decisions,
        supervisors=supervisors,
        notes=notes,
        evidence=evidence,
    )


def _supervision(weighing: Weighing, decision: Decision) -> tuple[tuple[str, ...], tuple[Note, ...]]:
    """Name the givers of the delegations behind the answer: they supervise (Law 72/2025, art. 13(3))."""
    givers: set[str] = set()
    for line in decision.lines:
        for candidate in line.candidates:
            for iri in (candidate.record.iri, *weighing.ancestors(candidate.record.iri)[0]):
                for transfer in weighing.evidence.created_by.get(iri, ()):
                    if transfer.verified and transfer.kind == D.delegation:
                        givers.update(transfer.transferors)
    return tuple(sorted(givers)), (Note("delegation-supervised", tuple(sorted(givers))),) if givers else ()


# --- writing --------------------------------------------------------------------------------------------------------


def _mentioned(candidate: Candidate) -> set[str]:
    record = candidate.record
    found = {record.iri, candidate.confidence, *candidate.holders, *candidate.lost, *record.holders}
    found.update(record.sources, candidate.via.fields, candidate.via.areas)
    found.update(iri for iri in (candidate.via.container, record.holder_kind, record.lead) if iri)
    for step in candidate.steps:
        found.update((step.event, step.before, step.after, step.succession))
    return found


class _Writer:
    """Write the parts of a card as JSON, each IRI with its label."""

    def __init__(
        self,
        names: Mapping[str, str],
        instruments: Mapping[str, str],
        evidence: Evidence,
    ) -> None:
        self.names = names
        self.instruments = instruments
        self.created_by = evidence.created_by
        self.law_of = evidence.laws_of_events()

    def named(self, iri: str) -> dict[str, str]:
        return {"iri": iri, "label": self.names.get(iri, iri)}

    def all_named(self, iris: Iterable[str]) -> list[dict[str, str]]:
        return [self.named(iri) for iri in iris]

    def decision(self, decision: Decision) -> dict[str, Any]:
        return {
            "role": self.named(decision.role),
            "status": decision.status.removeprefix(Status.NS),
            "holders": self.all_named(decision.holders),
            "answers": [self.line(line) for line in decision.lines],
            "contradicted": [self.line(line) for line in decision.contradicted],
            "beaten": [self.line(line) for line in decision.beaten],
            "next": self.all_named(decision.next_holders),
            "earlier": list(decision.earlier),
            "later": list(decision.later),
        }

    def line(self, line: Line) -> dict[str, Any]:
        first = line.leading
        return self.candidate(first) | {"support": [self.candidate(other) for other in line.candidates[1:]]}

    def candidate(self, candidate: Candidate) -> dict[str, Any]:
        record = candidate.record
        span = candidate.span
        since = candidate.steps[-1].day if candidate.steps else span.start
        return {
            "holders": self.all_named(candidate.holders),
            "lead": record.lead,
            "how": candidate.how.value,
            "via": self.via(candidate),
            "record": record.iri,
            "recorded_holders": self.all_named(record.holders),
            "holder_kind": self.named(record.holder_kind) if record.holder_kind else None,
            "since": since.isoformat() if since else None,
            "until": span.end.isoformat() if span.end else None,
            "start_known": since is not None,
            "basis": [self.basis(iri) for iri in record.basis],
            "transfers": [self.transfer(transfer) for transfer in self.created_by.get(record.iri, ())],
            "conditions": list(record.conditions),
            "steps": [
                {
                    "event": self.named(step.event),
                    "day": step.day.isoformat(),
                    "from": self.named(step.before),
                    "to": self.named(step.after),
                    "succession": step.succession,
                    "basis": [self.basis(iri) for iri in self.law_of.get(step.event, ())],
                    "confidence": step.confidence.rsplit("/", 1)[-1],
                }
                for step in candidate.steps
            ],
            "lost": self.all_named(candidate.lost),
            "undecided": candidate.undecided,
            "source": self.all_named(record.sources),
            "confidence": candidate.confidence.rsplit("/", 1)[-1],
            "imported": record.at_the_door,
        }

    def transfer(self, transfer: Transfer) -> dict[str, Any]:
        """Name the act that made the record: who gave it, how, on which day and on what basis."""
        return {
            "iri": transfer.iri,
            "kind": transfer.kind.removeprefix(D.NS) if transfer.kind else None,
            "by": self.all_named(transfer.transferors),
            "granted_on": transfer.granted_on.isoformat() if transfer.granted_on else None,
            "basis": [self.basis(iri) for iri in transfer.basis],
            "verified": transfer.verified,
        }

    def basis(self, iri: str) -> dict[str, Any]:
        """Name a legal basis: an instrument, or an article with the instrument it stands in."""
        instrument = self.instruments.get(iri)
        if instrument is None:
            return self.named(iri) | {"article": None}
        return self.named(instrument) | {"article": self.named(iri)}

    def via(self, candidate: Candidate) -> dict[str, Any]:
        via = candidate.via
        return {
            "kind": via.reach.value,
            "container": self.named(via.container) if via.container else None,
            "fields": self.all_named(sorted(via.fields)),
            "areas": self.all_named(sorted(via.areas)),
            "resource": via.reach is Reach.resource,
        }


def write(sources: Sources, card: Card, languages: Sequence[str] = ("vi", "en")) -> dict[str, Any]:
    """Write a card as JSON with the labels of the day asked, in the first of these languages that has one."""
    instruments = dict(_containing_instruments(sources.graph, sorted(card.bases())))
    names = labels(sources.graph, card.mentioned() | set(instruments.values()), card.as_of, languages)
    return card.as_json(names, instruments)


def _containing_instruments(reader: Edges, bases: list[str]) -> Iterator[tuple[str, str]]:
    """Yield for each provision the instrument it stands in, however deep."""
    known = _wholes(reader, bases)
    while frontier := sorted(set(known.values()) - known.keys()):
        above = _wholes(reader, frontier)
        if not above:
            break
        known |= above
    for basis in bases:
        seen = {basis}
        whole = known.get(basis)
        while whole is not None and (higher := known.get(whole)) is not None and higher not in seen:
            seen.add(whole)
            whole = higher
        if whole is not None:
            yield basis, whole


def _wholes(reader: Edges, parts: list[str]) -> dict[str, str]:
    rows = reader.outgoing(parts, (D.partOf,))
    return {part.value: whole.value for part, _, whole, _ in rows if isinstance(whole, ox.NamedNode)}
