"""Plan one generated dataset: which case it is, who claims it, by which transfers, from where its data flow.

A dataset's plan depends on the seed and its number only, so any of a million can be planned alone: the truth is worked
out from the plan, and nothing is kept while streaming.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Final

from graph.terms import Confidence, D, Role

from . import words
from .world import NS, PROVINCES, UNSCOPED_TOP, Area, Body, Claim, Field, Series, World, day, digit

#: how often each case comes, in thousandths
CASES: Final = {
    "named": 550, "chain": 110, "scope": 120, "series": 90, "catalogue": 20, "shared": 20, "vacant": 10, "expired": 10,
    "not-yet": 10, "no-claim": 10, "disputed": 10, "official": 10, "newer": 10, "rival-claim": 5, "unverified": 5,
    "cycle": 10,
}  # fmt: skip
_BOUNDS: Final = list(zip(accumulate(CASES.values()), CASES, strict=True))
_TOTAL: Final = sum(CASES.values())

#: instants of recording that ``--history`` writes: first states, corrections, late records; and the instant asked about
RECORDED: Final = "2026-01-15T02:00:00Z"
CORRECTED: Final = "2026-05-01T02:00:00Z"
KNOWN_AT: Final = "2026-03-01T02:00:00Z"

#: datasets per block that may share a series, and blocks whose series may share a wider one
SERIES_SIZE: Final = 40
WIDER_SIZE: Final = 10

#: three datasets in so many close a ring of flows
RING_EVERY: Final = 2500

_MARKS: Final = (Confidence.V1, Confidence.V2, Confidence.V2, Confidence.V3, Confidence.V3, Confidence.V3)


@dataclass(slots=True, eq=False)
class Transfer:
    iri: str
    kind: str
    transferor: str
    takes_from: Claim
    creates: Claim
    granted: str
    basis: str | None
    lapses_with: str | None = None


@dataclass(slots=True, eq=False)
class Flow:
    iri: str
    origin: int
    start: str
    basis: str | None


@dataclass(slots=True, eq=False)
class Dataset:
    index: int
    case: str
    graph: str
    themes: list[Field]
    areas: list[Area]
    level: str
    title: str = ""
    english: str = ""
    series: Series | None = None
    portal: int | None = None
    claims: list[Claim] = field(default_factory=list)
    #: other roles, and states that history alone holds
    others: list[Claim] = field(default_factory=list)
    past: list[Claim] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    publisher: Body | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def iri(self) -> str:
        return f"{NS}dataset/{self.index}"


class Plans:
    """Plan the datasets and series of one world."""

    def __init__(self, world: World, history: bool = False) -> None:
        self.world = world
        self.history = history
        self._rng = random.Random()
        self.series = lru_cache(maxsize=64)(self._series)
        self.wider = lru_cache(maxsize=16)(self._wider)

    # ---- series ----------------------------------------------------------------------------------------------------
    def _wider(self, number: int) -> Series:
        rng = random.Random(f"wider {self.world.seed} {number}")
        iri = f"{NS}series/wide-{number}"
        second = digit(rng, 54)
        claim = self._over(iri, self.world.ministry_of(second, PROVINCES), day(rng, 2025, 2025), rng)
        title = f"{words.OPENINGS[4]} toàn ngành {words.FIELDS[second // 6]} {number}"
        return Series(iri, title, self.world.register_of(number), None, claim)

    def _series(self, number: int) -> Series:
        """Return the series of a block: nine in ten have a claim of their own, one in five stands in a wider series."""
        rng = random.Random(f"series {self.world.seed} {number}")
        iri = f"{NS}series/{number}"
        second = digit(rng, 54)
        wide = self.wider(number // WIDER_SIZE) if number % 5 == 0 else None
        claim = None
        if wide is None or rng.random() < 0.5:
            province = self.world.provinces[digit(rng, len(self.world.provinces))]
            if rng.random() < 0.5:
                holder, start = self.world.department_of(province, second, PROVINCES), day(rng, 2026, 2026)
            else:
                holder, start = self.world.ministries[second % 8], day(rng, 2014, 2023)
            claim = self._over(iri, holder, start, rng)
        title = f"{words.OPENINGS[digit(rng, 12)]} {words.THINGS[digit(rng, 40)]}, loạt {number}"
        return Series(iri, title, self.world.register_of(number), wide.iri if wide else None, claim)

    def _over(self, iri: str, holder: Body, start: str, rng: random.Random) -> Claim:
        start = max(start, holder.start or start)
        start = start if start < "2026-11-01" else "2026-10-01"
        return Claim(
            f"{NS}record/{iri.rsplit('/', 1)[1]}-series", Role.accountable, (holder,), start=start, members_of=iri,
            confidence=Confidence.V2, basis=self.world.basis(rng),
        )  # fmt: skip

    @lru_cache(maxsize=4)  # noqa: B019 - two portals, and a world lives as long as its run
    def portal(self, number: int) -> Claim:
        """Return what makes a portal's catalogue answer for what it lists."""
        iri = f"{NS}catalogue/portal-{number}"
        return Claim(
            f"{NS}record/portal-{number}", Role.accountable, (self.world.outside[number],), start="2022-03-01",
            members_of=iri, confidence=Confidence.V2, basis=self.world.basis(random.Random(f"portal {number}")),
        )  # fmt: skip

    # ---- one dataset -----------------------------------------------------------------------------------------------
    def dataset(self, index: int) -> Dataset:
        world, rng = self.world, self._rng
        rng.seed((world.seed << 48) ^ (index * 2_654_435_761 + 12_345))
        case = _pick(rng)
        plan = self._ground(rng, index, case)
        getattr(self, "_plan_" + case.replace("-", "_"))(rng, plan)
        self._blemish(rng, plan)
        self._others(rng, plan)
        self._flows(rng, plan)
        if self.history:
            self._remember(rng, plan)
        return plan

    def _ground(self, rng: random.Random, index: int, case: str) -> Dataset:
        """Choose field, area and register of a dataset; cases about gaps need a field that nobody has a scope for."""
        world = self.world
        if case in ("no-claim", "expired", "not-yet", "unverified"):
            second = UNSCOPED_TOP * 6 + digit(rng, 6)
        elif case == "scope":
            second = digit(rng, 48)
        else:
            second = digit(rng, 60)
        leaves = world.leaves[second]
        themes = [leaves[digit(rng, 4)] if rng.random() < 0.75 else world.seconds[second]]
        draw = rng.random()
        level = "central" if draw < 0.28 else "province" if draw < 0.66 else "district" if draw < 0.72 else "commune"
        if case == "scope" and second >= 36:
            level = "province" if second < 42 else "commune"
        if level == "central":
            areas, number = [world.country], second
        elif level == "province":
            place = digit(rng, len(world.provinces))
            area = world.provinces[place]
            if rng.random() < 0.1:
                area = world.old_provinces[digit(rng, len(world.old_provinces))]
            areas, number = [area], 60 + place
        else:
            pool = world.districts if level == "district" else world.communes
            place = digit(rng, len(pool))
            areas, number = [pool[place]], 60 + place
            if level == "commune" and rng.random() < 0.03:
                areas.append(world.communes[digit(rng, len(pool))])
                if areas[0] is areas[1]:
                    areas.pop()
        if rng.random() < 0.02:
            areas = []
        if case not in ("no-claim", "expired", "not-yet", "unverified") and rng.random() < 0.02:
            other = world.seconds[digit(rng, 54)]
            if other is not themes[0]:
                themes.append(other)
        plan = Dataset(index, case, world.register_of(number), themes, areas, level)
        thing, ending = words.THINGS[digit(rng, 40)], words.ENDINGS[digit(rng, 6)]
        where = f" {areas[0].name}" if areas and level != "central" else " toàn quốc" if level == "central" else ""
        plan.title = f"{words.OPENINGS[digit(rng, 12)]} {thing}{where}{ending}"
        if rng.random() < 0.3:
            plan.english = f"{themes[0].english} {index}"
        return plan

    def _holder(self, rng: random.Random, plan: Dataset, on: str) -> Body:
        """Return a body that fits the dataset's level, field and area and exists on a day."""
        world = self.world
        second = plan.themes[0].second
        area = plan.areas[0] if plan.areas else world.country
        if area.level == "central":
            ministry = world.ministry_of(second, on)
            bureaus = world.bureaus[ministry.iri]
            return ministry if rng.random() < 0.7 else bureaus[digit(rng, len(bureaus))]
        old = on < PROVINCES
        if area.level == "commune" and not old:
            assert area.committee is not None
            return area.committee
        if area.level == "district":
            if not old:
                area = area.heirs[0]
            assert area.committee is not None
            return area.committee
        if area.level == "commune":
            assert area.above is not None
            area = area.above
        if area.start is not None and old:
            former = [one for one in world.old_provinces if one.heirs[0] is area]
            area = former[digit(rng, len(former))]
        elif area.heirs and not old:
            area = area.heirs[0]
        if plan.themes[0].top in (4, 5, 8) and rng.random() < 0.5:
            assert area.committee is not None
            return area.committee
        return world.department_of(area, second, on)

    def _claim(
        self, plan: Dataset, rng: random.Random, holder: Body, start: str | None, end: str | None = None, *,
        role: str = Role.accountable, confidence: str | None = None, parent: Claim | None = None,
        made_by: str | None = None,
    ) -> Claim:  # fmt: skip
        number = len(plan.claims)
        claim = Claim(
            f"{NS}record/{plan.index}-{number}", role, (holder,), start=start, end=end,
            confidence=confidence or _MARKS[digit(rng, 6)], basis=self.world.basis(rng), covers=plan.iri,
            parent=parent, made_by=made_by,
        )  # fmt: skip
        plan.claims.append(claim)
        return claim

    # ---- the cases -------------------------------------------------------------------------------------------------
    def _plan_named(self, rng: random.Random, plan: Dataset) -> None:
        """Name one holder: of old, so that reorganisations are followed; anew; or both, one supporting the other."""
        draw = rng.random()
        if plan.level == "district" and draw < 0.8:
            draw = 0.9
        if draw < 0.27:
            start = None if rng.random() < 0.1 else day(rng, 2012, 2023)
            self._claim(plan, rng, self._holder(rng, plan, "2020-01-01"), start)
        elif draw < 0.72:
            self._new(rng, plan)
            if rng.random() < 0.3:
                plan.series = self.series(plan.index // SERIES_SIZE)
            if rng.random() < 0.06:
                # shown below the line; changes nothing, because the winner was not followed
                rival = self.world.outside[digit(rng, len(self.world.outside))]
                mark = Confidence.R if rng.random() < 0.5 else Confidence.V3_MOCK
                self._claim(plan, rng, rival, day(rng, 2020, 2024), confidence=mark)
        else:
            first = self._claim(plan, rng, self._holder(rng, plan, "2020-01-01"), day(rng, 2012, 2023))
            ends = first.holders[0].end if first.holders[0] else None
            if ends is not None:
                if draw < 0.86 and plan.level != "district":
                    heir = self._heir(first.holders[0])
                    if heir is not None:
                        self._claim(plan, rng, heir, ends)
                else:
                    first.end = PROVINCES
                    self._claim(plan, rng, self._holder(rng, plan, PROVINCES), PROVINCES)

    def _heir(self, body: Body | None) -> Body | None:
        """Return the single verified heir of an ended body, one step on."""
        moves = self.world.moves.get(body.iri, []) if body else []
        sure = [move for move in moves if move.confidence in Confidence.VERIFIED]
        heir = sure[0].successor if len(sure) == 1 else None
        return heir if isinstance(heir, Body) else None

    def _new(self, rng: random.Random, plan: Dataset) -> Claim:
        start = f"2025-{7 + digit(rng, 6):02d}-{1 + digit(rng, 28):02d}" if rng.random() < 0.6 else day(rng, 2026, 2026)
        return self._claim(plan, rng, self._holder(rng, plan, PROVINCES), min(start, "2026-10-01"))

    def _plan_chain(self, rng: random.Random, plan: Dataset) -> None:
        """Pass a responsibility down, up to four deep: devolutions, then one delegation, then a mandate to a post."""
        world = self.world
        second = plan.themes[0].second
        old = rng.random() < 0.15
        on = "2020-01-01" if old else PROVINCES
        if old:
            province = (world.provinces[: world.continuing] + world.old_provinces)[
                digit(rng, world.continuing + len(world.old_provinces))
            ]
        else:
            province = world.provinces[digit(rng, len(world.provinces))]
        ministry = world.ministry_of(second, on)
        if old and ministry.end is not None and ministry.iri not in world.heir_of_ministry:
            ministry = world.ministries[second % 8]
        assert province.committee is not None
        committee, department = province.committee, world.department_of(province, second, on)
        commune = None
        if not old:
            pool = world.children[province.iri]
            commune = pool[digit(rng, len(pool))].committee if pool else None
        path: list[tuple[str, Body]] = []
        draw = rng.random()
        if draw < 0.3:
            path = [(D.delegation, committee)]
            first = ministry
        elif draw < 0.6:
            path = [(D.devolution, committee), (D.delegation, department)]
            first = ministry
        elif draw < 0.8:
            path = [(D.devolution, ministry), (D.devolution, committee), (D.delegation, commune or department)]
            first = world.government
        else:
            path = [(D.devolution, committee)]
            first = ministry
        years = (2014, 2023) if old else (2025, 2025)
        start = "2012-01-01" if old else "2025-07-01"
        current = self._claim(plan, rng, first, start, confidence=Confidence.V1)
        for step, (kind, holder) in enumerate(path):
            # days of one chain rise: a step is granted after the responsibility it takes from began
            granted = f"{years[0] + step * 2}-0{1 + digit(rng, 9)}-15" if old else f"2025-{8 + step:02d}-10"
            current = self._transfer(rng, plan, current, kind, holder, granted)
            if kind == D.delegation and not old and rng.random() < 0.12:
                transfer = plan.transfers[-1]
                transfer.lapses_with = world.programme.iri
                current.lapses = world.programme.end
        delegated = path[-1][0] == D.delegation
        if not old and delegated and rng.random() < 0.12:
            committee_of = pool[digit(rng, len(pool))].committee if pool else None
            if committee_of is not None and committee_of is not current.holders[0]:
                current = self._transfer(rng, plan, current, D.delegation, committee_of, "2025-12-01")
                plan.faults.append("delegation-passed-on")
        if not old and rng.random() < 0.6:
            self._mandate(rng, plan, current)

    def _transfer(
        self, rng: random.Random, plan: Dataset, taken: Claim, kind: str, holder: Body, granted: str
    ) -> Claim:
        giver = taken.holders[0]
        assert giver is not None
        made = self._claim(plan, rng, holder, granted, confidence=Confidence.V2, parent=taken, made_by=kind)
        plan.transfers.append(
            Transfer(
                f"{NS}record/{plan.index}-t{len(plan.transfers)}", kind, giver.iri, taken, made, granted,
                self.world.basis(rng),
            )
        )  # fmt: skip
        return made

    def _mandate(self, rng: random.Random, plan: Dataset, taken: Claim) -> None:
        giver = taken.holders[0]
        assert giver is not None
        mandate = self._transfer(rng, plan, taken, D.mandate, giver, "2026-01-10")
        mandate.role, mandate.post, mandate.holders = Role.executes, giver.post, ()
        mandate.end = "2027-01-10" if rng.random() < 0.5 else "2026-08-01"
        draw = rng.random()
        if draw < 0.17:
            mandate.end = None
            plan.faults.append("mandate-without-end")
        elif draw < 0.34:
            second = self._transfer_of_mandate(rng, plan, mandate, giver)
            second.end = mandate.end
            plan.faults.append("mandate-passed-on")

    def _transfer_of_mandate(self, rng: random.Random, plan: Dataset, taken: Claim, giver: Body) -> Claim:
        made = self._claim(
            plan, rng, giver, "2026-03-02", role=Role.executes, confidence=Confidence.V2, parent=taken,
            made_by=D.mandate,
        )  # fmt: skip
        made.holders, made.post = (), self.world.ministries[digit(rng, 8)].post
        iri = f"{NS}record/{plan.index}-t{len(plan.transfers)}"
        plan.transfers.append(
            Transfer(iri, D.mandate, giver.post, taken, made, "2026-03-02", self.world.basis(rng))
        )
        return made

    def _plan_scope(self, rng: random.Random, plan: Dataset) -> None:
        """Name nobody: fields and areas alone say who answers."""

    def _plan_series(self, rng: random.Random, plan: Dataset) -> None:
        plan.series = self.series(plan.index // SERIES_SIZE)

    def _plan_catalogue(self, rng: random.Random, plan: Dataset) -> None:
        plan.portal = digit(rng, 2)
        plan.graph = self.world.portals[plan.portal]

    def _plan_shared(self, rng: random.Random, plan: Dataset) -> None:
        claim = self._new(rng, plan)
        partner = self.world.ministries[digit(rng, 8)]
        if partner is not claim.holders[0]:
            claim.holders = (*claim.holders, partner)
            claim.lead = partner if rng.random() < 0.5 else claim.holders[0]

    def _plan_vacant(self, rng: random.Random, plan: Dataset) -> None:
        claim = self._new(rng, plan)
        claim.holders = (None,)

    def _plan_expired(self, rng: random.Random, plan: Dataset) -> None:
        claim = self._new(rng, plan)
        claim.end = "2026-10-15"

    def _plan_not_yet(self, rng: random.Random, plan: Dataset) -> None:
        claim = self._new(rng, plan)
        claim.start = "2027-01-01"

    def _plan_no_claim(self, rng: random.Random, plan: Dataset) -> None:
        """Say nothing at all."""

    def _plan_disputed(self, rng: random.Random, plan: Dataset) -> None:
        claim = self._new(rng, plan)
        other = self.world.ministries[digit(rng, 8)]
        if other is claim.holders[0]:
            other = self.world.outside[0]
        rival = self._claim(plan, rng, other, "2025-09-01")
        claim.confidence = rival.confidence = Confidence.V2 if rng.random() < 0.5 else Confidence.V3

    def _plan_official(self, rng: random.Random, plan: Dataset) -> None:
        """Let an official text contradict a third party: the official one holds."""
        self._plan_disputed(rng, plan)
        plan.claims[0].confidence, plan.claims[1].confidence = Confidence.V2, Confidence.V3

    def _plan_newer(self, rng: random.Random, plan: Dataset) -> None:
        """Let a record since the reorganisation stand against one that the reorganisation passed on."""
        self._followed(rng, plan)
        self._claim(plan, rng, self.world.ministries[digit(rng, 8)], PROVINCES)

    def _plan_rival_claim(self, rng: random.Random, plan: Dataset) -> None:
        """Let an unverified claim name another than the heir: somebody has to decide."""
        self._followed(rng, plan)
        rival = self.world.outside[digit(rng, len(self.world.outside))]
        self._claim(plan, rng, rival, day(rng, 2019, 2024), confidence=Confidence.R)

    def _followed(self, rng: random.Random, plan: Dataset) -> Claim:
        """Name a body that ended in March 2025 and left one heir."""
        body = self.world.ministries[8 + digit(rng, 6)]
        return self._claim(plan, rng, body, day(rng, 2014, 2023), confidence=Confidence.V2)

    def _plan_unverified(self, rng: random.Random, plan: Dataset) -> None:
        claim = self._new(rng, plan)
        claim.confidence = Confidence.V3_MOCK if rng.random() < 0.5 else Confidence.R

    def _plan_cycle(self, rng: random.Random, plan: Dataset) -> None:
        """Close a ring of two delegations."""
        first = self._new(rng, plan)
        holder = self.world.ministries[digit(rng, 8)]
        second = self._transfer(rng, plan, first, D.delegation, holder, first.start or PROVINCES)
        giver = second.holders[0]
        assert giver is not None
        first.parent, first.made_by = second, D.delegation
        plan.transfers.append(
            Transfer(
                f"{NS}record/{plan.index}-t1", D.delegation, giver.iri, second, first, first.start or PROVINCES,
                self.world.basis(rng),
            )
        )  # fmt: skip
        plan.faults.append("transfer-cycle")

    # ---- what every dataset may have besides -----------------------------------------------------------------------
    def _blemish(self, rng: random.Random, plan: Dataset) -> None:
        """Leave out a title, leave out a basis, or take one that had ended: about one dataset in a hundred each."""
        draw = rng.random()
        if draw < 0.01:
            plan.title = ""
            plan.faults.append("title-missing")
        if plan.claims and plan.claims[0].made_by is None:
            if 0.2 < draw < 0.212:
                plan.claims[0].basis = None
                plan.faults.append("basis-missing")
            elif 0.3 < draw < 0.3125 and plan.claims[0].start and plan.claims[0].start >= "2020-01-01":
                ended = self.world.ended[digit(rng, len(self.world.ended))]
                plan.claims[0].basis = ended.iri
                plan.faults.append("basis-not-in-force")

    def _others(self, rng: random.Random, plan: Dataset) -> None:
        """Add the roles that several may hold, one owner at most, and a publisher."""
        world = self.world
        named = plan.claims[0].holders[0] if plan.claims and plan.claims[0].holders else None
        body = named or world.ministries[digit(rng, 8)]
        for role, rate in _OTHER_ROLES:
            if rng.random() < rate:
                claim = Claim(
                    f"{NS}record/{plan.index}-r{len(plan.others)}", role, start=day(rng, 2015, 2024), covers=plan.iri,
                    confidence=_MARKS[digit(rng, 6)],
                )  # fmt: skip
                if role == Role.contact and not body.outside:
                    claim.post = body.post
                elif role in (Role.operates, Role.provides):
                    claim.holders = (world.outside[digit(rng, len(world.outside))],)
                else:
                    claim.holders = (world.ministries[digit(rng, 8)],)
                if rng.random() < 0.5:
                    claim.basis = world.basis(rng)
                plan.others.append(claim)
        if rng.random() < 0.3:
            plan.publisher = body

    def _flows(self, rng: random.Random, plan: Dataset) -> None:
        """Take data from up to three earlier datasets; now and then close a ring of three."""
        index = plan.index
        near = min(index, 400)
        if near and rng.random() < 0.6:
            origins = {index - 1 - digit(rng, near) for _ in range(1 + digit(rng, 3))}
            for origin in sorted(origins):
                basis = self.world.basis(rng) if rng.random() < 0.4 else None
                plan.flows.append(Flow(f"{NS}record/{index}-f{len(plan.flows)}", origin, day(rng, 2018, 2025), basis))
        spot = index % RING_EVERY
        if 500 <= spot <= 502:
            # 500 takes from 502, 501 from 500, 502 from 501
            origin = index + 2 if spot == 500 else index - 1
            if origin < self.world.datasets and index - spot + 502 < self.world.datasets:
                plan.flows = [flow for flow in plan.flows if flow.origin != origin]
                plan.flows.append(Flow(f"{NS}record/{index}-ring", origin, "2024-01-01", None))
                plan.faults.append("lineage-cycle")

    def _remember(self, rng: random.Random, plan: Dataset) -> None:
        """Give every record its instant; correct, withdraw or record late the first claim of a few datasets."""
        for claim in [*plan.claims, *plan.others]:
            claim.recorded = RECORDED
        if not plan.claims or plan.transfers:
            return
        draw = rng.random()
        claim = plan.claims[0]
        if draw < 0.03:
            past = _copy(claim)
            past.iri += "/v/1"
            past.holders = (self.world.ministries[digit(rng, 8)],)
            past.withdrawn = CORRECTED
            claim.recorded = CORRECTED
            plan.past.append(past)
        elif draw < 0.04:
            past = _copy(claim)
            past.iri = f"{NS}record/{plan.index}-withdrawn/v/1"
            past.holders = (self.world.outside[digit(rng, len(self.world.outside))],)
            past.withdrawn = CORRECTED
            plan.past.append(past)
        elif draw < 0.06:
            claim.recorded = CORRECTED


_OTHER_ROLES: Final = (
    (Role.owner, 0.12), (Role.operates, 0.5), (Role.provides, 0.3), (Role.contact, 0.35), (Role.coordinates, 0.05),
    (Role.uses, 0.05), (Role.contributes, 0.03),
)  # fmt: skip


def _pick(rng: random.Random) -> str:
    draw = rng.random() * _TOTAL
    for bound, case in _BOUNDS:
        if draw < bound:
            return case
    return "named"


def _copy(claim: Claim) -> Claim:
    return Claim(**{slot: getattr(claim, slot) for slot in Claim.__slots__})
