"""Follow areas and holders through the events that ended or changed them, on paper: no store, no clock.

Steps 2 and 6 of the answering algorithm (``service/docs/answering.md``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from graph.model import ALWAYS, Area, Evidence, Interval, Step, Succession
from graph.terms import D, Level


@dataclass(frozen=True, slots=True)
class Context:
    """Describe where a resource stands on one day: its fields, its areas, and what those lie in.

    ``inside`` maps each area to every area that contains it, itself included; ``common`` are the areas that contain
    all of ``areas`` (empty where no area is known).
    """

    day: date
    fields: frozenset[str]
    areas: frozenset[str]
    inside: Mapping[str, frozenset[str]]
    common: frozenset[str]
    touched: frozenset[str]


def is_country(areas: Mapping[str, Area], iri: str) -> bool:
    """Say whether an area is a country: of central level, or, where no level is stated, in nothing else."""
    area = areas.get(iri)
    if area is None:
        return True
    if area.level is not None:
        return area.level == Level.central
    return not area.placements


def containers(areas: Mapping[str, Area], iri: str, day: date) -> frozenset[str]:
    """Return the areas that contain an area on a day, itself included, by the placements valid then."""
    found = {iri}
    queue = [iri]
    while queue:
        area = areas.get(queue.pop())
        for placement in area.placements if area else ():
            if placement.under not in found and placement.span.contains(day):
                found.add(placement.under)
                queue.append(placement.under)
    return frozenset(found)


def areas_on(evidence: Evidence, day: date) -> frozenset[str]:
    """Return the areas a resource is managed in on a day: one that ended counts as the set of its successors.

    An area that ended without known successors stays, for want of better; see ``context`` for what may contain it.
    """
    found: set[str] = set()
    seen: set[tuple[str, date, frozenset[str]]] = set()
    queue = [(iri, date.min, frozenset((iri,))) for iri in evidence.managed_in]
    while queue:
        iri, since, way = queue.pop()
        if (iri, since, way) in seen:
            continue
        seen.add((iri, since, way))
        heirs = _area_heirs(evidence, iri, since, day, way)
        if heirs:
            queue.extend((heir, moved, way | {heir}) for heir, moved in heirs)
        else:
            found.add(iri)
    return frozenset(found)


def _area_heirs(
    evidence: Evidence, iri: str, since: date, day: date, way: frozenset[str]
) -> list[tuple[str, date]]:
    """Return the areas that took over from one between two days, each with the day.

    Of an area that ended all its heirs; of one that goes on those to which it gave an area on the way here, as where a
    commune that was merged into another is established again.
    """
    area = evidence.areas.get(iri)
    if area is None:
        return []
    ended = area.span.ended_by(day)
    heirs = []
    for succession in evidence.successions.get(iri, ()):
        moved = succession.event.day
        if not succession.verified or moved is None or moved > day or succession.successor == D.nobody:
            continue
        if moved >= since if ended else (moved > since and not succession.areas.isdisjoint(way)):
            heirs.append((succession.successor, moved))
    return heirs


def fields_of(evidence: Evidence) -> frozenset[str]:
    """Return the fields of a resource: its themes and everything broader."""
    found = set(evidence.themes)
    queue = list(found)
    while queue:
        for broader in evidence.broader.get(queue.pop(), ()):
            if broader not in found:
                found.add(broader)
                queue.append(broader)
    return frozenset(found)


def context(evidence: Evidence, fields: frozenset[str], day: date) -> Context:
    """Place a resource on a day (step 2).

    An area that ended without known successors lies, as far as the register knows, in its country only.
    """
    areas = areas_on(evidence, day)
    inside: dict[str, frozenset[str]] = {}
    for iri in areas:
        area = evidence.areas.get(iri)
        if area is not None and area.span.end is not None and area.span.end <= day:
            last = containers(evidence.areas, iri, area.span.end - timedelta(days=1))
            inside[iri] = frozenset(a for a in last if a == iri or is_country(evidence.areas, a))
        else:
            inside[iri] = containers(evidence.areas, iri, day)
    common = frozenset.intersection(*inside.values()) if inside else frozenset()
    touched = frozenset().union(*inside.values()) if inside else frozenset()
    return Context(day, fields, areas, inside, common, touched)


def bounds(span: Interval) -> tuple[date, ...]:
    """Return the days on which an interval begins and ends, as far as it does."""
    return tuple(day for day in (span.start, span.end) if day is not None)


def existence(evidence: Evidence, holder: str) -> Interval:
    """Return the days on which a holder exists; a post exists while its body does."""
    span = ALWAYS
    seen: set[str] = set()
    node: str | None = holder
    while node is not None and node not in seen:
        seen.add(node)
        known = evidence.holders.get(node)
        if known is None:
            break
        span &= known.span
        node = known.body
    return span


@dataclass(frozen=True, slots=True)
class Following:
    """Say where a holder's duties went: the holders on the day, the steps, and who ended without a known heir."""

    holders: frozenset[str]
    steps: tuple[Step, ...]
    lost: frozenset[str]


def step_of(succession: Succession, day: date) -> Step:
    """Write a succession, whose event was on ``day``, as a step of following."""
    return Step(
        event=succession.event.iri,
        day=day,
        before=succession.predecessor,
        after=succession.successor,
        succession=succession.iri,
        confidence=succession.confidence,
    )


_NONE: frozenset[str] = frozenset()


class Follower:
    """Follow holders of one resource's records to a day (step 6)."""

    def __init__(self, evidence: Evidence, fields: frozenset[str]) -> None:
        self.evidence = evidence
        self.fields = fields
        self._contexts: dict[date, Context] = {}
        self._containers: dict[tuple[str, date], frozenset[str]] = {}
        self._existence: dict[str, Interval] = {}

    def existence(self, holder: str) -> Interval:
        """Return the days on which a holder exists."""
        found = self._existence.get(holder)
        if found is None:
            found = self._existence[holder] = existence(self.evidence, holder)
        return found

    def context(self, day: date) -> Context:
        found = self._contexts.get(day)
        if found is None:
            found = self._contexts[day] = context(self.evidence, self.fields, day)
        return found

    def containers(self, area: str, day: date) -> frozenset[str]:
        """Return the areas that contain an area on a day, itself included."""
        key = (area, day)
        found = self._containers.get(key)
        if found is None:
            found = self._containers[key] = containers(self.evidence.areas, area, day)
        return found

    def follow(self, holder: str, start: date | None, day: date) -> Following:
        """Walk the events that concern a holder after ``start`` and up to ``day``, in order of day.

        A holder that goes on after an event loses to it only what a matching field or area names; at the event
        it ends with, the best matching condition wins (both, field, area, residual). Days only grow along a path, so
        no succession is used twice and the walk ends, even where a body is established again.
        """
        if holder not in self.evidence.successions:
            itself = frozenset((holder,))
            gone = holder != D.nobody and self.existence(holder).ended_by(day)
            return Following(_NONE, (), itself) if gone else Following(itself, (), _NONE)
        holders: set[str] = set()
        lost: set[str] = set()
        steps: list[Step] = []
        queue: list[tuple[str, date | None]] = [(holder, start)]
        seen: set[tuple[str, date | None]] = set()
        while queue:
            node, after = queue.pop()
            if (node, after) in seen:
                continue
            seen.add((node, after))
            moves = None if node == D.nobody else self._moves(node, after, day)
            if moves:
                for succession in moves:
                    moved_on = succession.event.day
                    assert moved_on is not None  # _moves yields dated events only
                    steps.append(step_of(succession, moved_on))
                    queue.append((succession.successor, moved_on))
            elif node != D.nobody and self.existence(node).ended_by(day):
                lost.add(node)
            else:
                holders.add(node)
        steps.sort(key=lambda step: (step.day, step.event, step.before, step.after))
        return Following(frozenset(holders), tuple(steps), frozenset(lost))

    def _moves(self, node: str, after: date | None, day: date) -> list[Succession] | None:
        """Return the successions that move what ``node`` holds, at the first event that moves it; none if it stays."""
        by_day: dict[date, list[Succession]] = {}
        for succession in self.evidence.successions.get(node, ()):
            moved_on = succession.event.day
            if (
                succession.verified
                and succession.event.verified
                and moved_on is not None
                and moved_on <= day
                and (after is None or moved_on > after)
            ):
                by_day.setdefault(moved_on, []).append(succession)
        for moved_on in sorted(by_day):
            survives = not self.existence(node).ended_by(moved_on)
            ranked = [(self._match(succession, moved_on), succession) for succession in by_day[moved_on]]
            floor = 1 if survives else max(0, *(rank for rank, _ in ranked))
            moves = [succession for rank, succession in ranked if rank >= floor]
            if moves:
                return sorted(moves, key=lambda succession: succession.iri)
        return None

    def _match(self, succession: Succession, moved_on: date) -> int:
        """Rank how a succession fits: 3 field and area, 2 field, 1 area, 0 residual, -1 a condition that fails."""
        fits_field = bool(succession.fields & self.fields)
        fits_area = bool(succession.areas & self.context(moved_on).touched) if succession.areas else False
        if (succession.fields and not fits_field) or (succession.areas and not fits_area):
            return -1
        return 2 * fits_field + fits_area

    def turning_days(self, holder: str) -> frozenset[date]:
        """Return the days on which what becomes of a holder's duties can change, wherever they may have gone.

        These are the first and last days of the holder, of a post's body and of every possible heir, and the days of
        the events by which they would go on.
        """
        days: set[date] = set()
        seen: set[str] = set()
        queue = [holder]
        while queue:
            node = queue.pop()
            if node in seen:
                continue
            seen.add(node)
            days.update(bounds(self.existence(node)))
            for succession in self.evidence.successions.get(node, ()):
                if succession.event.day is not None:
                    days.add(succession.event.day)
                queue.append(succession.successor)
        return frozenset(days)

    def unverified_heirs(self, holder: str, day: date) -> list[Step]:
        """Return the steps said, without verification, to lead on from a holder that ended, sorted by succession."""
        return sorted(
            (
                step_of(succession, succession.event.day)
                for succession in self.evidence.successions.get(holder, ())
                if not (succession.verified and succession.event.verified)
                if succession.event.day is not None and succession.event.day <= day
                if self._match(succession, succession.event.day) >= 0
            ),
            key=lambda step: step.succession,
        )
