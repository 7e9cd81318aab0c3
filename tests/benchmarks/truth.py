"""Work out who is accountable from the generator's own structures, and list the faults that were put in.

This is a second reading of the answering steps, made for the structures of ``world`` and ``datasets``; it shares
nothing with the answering code but the names of the terms, so that the two can be held against one another.
Where it is naive it is so on purpose.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from graph.terms import Confidence, D, Role, Status

from .datasets import KNOWN_AT, Dataset, Plans
from .world import NS, Area, Body, Claim, Field, Succession, World

#: before both reorganisations, and long after
EARLY: Final = "2025-02-28"
LATE: Final = "2026-11-01"

#: at most so many datasets get their expected answers written down
SAMPLE: Final = 2000

_FINDINGS: Final = {
    Status.disputed: "more-than-one-accountable",
    Status.needs_decision: "succession-undecided",
    Status.vacant: "no-accountable",
    Status.expired: "no-accountable",
    Status.not_yet: "no-accountable",
    Status.unknown: "no-claim",
}
_FAR: Final = "9999-12-31"


@dataclass(slots=True)
class _Kept:
    """A candidate whose interval holds the day: what it names now, how special it is, how it came here."""

    claim: Claim
    #: one set per holder: who holds it now
    now: frozenset[frozenset[str]]
    #: 0 names the dataset, 1 and more the distance of a series or catalogue; None is a scope
    distance: int | None
    #: matched (field, area) of a scope; None is everything
    matched: list[tuple[Field | None, Area | None]]
    #: day of the last event through which a holder was followed
    moved: str | None
    #: official text tells of the claim and of every succession on the way
    official: bool


#: candidates by what they name now
_Lines = dict[frozenset[frozenset[str]], list[_Kept]]


class Oracle:
    """Answer for a role ``accountable`` on any day, and as known at an instant."""

    def __init__(self, world: World, plans: Plans) -> None:
        self.world = world
        self.plans = plans
        self.bodies = {body.iri: body for body in world.bodies}

    # ---- context ---------------------------------------------------------------------------------------------------
    def _current(self, area: Area, on: str) -> list[Area]:
        if area.end is not None and area.end <= on:
            return [found for heir in area.heirs for found in self._current(heir, on)]
        return [area]

    @staticmethod
    def _containers(area: Area, on: str) -> list[Area]:
        """Return the area and what it is placed in on a day, small first; a placement lives as long as its area."""
        chain = [area]
        while (above := chain[-1].above) is not None:
            here = chain[-1]
            if (here.start is not None and here.start > on) or (here.end is not None and here.end <= on):
                break
            chain.append(above)
        return chain

    def answer(self, plan: Dataset, on: str, known: str | None = None) -> tuple[str, list[str]]:
        """Return status and holders (IRIs, sorted) of role accountable on a day."""
        return self._decided(plan, on, known)[:2]

    def executes(self, plan: Dataset, on: str, known: str | None = None) -> tuple[str, list[str]]:
        """Return the same of role executes: all whose mandate stands and hangs under the accountable answer."""
        winners = self._decided(plan, on, known)[2]
        holders: set[str] = set()
        ended = later = False
        for claim in plan.claims:
            if claim.role != Role.executes or claim.confidence not in Confidence.VERIFIED:
                continue
            interval = self._interval(claim, ())
            if interval is None:
                continue
            if interval[0] > on:
                later = True
            elif interval[1] <= on:
                ended = True
            else:
                above = claim.parent
                while above is not None and above.iri not in winners:
                    above = above.parent
                if above is not None and claim.post is not None:
                    holders.add(claim.post)
        if holders:
            return Status.held, sorted(holders)
        return (Status.expired if ended else Status.not_yet if later else Status.unknown), []

    def _decided(self, plan: Dataset, on: str, known: str | None) -> tuple[str, list[str], set[str]]:
        """Return status, holders and the records that the answer stands on."""
        fields = {entry.iri: entry for theme in plan.themes for entry in theme.ancestry()}
        members = {area.iri: area for given in plan.areas for area in self._current(given, on)}
        around = self._around(plan, on)
        before = {eve: self._around(plan, eve) for eve in self._eves(plan, on)}
        # an area that ended stands for what lay in it on its last day
        gone = [area for eve, there in before.items() for area in there if area.end and _eve(area.end) == eve]
        claims = self._claims(plan, fields, around, gone, known)
        candidates = {claim.iri for claim, _, _ in claims}
        verified = [one for one in claims if one[0].confidence in Confidence.VERIFIED]
        unverified = [one for one in claims if one[0].confidence not in Confidence.VERIFIED]

        ended = later = False
        for eve, there in before.items():  # what a change of areas took out of a scope ended, whatever its own days
            for claim, _, _ in self._claims(plan, fields, there, [], known):
                known_days = self._interval(claim, ())
                lost = claim.iri not in candidates or not self._of_anybody(claim, around, on)
                if lost and claim.confidence in Confidence.VERIFIED and known_days is not None:
                    held = claim.holder_kind is None or bool(self._of_kind(claim.holder_kind, there, eve)[0])
                    ended |= held and known_days[0] <= eve < known_days[1]
        standing: list[tuple[Claim, int | None, list[tuple[Field | None, Area | None]]]] = []
        for claim, distance, matched in verified:
            interval = self._interval(claim, ())
            if interval is None or not self._of_anybody(claim, around, on):
                continue
            if interval[0] > on:
                later = True
            elif interval[1] <= on:
                ended = True
            else:
                standing.append((claim, distance, matched))

        passed_on = set()
        for claim, _, _ in standing:
            if claim.made_by in (D.delegation, D.devolution):
                above = claim.parent
                while above is not None and above.iri not in passed_on:
                    passed_on.add(above.iri)
                    above = above.parent

        kept: list[_Kept] = []
        for claim, distance, matched in standing:
            if claim.iri in passed_on:
                continue
            if claim.holder_kind is not None:
                found, before, after = self._of_kind(claim.holder_kind, around, on)
                if found:
                    sets = frozenset(frozenset([iri]) for iri in found)
                    kept.append(_Kept(claim, sets, distance, matched, None, claim.confidence in Confidence.OFFICIAL))
                ended, later = ended or before, later or after
                continue
            now: list[frozenset[str]] = []
            moved: str | None = None
            absent, official = False, claim.confidence in Confidence.OFFICIAL
            for holder in claim.holders:
                if holder is None:
                    now.append(frozenset([D.nobody]))
                    continue
                if holder.start is not None and holder.start > on:
                    absent = True
                    break
                reached, by, told = self._follow(holder, claim.start or "", on, fields, members)
                official = official and told
                now.append(frozenset(reached))
                moved = max(filter(None, (moved, by)), default=None)
            if absent:
                later = True
                continue
            kept.append(_Kept(claim, frozenset(now), distance, matched, moved, official))
        return self._decide(kept, unverified, ended, later, on)

    def _around(self, plan: Dataset, on: str) -> list[Area]:
        """Return the areas that hold all of the data on a day, small first."""
        members = {area.iri: area for given in plan.areas for area in self._current(given, on)}
        chains = [self._containers(area, on) for area in members.values()]
        if not chains:
            return []
        shared = set.intersection(*({area.iri for area in chain} for chain in chains))
        return [area for area in chains[0] if area.iri in shared]

    def _eves(self, plan: Dataset, on: str) -> list[str]:
        """Return the last days of areas that the data lay in and that ended by a day."""
        days: set[str] = set()
        waiting, seen = list(plan.areas), set[str]()
        while waiting:
            area = waiting.pop()
            if area.iri in seen:
                continue
            seen.add(area.iri)
            if area.end is not None and area.end <= on:
                days.add(_eve(area.end))
            waiting += [*area.heirs, *([area.above] if area.above is not None else [])]
        return sorted(days)

    # ---- candidates ------------------------------------------------------------------------------------------------
    def _claims(
        self, plan: Dataset, fields: dict[str, Field], around: list[Area], gone: list[Area], known: str | None
    ) -> list[tuple[Claim, int | None, list[tuple[Field | None, Area | None]]]]:
        named = plan.claims
        if known is not None:
            named = [
                claim
                for claim in [*plan.claims, *plan.past]
                if (claim.recorded or "") <= known < (claim.withdrawn or _FAR)
            ]
        found: list[tuple[Claim, int | None, list[tuple[Field | None, Area | None]]]] = [
            (claim, 0, []) for claim in named if claim.role == Role.accountable
        ]
        distance = 1
        series = plan.series
        while series is not None:
            if series.claim is not None:
                found.append((series.claim, distance, []))
            wide = series.above
            series = self.plans.wider(int(wide.rsplit("-", 1)[1])) if wide is not None else None
            distance += 1
        if plan.portal is not None:
            found.append((self.plans.portal(plan.portal), 1, []))
        scopes: dict[str, tuple[Claim, list[tuple[Field | None, Area | None]]]] = {}
        # no area known: a condition on the country matches, one on anything below does not
        places = [*around, *gone] or ([self.world.country] if not plan.areas else [])
        for entry in [*fields.values(), None]:
            for area in [*places, None]:
                key = (entry.iri if entry else "*", area.iri if area else "*")
                for claim in self.world.scopes_by_key.get(key, ()):
                    scopes.setdefault(claim.iri, (claim, []))[1].append((entry, area))
        for claim, matched in scopes.values():
            if any(one in fields or any(area.iri == one for area in (*around, *gone)) for one in claim.excludes):
                continue
            if claim.holder_kind is not None and not plan.areas:
                continue
            found.append((claim, None, matched))
        return found

    def _interval(self, claim: Claim, seen: tuple[str, ...]) -> tuple[str, str] | None:
        """Return when a claim is effective, or nothing where its chain runs in a ring."""
        if claim.iri in seen:
            return None
        start, end = claim.start or "", min(claim.end or _FAR, claim.lapses or _FAR)
        if claim.parent is not None and claim.made_by in (D.delegation, D.mandate):
            above = self._interval(claim.parent, (*seen, claim.iri))
            if above is None:
                return None
            start, end = max(start, above[0]), min(end, above[1])
        return start, end

    def _of_anybody(self, claim: Claim, around: list[Area], on: str) -> bool:
        """Say whether a claim for a kind of body ever meets one here; a claim that never does is no candidate."""
        return claim.holder_kind is None or any(self._of_kind(claim.holder_kind, around, on))

    def _of_kind(self, kind: str, around: list[Area], on: str) -> tuple[list[str], bool, bool]:
        """Return the bodies of a kind whose jurisdiction is the smallest around; else whether some were or will be."""
        before = after = False
        for area in around:
            body = area.committee
            if body is None or body.kind != kind:
                continue
            if body.start is not None and body.start > on:
                after = True
            elif body.end is not None and body.end <= on:
                before = True
            else:
                return [body.iri], False, False
        return [], before, after

    def _follow(
        self, body: Body, since: str, on: str, fields: dict[str, Field], members: dict[str, Area]
    ) -> tuple[set[str], str | None, bool]:
        """Return who stands in a body's place on a day, the day of the last event that led there, and whether official
        text tells of all of the way.
        """
        events: dict[tuple[str, str], list[Succession]] = {}
        for move in self.world.moves.get(body.iri, ()):
            if move.confidence in Confidence.VERIFIED and since < move.event.day <= on:
                events.setdefault((move.event.day, move.event.iri), []).append(move)
        for (event_day, _), moves in sorted(events.items()):
            survives = body.end is None or body.end > event_day
            chosen = self._matching(moves, fields, members, residual=not survives)
            if survives and not chosen:
                continue
            reached: set[str] = set()
            last, official = event_day, all(move.confidence in Confidence.OFFICIAL for move in chosen)
            for move in chosen:
                if move.successor is None:
                    reached.add(D.nobody)
                    continue
                assert isinstance(move.successor, Body)
                further, by, told = self._follow(move.successor, event_day, on, fields, members)
                reached |= further
                last, official = max(last, by or last), official and told
            return reached, last, official
        if body.end is not None and body.end <= on:
            return set(), body.end, True
        return {body.iri}, None, True

    @staticmethod
    def _matching(
        moves: list[Succession], fields: dict[str, Field], members: dict[str, Area], residual: bool
    ) -> list[Succession]:
        ranks: dict[int, list[Succession]] = {}
        for move in moves:
            by_field = move.field is not None and move.field.iri in fields
            by_area = move.area is not None and move.area.iri in members
            if (move.field is not None and not by_field) or (move.area is not None and not by_area):
                continue
            rank = 3 if by_field and by_area else 2 if by_field else 1 if by_area else 0
            if rank or residual:
                ranks.setdefault(rank, []).append(move)
        return ranks[max(ranks)] if ranks else []

    # ---- decision --------------------------------------------------------------------------------------------------
    def _decide(
        self, kept: list[_Kept], unverified: list[tuple[Claim, int | None, list[Any]]], ended: bool, later: bool,
        on: str,
    ) -> tuple[str, list[str], set[str]]:  # fmt: skip
        if not kept:
            status = Status.expired if ended else Status.not_yet if later else Status.unknown
            return status, [], set()
        lines: _Lines = {}
        for one in kept:
            lines.setdefault(one.now, []).append(one)
        beaten = {
            now
            for now, ours in lines.items()
            if all(any(_beats(rival, one) for rival in kept if rival.now != now) for one in ours)
        }
        left = {now: ones for now, ones in lines.items() if now not in beaten}
        if len(left) > 1:
            left = self._settle(left)
        winners = {one.claim.iri for ones in left.values() for one in ones}
        if len(left) == 1:
            ((now, ones),) = left.items()
            moved = self._moved(ones)
            if moved is not None:
                since = any((rival.claim.start or "") >= moved for gone in beaten for rival in lines[gone])
                rival_claim = any(self._names_another(claim, now, on) for claim, _, _ in unverified)
                if since or rival_claim:
                    return Status.needs_decision, _flat(left), winners
        if any(len(reached) != 1 for now in left for reached in now):
            return Status.needs_decision, _flat(left), winners
        if len(left) > 1:
            return Status.disputed, _flat(left), winners
        ((now, _),) = left.items()
        holders = _flat(left)
        if holders == [D.nobody]:
            return Status.vacant, holders, winners
        return (Status.shared if len(now) > 1 else Status.held), holders, winners

    @staticmethod
    def _moved(ones: list[_Kept]) -> str | None:
        """Return the day a line was followed through; a line that anybody asserts was not followed."""
        if any(one.moved is None for one in ones):
            return None
        return max(one.moved for one in ones if one.moved is not None)

    def _settle(self, left: _Lines) -> _Lines:
        """Let a living holder's later record beat a followed line, then official text beat a third party."""
        gone = set()
        for now, ones in left.items():
            moved = self._moved(ones)
            if moved is None:
                continue
            for other, rivals in left.items():
                if other != now and any(one.moved is None and (one.claim.start or "") >= moved for one in rivals):
                    gone.add(now)
        left = {now: ones for now, ones in left.items() if now not in gone}
        official = {now: ones for now, ones in left.items() if any(one.official for one in ones)}
        return official if official and len(official) < len(left) else left

    def _names_another(self, claim: Claim, now: frozenset[frozenset[str]], on: str) -> bool:
        interval = self._interval(claim, ())
        if interval is None or not interval[0] <= on < interval[1]:
            return False
        return any(frozenset([holder.iri]) not in now for holder in claim.holders if holder is not None)


def _beats(one: _Kept, other: _Kept) -> bool:
    """Say whether one candidate is strictly more special: the dataset, then near series, then narrow scopes."""
    if one.distance is not None:
        return other.distance is None or one.distance < other.distance
    if other.distance is not None:
        return False
    return all(
        any(_inside(field, area, wide_field, wide_area) for field, area in one.matched)
        for wide_field, wide_area in other.matched
    )


def _inside(field: Field | None, area: Area | None, wide_field: Field | None, wide_area: Area | None) -> bool:
    fields = wide_field is None or (field is not None and wide_field in field.ancestry())
    areas = wide_area is None or (area is not None and _within(area, wide_area))
    return fields and areas and (field is not wide_field or area is not wide_area)


def _eve(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def _within(area: Area, wide: Area) -> bool:
    here: Area | None = area
    while here is not None:
        if here is wide:
            return True
        here = here.above
    return False


def _flat(lines: _Lines) -> list[str]:
    return sorted({iri for now in lines for reached in now for iri in reached})


class Truth:
    """Collect faults and expected answers while datasets stream by; numbers only, so memory stays small."""

    def __init__(self, datasets: int) -> None:
        self._step = max(1, datasets // SAMPLE)
        self._faults: dict[str, list[int]] = {}
        self._statuses: Counter[str] = Counter()
        self._sample: list[dict[str, object]] = []
        self._posts: list[str] = []
        self._oracle: Oracle | None = None
        self._history = False

    def start(self, world: World, plans: Plans) -> None:
        self._oracle = Oracle(world, plans)
        self._history = plans.history
        self._posts = sorted(world.contactless)

    def add(self, plan: Dataset) -> None:
        assert self._oracle is not None, "call start first"
        status, holders = self._oracle.answer(plan, LATE)
        self._statuses[status] += 1
        finding = _FINDINGS.get(status)
        for fault in {*plan.faults, *([finding] if finding else [])}:
            self._faults.setdefault(fault, []).append(plan.index)
        if plan.index % self._step == 0 and len(self._sample) < SAMPLE:
            answers = [self._expected(plan, EARLY), self._expected(plan, LATE)]
            if self._history:
                answers.append(self._expected(plan, LATE, KNOWN_AT))
            self._sample.append({"dataset": plan.iri, "case": plan.case, "answers": answers})

    def _expected(self, plan: Dataset, on: str, known: str | None = None) -> dict[str, object]:
        assert self._oracle is not None, "call start first"
        status, holders = self._oracle.answer(plan, on, known)
        found: dict[str, object] = {"as_of": on, "status": status, "holders": holders}
        if any(claim.role == Role.executes for claim in plan.claims):
            done, by = self._oracle.executes(plan, on, known)
            found["executes"] = {"status": done, "holders": by}
        if known is not None:
            found["known_at"] = known
        return found

    def as_json(self) -> dict[str, object]:
        faults = {name: sorted(f"{NS}dataset/{n}" for n in numbers) for name, numbers in self._faults.items()}
        faults["post-without-contact"] = self._posts
        return {
            "days": [EARLY, LATE],
            "known_at": KNOWN_AT if self._history else None,
            "role": Role.accountable,
            "statuses": dict(self._statuses),
            "faults": faults,
            "sample": self._sample,
        }
