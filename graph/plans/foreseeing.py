"""Compare the register with and without a plan: what moves, to whom and why, what gets unclear, what is found.

The plan is applied to a copy of a checkpoint, which nobody else reads; what it can reach is derived anew there and held
against what stands in the checkpoint. Days compared are the eve of the plan, each day on which it does something, and
each later day on which an answer changes because of it.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from graph import reach, standing
from graph.findings import Finding, Findings
from graph.model import Interval
from graph.plans.drafting import Draft
from graph.projections import scope_keys
from graph.rechecking import focus_nodes
from graph.sources import Declaration
from graph.store import Reader, Store
from graph.terms import RDF, RECORD_CLASSES, SKOS, XSD, D, Graphs, Role, Status

Progress = Callable[[str, int, int | None], None]

_CHUNK: Final = 2_000
_RECORDED: Final = ox.NamedNode(D.recordedAt)
_SOURCES: Final = ox.NamedNode(Graphs.sources)
_STANDINGS: Final = ox.NamedNode(Graphs.standings)
_SAID: Final = frozenset({D.about, D.role, D.status, D.holder, D.from_, D.until, D.premise})


@dataclass(frozen=True, slots=True)
class State:
    """Hold an answer on a day: its status and whom it names."""

    status: str
    holders: tuple[str, ...] = ()


UNKNOWN: Final = State(Status.unknown)


@dataclass(frozen=True, slots=True)
class Move:
    """Say that an answer is another with the plan from ``day`` until ``until`` (``None``: open).

    ``why`` are the records of the plan that the new answer rests on, or the events that end what the old one rested on.
    """

    resource: str
    role: str
    day: date
    until: date | None
    before: State
    after: State
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lapse:
    """Say that a mandate lapses with the plan: whose it was, who ends."""

    transfer: str
    holder: str
    ended: str
    day: date


@dataclass(frozen=True, slots=True)
class Meaning:
    """Say that a code means something else from a day on; ``None`` is nothing."""

    scheme: str
    code: str
    day: date
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """Say that a finding opens or closes with the plan; ``span`` are its days as they then are."""

    finding: Finding
    opens: bool


@dataclass(slots=True)
class Foresight:
    """Hold what a plan would do to one revision of the register."""

    draft: Draft
    revision: int
    days: tuple[date, ...] = ()
    reached: int = 0
    moves: list[Move] = field(default_factory=list)
    lapses: list[Lapse] = field(default_factory=list)
    meanings: list[Meaning] = field(default_factory=list)
    findings: list[Opened] = field(default_factory=list)
    staying: Counter[str] = field(default_factory=Counter)
    tell: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def on(self, day: date) -> list[Move]:
        """Return the moves that hold on a day."""
        return [move for move in self.moves if Interval(move.day, move.until).contains(day)]

    def with_status(self, *statuses: str) -> list[Move]:
        """Return the moves to an answer of one of the statuses."""
        return [move for move in self.moves if move.after.status in statuses]


def copy_of(checkpoint: Path, target: Path) -> Path:
    """Copy the folder of an embedded store so that the copy can be written: what never changes is linked."""
    target.mkdir(parents=True)
    for path in checkpoint.iterdir():
        if path.suffix == ".sst":
            try:
                os.link(path, target / path.name)
                continue
            except OSError:  # another disk
                pass
        if path.is_file() and path.name != "LOCK":
            shutil.copyfile(path, target / path.name)
    return target


def statements_of(draft: Draft, recorded: str) -> Iterator[ox.Quad]:
    """Yield what applying a plan adds to the graph: its statements, their clock, what the register notes."""
    source = ox.NamedNode(draft.source)
    clock = ox.Literal(recorded, datatype=ox.NamedNode(XSD.dateTime))
    yield from draft.quads()
    for subject, said, value in draft.facts:
        if said == RDF.type and value.value in RECORD_CLASSES:
            yield ox.Quad(ox.NamedNode(subject), _RECORDED, clock, source)
    yield ox.Quad(source, ox.NamedNode(RDF.type), ox.NamedNode(D.Plan), _SOURCES)
    yield ox.Quad(source, ox.NamedNode(D.confidence), ox.NamedNode(draft.confidence), _SOURCES)
    for line in sorted(Declaration(ends=draft.ends).ends_lines(draft.source)):
        yield next(iter(ox.parse(input=f"{line} .", format=ox.RdfFormat.N_QUADS)))


def foresee(
    before: Reader, scratch: Store, draft: Draft, findings: Findings | None, recorded: str,
    progress: Progress | None = None,
) -> Foresight:  # fmt: skip
    """Apply the plan to ``scratch``, a copy of ``before``, and compare; ``recorded`` is an instant in Z."""
    tell = progress or (lambda step, done, total: None)
    revision = before.revision
    foresight = Foresight(draft, revision)
    added = list(statements_of(draft, recorded))
    scratch.apply((), added, revision)
    fresh = {subject for subject, said, value in draft.facts if said == RDF.type and value.value in RECORD_CLASSES}
    keys = list(scope_keys(scratch, sorted(fresh)))
    scratch.apply((), keys, revision)
    touched = reach.touched(scratch, (), added)
    resources = standing.described(scratch) if touched is None else sorted(touched)
    changed = _Changed(draft)
    removed_standings: list[ox.Quad] = []
    added_standings: list[ox.Quad] = []
    for start in range(0, len(resources), _CHUNK):
        tell("standings", start, len(resources))
        chunk = resources[start : start + _CHUNK]
        gone, come = standing.changes(scratch, chunk)
        if gone or come:
            scratch.apply(gone, come, revision)
            changed.compare(before, scratch, chunk)
            removed_standings += gone
            added_standings += come
    foresight.reached = len(resources)
    foresight.moves = changed.moves()
    foresight.days = _days(draft, foresight.moves)
    foresight.lapses = list(_lapses(scratch, draft))
    foresight.meanings = list(_meanings(before, draft))
    if findings is not None:
        tell("findings", 0, None)
        _compare_findings(
            before, scratch, findings, [*removed_standings], [*added, *keys, *added_standings], foresight
        )
    foresight.tell = _to_tell(scratch, foresight)
    return foresight


# --- answers --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Standing:
    """Hold a standing as it stands in the graph."""

    about: str = ""
    role: str = ""
    status: str = ""
    start: str = ""
    end: str = "9999-99-99"
    holders: list[str] = field(default_factory=list)
    premises: list[str] = field(default_factory=list)

    @property
    def state(self) -> State:
        return State(self.status, tuple(sorted(self.holders)))


class _Changed:
    """Hold the standings that differ against those there were, interval by interval."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self._found: list[Move] = []

    def compare(self, before: Reader, after: Reader, resources: Sequence[str]) -> None:
        """Take down where the standings of these resources differ."""
        slots: dict[tuple[str, str], tuple[list[_Standing], list[_Standing]]] = {}
        for number, reader in enumerate((before, after)):
            for said in _standings(reader, resources):
                slots.setdefault((said.about, said.role), ([], []))[number].append(said)
        for (resource, role), (was, becomes) in sorted(slots.items()):
            self._found += self._moves(resource, role, was, becomes)

    def _moves(self, resource: str, role: str, was: list[_Standing], becomes: list[_Standing]) -> Iterator[Move]:
        days = sorted({said.start for said in (*was, *becomes)} | {said.end for said in (*was, *becomes)})
        last: Move | None = None
        for start, end in zip(days, days[1:], strict=False):
            before, after = _on(was, start), _on(becomes, start)
            old = before.state if before else UNKNOWN
            new = after.state if after else UNKNOWN
            if old == new:
                if last:
                    yield last
                last = None
                continue
            day = date.fromisoformat(start) if start else date.min
            until = None if end.startswith("9999") else date.fromisoformat(end)
            if last and (last.before, last.after) == (old, new) and last.until == day:
                last = Move(resource, role, last.day, until, old, new, last.why)
                continue
            if last:
                yield last
            last = Move(resource, role, day, until, old, new, self._why(after, before))
        if last:
            yield last

    def _why(self, after: _Standing | None, before: _Standing | None) -> tuple[str, ...]:
        own = self.draft.source + "/"
        found = [premise for premise in (after.premises if after else ()) if premise.startswith(own)]
        if not found and before is not None:
            ended = {*before.holders, *before.premises} & self.draft.ends.keys()
            found = [
                event for event, said, value in self.draft.facts if said == D.ends and value.value in ended
            ]
        return tuple(sorted(set(found)))

    def moves(self) -> list[Move]:
        """Return the moves that last into the plan's time; before it, it only makes known what will come."""
        first = self.draft.effective
        lasting = (move for move in self._found if move.until is None or move.until > first)
        return sorted(lasting, key=lambda move: (move.day, move.resource, move.role))


def _standings(reader: Reader, resources: Sequence[str]) -> Iterator[_Standing]:
    nodes = sorted({subject.value for subject, _, _, _ in reader.incoming(resources, (D.about,))})
    found: dict[str, _Standing] = {}
    for subject, predicate, value, graph in reader.outgoing(nodes):
        said = predicate.value
        if graph != _STANDINGS or said not in _SAID:
            continue
        one = found.setdefault(subject.value, _Standing())
        if said == D.about:
            one.about = value.value
        elif said == D.role:
            one.role = value.value
        elif said == D.status:
            one.status = value.value
        elif said == D.from_:
            one.start = value.value
        elif said == D.until:
            one.end = value.value
        elif said == D.holder:
            one.holders.append(value.value)
        else:
            one.premises.append(value.value)
    yield from found.values()


def _on(standings: Iterable[_Standing], day: str) -> _Standing | None:
    return next((said for said in standings if said.start <= day < said.end), None)


def _days(draft: Draft, moves: Iterable[Move]) -> tuple[date, ...]:
    eve = draft.effective - timedelta(days=1)
    turning = {day for move in moves for day in (move.day, move.until) if day is not None and day > eve}
    return tuple(sorted({eve, *draft.days, *turning}))


# --- what else follows ----------------------------------------------------------------------------------------------


def _lapses(reader: Reader, draft: Draft) -> Iterator[Lapse]:
    """Yield the mandates whose giver or holder ends: an office that is gone can neither give nor hold one."""
    ended = sorted(draft.ends)
    given: dict[str, set[str]] = {}
    for transfer, _, giver, _ in reader.incoming(ended, (D.transferor,)):
        given.setdefault(transfer.value, set()).add(giver.value)
    for record, _, holder, _ in reader.incoming(ended, (D.holder,)):
        for transfer, _, _, _ in reader.incoming([record.value], (D.creates,)):
            given.setdefault(transfer.value, set()).add(holder.value)
    kinds = reader.outgoing(sorted(given), (D.transferKind,))
    mandates = sorted({transfer.value for transfer, _, kind, _ in kinds if kind.value == D.mandate})
    for transfer in mandates:
        created = [record.value for _, _, record, _ in reader.outgoing([transfer], (D.creates,))]
        holders = sorted({holder.value for _, _, holder, _ in reader.outgoing(created, (D.holder,))})
        for who in sorted(given[transfer]):
            day = draft.ends[who]
            until = [value.value for _, _, value, _ in reader.outgoing([transfer, *created], (D.until,))]
            if not until or min(until) > day.isoformat():
                yield Lapse(transfer, holders[0] if holders else D.nobody, who, day)


def _meanings(before: Reader, draft: Draft) -> Iterator[Meaning]:
    """Yield the codes that mean something else, or nothing, once the plan holds."""
    said: dict[str, dict[str, str]] = {}
    for subject, predicate, value in draft.facts:
        if predicate in (D.codeOf, SKOS.notation, SKOS.inScheme, D.from_):
            said.setdefault(subject, {})[predicate] = value.value
    made = {
        (one[SKOS.inScheme], one[SKOS.notation]): (one[D.codeOf], date.fromisoformat(one[D.from_]))
        for one in said.values() if D.codeOf in one
    }  # fmt: skip
    gone: dict[tuple[str, str], tuple[str, date]] = {}
    ended = sorted(draft.ends)
    records = {record.value: holder.value for record, _, holder, _ in before.incoming(ended, (D.codeOf,))}
    for record in ended:
        for _, _, holder, _ in before.outgoing([record], (D.codeOf,)):
            records[record] = holder.value
    facts: dict[str, dict[str, str]] = {}
    for subject, predicate, value, _ in before.outgoing(sorted(records), (SKOS.notation, SKOS.inScheme, D.until)):
        facts.setdefault(subject.value, {})[predicate.value] = value.value
    for record, holder in records.items():
        one = facts.get(record, {})
        day = draft.ends.get(record) or draft.ends[holder]
        if SKOS.notation in one and SKOS.inScheme in one and one.get(D.until, "9999") > day.isoformat():
            gone[one[SKOS.inScheme], one[SKOS.notation]] = (holder, day)
    for scheme, code in sorted({*made, *gone}):
        comes, goes = made.get((scheme, code)), gone.get((scheme, code))
        bearer, holder = comes and comes[0], goes and goes[0]
        if bearer != holder:
            first = min(one[1] for one in (comes, goes) if one is not None)
            yield Meaning(scheme, code, first, holder, bearer)


def _compare_findings(
    before: Reader, after: Store, findings: Findings, removed: Sequence[ox.Quad], added: Sequence[ox.Quad],
    foresight: Foresight,
) -> None:  # fmt: skip
    """Find what the rules say with the plan and did not without it, and the other way round, once it takes effect."""
    first = foresight.draft.effective
    for root, nodes in focus_nodes(after, removed, added, findings.checker, findings.roots).items():
        was = _by_fault(findings.of(before, root, nodes), first)
        becomes = _by_fault(findings.of(after, root, nodes), first)
        for fault in sorted({*was, *becomes}):
            old, new = was.get(fault, []), becomes.get(fault, [])
            if _spans(old) == _spans(new):
                foresight.staying.update(finding.rule for finding in new)
                continue
            for finding, opens in _differences(old, new):
                foresight.findings.append(Opened(finding, opens))


def _by_fault(findings: Iterable[Finding], first: date) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.span.end is None or finding.span.end > first:
            found.setdefault(finding.fault, []).append(finding)
    return found


def _spans(findings: Iterable[Finding]) -> list[tuple[date | None, date | None]]:
    return sorted(((one.span.start, one.span.end) for one in findings), key=str)


def _differences(old: list[Finding], new: list[Finding]) -> Iterator[tuple[Finding, bool]]:
    """Yield the findings whose days are only in the one or the other: those that open, then those that close."""
    for finding in new:
        if not any(_covers(other.span, finding.span) for other in old):
            yield finding, True
    for finding in old:
        if not any(_covers(other.span, finding.span) for other in new):
            yield finding, False


def _covers(outer: Interval, inner: Interval) -> bool:
    return outer & inner == inner


def _to_tell(reader: Reader, foresight: Foresight) -> dict[str, tuple[str, ...]]:
    """Return whom to tell, body → resources: who had or gets them, and who answers for what they feed."""
    found: dict[str, set[str]] = {}
    moved = sorted({move.resource for move in foresight.moves})
    for move in foresight.moves:
        for holder in (*move.before.holders, *move.after.holders):
            if holder != D.nobody:
                found.setdefault(holder, set()).add(move.resource)
    for start in range(0, len(moved), _CHUNK):
        fed: dict[str, set[str]] = {}
        chunk = moved[start : start + _CHUNK]
        flows = {flow.value: source.value for flow, _, source, _ in reader.incoming(chunk, (D.flowFrom,))}
        for flow, _, target, _ in reader.outgoing(sorted(flows), (D.flowTo,)):
            fed.setdefault(target.value, set()).add(flows[flow.value])
        for target, holders in _accountable(reader, sorted(fed), foresight.draft.effective).items():
            for holder in holders:
                found.setdefault(holder, set()).update(fed[target])
    return {body: tuple(sorted(resources)) for body, resources in sorted(found.items())}


def _accountable(reader: Reader, resources: Collection[str], day: date) -> dict[str, tuple[str, ...]]:
    written = day.isoformat()
    return {
        one.about: one.state.holders
        for one in _standings(reader, sorted(resources))
        if one.role == Role.accountable and one.start <= written < one.end
    }  # fmt: skip
