"""Decide who holds a role on a resource on a day, and why: a pure function of the evidence.

The twelve steps are described in ``service/docs/answering.md``; the names of the methods follow them. The order of the
evidence never matters: every set is sorted by IRI before it is put out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from graph.model import (
    ALWAYS,
    Candidate,
    Decision,
    Evidence,
    How,
    Interval,
    Line,
    Reach,
    Responsibility,
    Step,
    Transfer,
    Via,
)
from graph.succession import Context, Follower, bounds, fields_of, is_country
from graph.terms import Confidence, D, Role, Status

_REACH_ORDER = {Reach.resource: 0, Reach.members: 1, Reach.scope: 2}
_HOW_ORDER = {How.asserted: 0, How.derived: 1, How.followed: 2}


def decide(evidence: Evidence, role: str, day: date) -> Decision:
    """Answer one role on one day. To ask several roles or days of the same evidence, keep one ``Weighing``."""
    return Weighing(evidence).decide(role, day)


@dataclass(frozen=True, slots=True)
class _Round:
    """Hold what steps 3 to 6 found for one role on one day, verified or claimed."""

    kept: tuple[Candidate, ...]
    earlier: tuple[Responsibility, ...]
    later: tuple[tuple[Responsibility, tuple[str, ...]], ...]
    cycles: tuple[tuple[str, ...], ...]


_NOTHING = _Round((), (), (), ())


class Weighing:
    """Weigh the evidence on one resource; keeps what does not depend on the day, so many days cost little."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.follower = Follower(evidence, fields_of(evidence))
        self._spans: dict[str, Interval] = {}
        self._ancestors: dict[str, tuple[frozenset[str], tuple[str, ...] | None]] = {}
        self._verified: dict[str, tuple[Transfer, ...]] = {}
        self._vias: dict[str, Via | None] = {}
        self._records: dict[tuple[str, bool], list[Responsibility]] = {}
        for iri in sorted(evidence.candidates):
            record = evidence.responsibilities[iri]
            for role in record.roles:
                self._records.setdefault((role, record.verified), []).append(record)

    # --- when the answer can change --------------------------------------------------------------------------------

    def turning_days(self, role: str) -> list[date]:
        """Return the days on which the answer on a role can change, in order: from one to the next it does not.

        Fewer than ``Evidence.boundaries``, as other roles have no say in it. Of each record that claims the role they
        are the days on which it takes and loses effect (step 4, which counts in laws, transfers and parents) and, in
        between, those on which its holders, their heirs or the bodies of a kind come and go (steps 3 and 6). Before
        and after that it makes no difference who would hold by it. Where a scope, an exclusion or a kind of body must
        be matched against areas, the days on which areas change come in; a mandate depends on the accountable.
        """
        days: set[date] = set()
        by_area = mandated = False
        for verified in (True, False):
            for record in self._records.get((role, verified), ()):
                by_area |= self._depends_on_areas(record)
                if self.ancestors(record.iri)[1] is not None:
                    continue
                span = self.effective(record.iri)
                if span.is_empty:
                    continue
                days.update(bounds(span))
                mandated |= self._by_mandate(record.iri)
                if record.holder_kind is not None:
                    holders = {body for bodies in self.evidence.bodies_in.values() for body in bodies}
                else:
                    holders = set(record.holders)
                for holder in holders:
                    days.update(day for day in self.follower.turning_days(holder) if span.contains(day))
        if by_area:
            days.update(self._area_days())
        if mandated and role == Role.executes:
            days.update(self.turning_days(Role.accountable))
        return sorted(days)

    def _area_days(self) -> Iterator[date]:
        """Yield the days on which an area comes or goes, changes its place, or is followed by another."""
        for iri, area in self.evidence.areas.items():
            yield from bounds(area.span)
            for placement in area.placements:
                yield from bounds(placement.span)
            for succession in self.evidence.successions.get(iri, ()):
                if succession.event.day is not None:
                    yield succession.event.day

    def _depends_on_areas(self, record: Responsibility) -> bool:
        if record.excludes or record.holder_kind is not None:
            return True
        evidence = self.evidence
        return evidence.resource not in record.covers and evidence.containers.keys().isdisjoint(record.members_of)

    # --- the answer -------------------------------------------------------------------------------------------------

    def decide(self, role: str, day: date) -> Decision:
        """Answer one role on one day (steps 3 to 11)."""
        found = self._weigh(role, day, verified=True)
        kept = self._under_the_winner(found.kept, day) if role == Role.executes else found.kept
        lines = _merge(kept)
        beaten: tuple[Line, ...] = ()
        contradicted: tuple[Line, ...] = ()
        if len(lines) > 1 and role in self.evidence.exclusive:
            lines, beaten = self._prefer_specific(lines, day)
            lines, lost, contradicted = self._break_ties(lines, day)
            beaten += lost
        claimed = (*self._weigh(role, day, verified=False).kept, *self._unverified_heirs(lines, day))
        claims = _merge(claimed) if claimed else ()
        status = self._status(role, lines, found)
        if status != Status.needs_decision and self._guarded(role, lines, beaten, claims):
            status = Status.needs_decision
        later = sorted(found.later, key=lambda item: (item[0].span.start or date.min, item[0].iri))
        return Decision(
            resource=self.evidence.resource,
            role=role,
            day=day,
            status=status,
            lines=lines,
            beaten=beaten,
            contradicted=contradicted,
            claims=claims,
            earlier=tuple(sorted(record.iri for record in found.earlier)),
            later=tuple(record.iri for record, _ in later),
            next_holders=tuple(sorted(later[0][1])) if later else (),
            cycles=found.cycles,
            premises=self._premises(lines, contradicted, found),
        )

    def _status(self, role: str, lines: tuple[Line, ...], found: _Round) -> str:
        """Name the first status that fits (step 11)."""
        if any(line.undecided for line in lines):
            return Status.needs_decision
        if len(lines) > 1 and role in self.evidence.exclusive:
            return Status.disputed
        if lines:
            if all(line.holders == (D.nobody,) for line in lines):
                return Status.vacant
            return Status.shared if len(lines) == 1 and len(lines[0].holders) > 1 else Status.held
        if found.earlier:
            return Status.expired
        return Status.not_yet if found.later else Status.unknown

    def _guarded(self, role: str, lines: tuple[Line, ...], beaten: tuple[Line, ...], claims: tuple[Line, ...]) -> bool:
        """Say whether a followed winner is called into question by a later record or a claim (step 10)."""
        if role not in self.evidence.exclusive or len(lines) != 1 or lines[0].leading.how is not How.followed:
            return False
        winner = set(lines[0].holders)
        since = lines[0].leading.steps[0].day
        for line in beaten:
            for candidate in line.candidates:
                starts = candidate.record.span.start
                if starts is not None and starts >= since and not set(candidate.holders) <= winner:
                    return True
        return any(
            not candidate.record.verified and not set(candidate.holders) <= winner
            for line in claims
            for candidate in line.candidates
        )

    # --- steps 3 to 6: candidates, intervals, chains, following -----------------------------------------------------

    def _weigh(self, role: str, day: date, *, verified: bool) -> _Round:
        records = self._records.get((role, verified))
        if records is None:
            return _NOTHING
        standing: list[tuple[Responsibility, Via, Interval, tuple[str, ...]]] = []
        earlier: list[Responsibility] = []
        later: list[tuple[Responsibility, tuple[str, ...]]] = []
        cycles: set[tuple[str, ...]] = set()
        for record in records:
            via = self._via(record, day)
            if via is None:
                if self.ancestors(record.iri)[1] is None and self._left(record, day):
                    earlier.append(record)
                continue
            _, cycle = self.ancestors(record.iri)
            if cycle is not None:
                cycles.add(cycle)
                continue
            span = self.effective(record.iri)
            if span.is_empty:
                continue
            holders = record.holders
            if record.holder_kind is not None:
                of_kind = self._of_kind(record.holder_kind, self.follower.context(day))
                if of_kind is None:
                    if self._left(record, day):
                        earlier.append(record)
                    continue
                living, before, after = of_kind
                holders = living
                if not living and span.contains(day):
                    if after:
                        later.append((record, after))
                    elif before:
                        earlier.append(record)
                    continue
            if span.contains(day):
                standing.append((record, via, span, holders))
            elif span.ended_by(day):
                earlier.append(record)
            else:
                later.append((record, holders))
        kept = []
        for record, via, span, holders in standing:
            candidate, coming = self._follow(record, via, span, holders, day)
            if candidate is None:
                later.append((record, coming))
            else:
                kept.append(candidate)
        # a transfer to a body that does not exist yet has replaced nothing, so chains are cut after following
        replaced = self._replaced(candidate.record.iri for candidate in kept)
        kept = [candidate for candidate in kept if candidate.record.iri not in replaced]
        return _Round(tuple(kept), tuple(earlier), tuple(later), tuple(sorted(cycles)))

    def _via(self, record: Responsibility, day: date) -> Via | None:
        """Return what ``_reach`` says, once for all days where the days make no difference."""
        if record.iri in self._vias:
            return self._vias[record.iri]
        via = self._reach(record, self.follower.context(day))
        if not self._depends_on_areas(record):
            self._vias[record.iri] = via
        return via

    def _reach(self, record: Responsibility, context: Context) -> Via | None:
        """Say by what a record reaches the resource on a day, or that it does not (step 3)."""
        evidence = self.evidence
        excludes = record.excludes
        if excludes and (
            evidence.resource in excludes
            or not excludes.isdisjoint(context.fields)
            or not excludes.isdisjoint(context.touched)
            or not excludes.isdisjoint(evidence.containers)
            or any(area in last.touched for area, last in self._ended(excludes, context))
        ):
            return None
        if evidence.resource in record.covers:
            return Via(Reach.resource)
        held_by = [container for container in record.members_of if container in evidence.containers]
        if held_by:
            return Via(Reach.members, container=min(held_by, key=self._container_order))
        if record.covers or record.members_of or not (record.fields or record.areas):
            return None
        fields = record.fields & context.fields
        if record.fields and not fields:
            return None
        if context.areas:
            held = {area for area, last in self._ended(record.areas, context) if area in last.common}
            areas = (record.areas & context.common) | held
        else:
            areas = frozenset(area for area in record.areas if is_country(evidence.areas, area))
        if record.areas and not areas:
            return None
        return Via(Reach.scope, fields=fields, areas=areas)

    def _ended(self, areas: frozenset[str], context: Context) -> Iterator[tuple[str, Context]]:
        """Yield those of the areas of a record that have ended, each with where the resource stood on its last day.

        An area that ended goes on to stand for what lay in it then: who had a duty there has it, or its heir has.
        """
        for iri in areas:
            area = self.evidence.areas.get(iri)
            if area is not None and area.span.end is not None and area.span.end <= context.day:
                yield iri, self.follower.context(area.span.end - timedelta(days=1))

    def _left(self, record: Responsibility, day: date) -> bool:
        """Say whether a record reached the resource before a change of areas took the resource from its scope."""
        if not self._depends_on_areas(record):
            return False
        span = self.effective(record.iri)
        eves = {turning - timedelta(days=1) for turning in self._area_days() if date.min < turning <= day}
        return any(span.contains(eve) and self._applied(record, self.follower.context(eve)) for eve in eves)

    def _applied(self, record: Responsibility, context: Context) -> bool:
        if self._reach(record, context) is None:
            return False
        if record.holder_kind is None:
            return True
        of_kind = self._of_kind(record.holder_kind, context)
        return of_kind is not None and bool(of_kind[0])

    def _container_order(self, container: str) -> tuple[int, str]:
        return -len(self.evidence.containers[container]), container

    def _of_kind(self, kind: str, context: Context) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]] | None:
        """Resolve a kind of body to those living, ended and still to come; none where no such body has the area."""
        living: dict[str, set[str]] = {}
        before: set[str] = set()
        after: set[str] = set()
        for area in context.common:
            for body in self.evidence.bodies_in.get(area, ()):
                holder = self.evidence.holders.get(body)
                if holder is None or kind not in holder.kinds:
                    continue
                span = self.follower.existence(body)
                if span.contains(context.day):
                    living.setdefault(area, set()).add(body)
                elif span.ended_by(context.day):
                    before.add(body)
                else:
                    after.add(body)
        smallest = [
            area
            for area in living
            if not any(other != area and area in self._contains(other, context) for other in living)
        ]
        chosen = {body for area in smallest for body in living[area]}
        if not (chosen or before or after):
            return None
        return tuple(sorted(chosen)), tuple(sorted(before)), tuple(sorted(after))

    def _contains(self, area: str, context: Context) -> frozenset[str]:
        found = context.inside.get(area)
        if found is not None:
            return found
        return self._containers(area, context.day)

    def _containers(self, area: str, day: date) -> frozenset[str]:
        """Return the areas that contain an area on a day; one that ended lies where it lay on its last day."""
        known = self.evidence.areas.get(area)
        if known is not None and known.span.end is not None and known.span.end <= day:
            day = known.span.end - timedelta(days=1)
        return self.follower.containers(area, day)

    def effective(self, iri: str) -> Interval:
        """Return the days on which a responsibility has effect (step 4), without looking at who holds it.

        Its own interval, the laws it lapses with, those of the transfer that made it, and for a delegation or mandate
        its parent's; a mandate also ends with its giver and its holder.
        """
        known = self._spans.get(iri)
        if known is not None:
            return known
        record = self.evidence.responsibilities.get(iri)
        if record is None:
            return ALWAYS
        self._spans[iri] = record.span  # a cycle is dropped before it gets here; this only bounds the recursion
        span = record.span & self._in_force(record.lapses_with)
        for transfer in self._transfers(iri):
            span &= transfer.span & self._in_force(transfer.lapses_with)
            if transfer.kind in (D.delegation, D.mandate):
                for parent in transfer.takes_from:
                    span &= self.effective(parent)
            if transfer.kind == D.mandate:
                for party in (*transfer.transferors, *record.holders):
                    span &= self.follower.existence(party)
        self._spans[iri] = span
        return span

    def _in_force(self, laws: Iterable[str]) -> Interval:
        span = ALWAYS
        seen: set[str] = set()
        queue = list(laws)
        while queue:
            iri = queue.pop()
            law = self.evidence.laws.get(iri)
            if law is None or iri in seen:
                continue
            seen.add(iri)
            span &= law.span
            queue.extend(law.part_of)
        return span

    def _transfers(self, iri: str) -> tuple[Transfer, ...]:
        found = self._verified.get(iri)
        if found is None:
            made = self.evidence.created_by.get(iri, ())
            found = self._verified[iri] = tuple(transfer for transfer in made if transfer.verified)
        return found

    def ancestors(self, iri: str) -> tuple[frozenset[str], tuple[str, ...] | None]:
        """Return the responsibilities a chain of transfers goes back to, and the circle it runs in, if it does."""
        known = self._ancestors.get(iri)
        if known is not None:
            return known
        found: set[str] = set()
        cycle: tuple[str, ...] | None = None
        stack: list[tuple[str, tuple[str, ...]]] = [(iri, (iri,))]
        while stack:
            node, path = stack.pop()
            parents = sorted({parent for transfer in self._transfers(node) for parent in transfer.takes_from})
            for parent in parents:
                if parent in path:
                    circle = _rotate(path[path.index(parent) :])
                    cycle = circle if cycle is None else min(cycle, circle)
                elif parent not in found:
                    found.add(parent)
                    stack.append((parent, (*path, parent)))
        self._ancestors[iri] = frozenset(found), cycle
        return self._ancestors[iri]

    def _replaced(self, kept: Iterable[str]) -> set[str]:
        """Return what the kept responsibilities took over by delegation or devolution, up the chain (step 5)."""
        replaced: set[str] = set()
        for iri in kept:
            for transfer in self._transfers(iri):
                if transfer.kind in (D.delegation, D.devolution):
                    for parent in transfer.takes_from:
                        replaced |= {parent, *self.ancestors(parent)[0]}
        return replaced

    def _by_mandate(self, iri: str) -> bool:
        return any(transfer.kind == D.mandate for transfer in self._transfers(iri))

    def _follow(
        self, record: Responsibility, via: Via, span: Interval, holders: tuple[str, ...], day: date
    ) -> tuple[Candidate | None, tuple[str, ...]]:
        """Find who holds by a record on the day (step 6); no candidate where all its holders are still to come."""
        derived = record.holder_kind is not None or via.reach is not Reach.resource
        how = How.derived if derived else How.asserted
        if record.holder_kind is not None:
            return Candidate(record, via, span, holders, how, undecided=len(holders) != 1), ()
        if Role.executes in record.roles and self._by_mandate(record.iri):
            return Candidate(record, via, span, tuple(sorted(holders)), how, undecided=not holders), ()
        now: set[str] = set()
        lost: set[str] = set()
        steps: list[Step] = []
        coming: list[str] = []
        undecided = not holders
        for holder in holders:
            if self.follower.existence(holder).starts_after(day):
                coming.append(holder)
                continue
            following = self.follower.follow(holder, record.span.start, day)
            now |= following.holders
            lost |= following.lost
            steps.extend(following.steps)
            undecided |= len(following.holders) != 1 or bool(following.lost)
        if coming and len(coming) == len(holders):
            return None, tuple(coming)
        return (
            Candidate(
                record,
                via,
                span,
                tuple(sorted(now)),
                How.followed if steps else how,
                tuple(sorted(set(steps), key=lambda step: (step.day, step.event, step.before, step.after))),
                tuple(sorted(lost)),
                undecided,
            ),
            (),
        )

    def _under_the_winner(self, candidates: tuple[Candidate, ...], day: date) -> tuple[Candidate, ...]:
        """Keep of the mandates those that a record of the accountable answer gave (step 12)."""
        if not any(self._by_mandate(candidate.record.iri) for candidate in candidates):
            return candidates
        answer = self.decide(Role.accountable, day)
        winners = {candidate.record.iri for line in answer.lines for candidate in line.candidates}
        return tuple(
            candidate
            for candidate in candidates
            if not self._by_mandate(candidate.record.iri)
            or not winners.isdisjoint(self.ancestors(candidate.record.iri)[0])
        )

    def _unverified_heirs(self, lines: tuple[Line, ...], day: date) -> tuple[Candidate, ...]:
        """Return what unverified successions say of holders that ended without a known heir, to be shown as claims."""
        return tuple(
            replace(
                candidate,
                holders=(step.after,),
                how=How.followed,
                steps=(*candidate.steps, step),
                undecided=False,
            )
            for line in lines
            for candidate in line.candidates
            for gone in candidate.lost
            for step in self.follower.unverified_heirs(gone, day)
        )

    # --- steps 8 and 9: which line prevails -------------------------------------------------------------------------

    def _prefer_specific(self, lines: tuple[Line, ...], day: date) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
        """Part the lines into those nothing more specific beats, and the beaten (step 8).

        A line is beaten when each of its records is, by whichever other line.
        """
        stay: list[Line] = []
        beaten: list[Line] = []
        for line in lines:
            rivals = [candidate.via for other in lines if other is not line for candidate in other.candidates]
            lost = all(
                any(self._more_specific(rival, candidate.via, day) for rival in rivals) for candidate in line.candidates
            )
            (beaten if lost else stay).append(line)
        return tuple(stay), tuple(beaten)

    def _more_specific(self, via: Via, other: Via, day: date) -> bool:
        if via.reach is not other.reach:
            return _REACH_ORDER[via.reach] < _REACH_ORDER[other.reach]
        if via.reach is Reach.members:
            assert via.container is not None
            return other.container in self.evidence.containers[
                via.container
            ] and via.container not in self.evidence.containers.get(other.container or "", ())
        if via.reach is Reach.scope:
            return self._within(via, other, day) and not self._within(other, via, day)
        return False

    def _within(self, via: Via, other: Via, day: date) -> bool:
        """Say whether one scope lies in another, field and area; a missing part is everything."""
        fields = not other.fields or (
            bool(via.fields) and all(not self._broader(field).isdisjoint(other.fields) for field in via.fields)
        )
        areas = not other.areas or (
            bool(via.areas)
            and all(not self._containers(area, day).isdisjoint(other.areas) for area in via.areas)
        )
        return fields and areas

    def _broader(self, field: str) -> frozenset[str]:
        found = {field}
        queue = [field]
        while queue:
            for broader in self.evidence.broader.get(queue.pop(), ()):
                if broader not in found:
                    found.add(broader)
                    queue.append(broader)
        return frozenset(found)

    def _break_ties(
        self, lines: tuple[Line, ...], day: date
    ) -> tuple[tuple[Line, ...], tuple[Line, ...], tuple[Line, ...]]:
        """Let the better founded line prevail (step 9): the lines left, those beaten, those contradicted.

        Never by later date, by rank of the issuer or by order of loading: two lines left are a dispute.
        """
        beaten: tuple[Line, ...] = ()
        if len(lines) > 1:
            lines, lost = _split(lines, lambda line: all(_imported_undated(c) for c in line.candidates))
            beaten += lost
        if len(lines) > 1:
            lines, lost = _split(lines, lambda line: any(self._overtakes(rival, line, day) for rival in lines))
            beaten += lost
        if len(lines) > 1:
            lines, lost = _split(lines, lambda line: not any(_official(c) for c in line.candidates))
            return lines, beaten, lost
        return lines, beaten, ()

    def _overtakes(self, rival: Line, line: Line, day: date) -> bool:
        """Say whether the rival was recorded, for somebody who exists, not before the event that moved the line."""
        if any(not candidate.steps for candidate in line.candidates):
            return False
        moved_on = max(candidate.steps[0].day for candidate in line.candidates)
        return any(
            not candidate.steps
            and not candidate.undecided
            and candidate.record.span.start is not None
            and candidate.record.span.start >= moved_on
            and all(self.follower.existence(holder).contains(day) for holder in candidate.holders)
            for candidate in rival.candidates
        )

    # --- what the answer rests on -----------------------------------------------------------------------------------

    def _premises(self, lines: tuple[Line, ...], contradicted: tuple[Line, ...], found: _Round) -> tuple[str, ...]:
        """Name the records, transfers and successions an answer rests on; of a silence, what ended or is to come."""
        premises: set[str] = set()
        for line in (*lines, *contradicted):
            for candidate in line.candidates:
                iri = candidate.record.iri
                premises.add(iri)
                premises.update(step.succession for step in candidate.steps)
                for node in (iri, *self.ancestors(iri)[0]):
                    for transfer in self._transfers(node):
                        premises.update((transfer.iri, *transfer.takes_from))
        if not lines:
            premises.update(record.iri for record in found.earlier)
            premises.update(record.iri for record, _ in found.later)
            premises.update(iri for cycle in found.cycles for iri in cycle)
        return tuple(sorted(premises))


def _rotate(circle: tuple[str, ...]) -> tuple[str, ...]:
    """Write a circle so that the same one always reads the same: from its smallest member on."""
    start = circle.index(min(circle))
    return (*circle[start:], *circle[:start])


def _merge(candidates: Iterable[Candidate]) -> tuple[Line, ...]:
    """Join the candidates that lead to the same holders into lines (step 7); the asserted record leads."""
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Candidate]] = {}
    for candidate in candidates:
        lost_ones = candidate.lost if not candidate.holders else ()
        groups.setdefault((candidate.holders, lost_ones), []).append(candidate)
    lines = [Line(tuple(sorted(group, key=_candidate_order))) for group in groups.values()]
    return tuple(sorted(lines, key=lambda line: (_candidate_order(line.leading), line.holders)))


def _candidate_order(candidate: Candidate) -> tuple[bool, int, int, str, tuple[str, ...]]:
    return (
        candidate.undecided,
        _HOW_ORDER[candidate.how],
        _REACH_ORDER[candidate.via.reach],
        candidate.record.iri,
        candidate.holders,
    )


def _imported_undated(candidate: Candidate) -> bool:
    return candidate.record.at_the_door and candidate.record.span.start is None


def _official(candidate: Candidate) -> bool:
    return candidate.confidence in Confidence.OFFICIAL


def _split(lines: tuple[Line, ...], loses: Callable[[Line], bool]) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """Part the lines into those that stay and those that lose, unless all would lose."""
    stay = tuple(line for line in lines if not loses(line))
    if not stay:
        return lines, ()
    return stay, tuple(line for line in lines if line not in stay)
