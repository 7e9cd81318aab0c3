"""Make the ground that the generated datasets stand on: fields, areas, law, bodies, reorganisations and scopes.

Everything here is plain structures; ``statements`` turns them into N-Quads and ``truth`` reads them to know the
answers. The ground grows with the number of datasets up to its full size (34 provinces from 10,000 datasets on; 3,321
communes and about 6,500 bodies from 100,000 on), so that statements per dataset stay near 40 at every size.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from graph.terms import BASE, Confidence, D, Role

from . import words

NS: Final = BASE + "bench/"

#: the two days on which bodies end and begin: ministries and departments, then provinces and districts
MINISTRIES: Final = "2025-03-01"
PROVINCES: Final = "2025-07-01"

NOBODY: Final = D.nobody

#: where the fields fall: who has a scope for which of the ten top fields
DEPARTMENT_TOPS: Final = range(0, 4)
BUREAU_TOPS: Final = range(4, 6)
PROVINCE_KIND_TOP: Final = 6
COMMUNE_KIND_TOP: Final = 7
UNSCOPED_TOP: Final = 9


def digit(rng: random.Random, below: int) -> int:
    """Return a number from 0 up to ``below``; unlike ``randrange`` this stays the same in every Python version."""
    return int(rng.random() * below)


def day(rng: random.Random, first: int, last: int) -> str:
    """Return a day of the years ``first`` to ``last``."""
    return f"{first + digit(rng, last - first + 1)}-{1 + digit(rng, 12):02d}-{1 + digit(rng, 28):02d}"


@dataclass(slots=True, eq=False)
class Field:
    iri: str
    label: str
    english: str
    above: Field | None
    top: int
    #: number of the second-level field this one is or stands under; a top field has -1
    second: int

    def ancestry(self) -> list[Field]:
        """Return this field and everything broader, narrow first."""
        chain = [self]
        while chain[-1].above is not None:
            chain.append(chain[-1].above)
        return chain


@dataclass(slots=True, eq=False)
class Area:
    iri: str
    name: str
    level: str
    start: str | None
    end: str | None
    above: Area | None = field(repr=False)
    code: str
    heirs: list[Area] = field(default_factory=list, repr=False)
    #: the people's committee, and the departments by kind where it is a province
    committee: Body | None = field(default=None, repr=False)
    departments: list[Body] = field(default_factory=list, repr=False)


@dataclass(slots=True, eq=False)
class Body:
    iri: str
    name: str
    kind: str
    start: str | None
    end: str | None
    area: Area | None = field(default=None, repr=False)
    above: Body | None = field(default=None, repr=False)
    outside: bool = False
    abbreviation: str = ""

    @property
    def post(self) -> str:
        return self.iri.replace("/body/", "/post/")


@dataclass(slots=True, eq=False)
class Event:
    iri: str
    day: str
    kind: str


@dataclass(slots=True, eq=False)
class Succession:
    iri: str
    event: Event
    predecessor: str
    #: None is d:nobody
    successor: Body | Area | None
    field: Field | None = None
    area: Area | None = None
    confidence: str = Confidence.V2


@dataclass(slots=True, eq=False)
class Instrument:
    iri: str
    number: str
    start: str
    end: str | None
    gazetted: bool

    @property
    def provisions(self) -> tuple[str, str]:
        return f"{self.iri}/1", f"{self.iri}/2"


@dataclass(slots=True, eq=False)
class Claim:
    """One responsibility, in the words of ``model.md``; ``parent`` and ``made_by`` say which transfer created it."""

    iri: str
    role: str
    holders: tuple[Body | None, ...] = ()
    holder_kind: str | None = None
    lead: Body | None = None
    start: str | None = None
    end: str | None = None
    confidence: str = Confidence.V3
    basis: str | None = None
    fields: tuple[Field, ...] = ()
    areas: tuple[Area, ...] = ()
    members_of: str | None = None
    excludes: tuple[str, ...] = ()
    covers: str | None = None
    #: a post that holds it in place of bodies (executes only)
    post: str | None = None
    parent: Claim | None = None
    made_by: str | None = None
    lapses: str | None = None
    recorded: str | None = None
    withdrawn: str | None = None


@dataclass(slots=True, eq=False)
class Series:
    iri: str
    title: str
    graph: str
    above: str | None
    claim: Claim | None


class World:
    """Hold the ground for ``datasets`` datasets; the same numbers give the same ground."""

    def __init__(self, datasets: int, seed: int, dense: bool = False) -> None:
        self.datasets = datasets
        self.seed = seed
        self.dense = dense
        share = min(1.0, datasets / 100_000)
        self.rng = random.Random(f"world {seed}")
        self.continuing = max(2, round(11 * min(1.0, datasets / 10_000)))
        self.merged = max(3, round(23 * min(1.0, datasets / 10_000)))
        self.commune_count = max(2 * (self.continuing + self.merged), round(3321 * share))
        self.district_count = max(self.continuing + self.merged, round(696 * share))
        self.department_kinds = max(3, round(15 * share))
        self.bureau_count = max(1, round(24 * share))
        self.outside_count = max(5, round(500 * share))
        self.fields = _fields()
        self.seconds = [entry for entry in self.fields if entry.above is not None and entry.above.above is None]
        self.leaves: list[list[Field]] = [[] for _ in self.seconds]
        for entry in self.fields:
            if entry.above is not None and entry.above.above is not None:
                self.leaves[entry.second].append(entry)
        self.tops = [entry for entry in self.fields if entry.above is None]
        self.bodies: list[Body] = []
        self.areas: list[Area] = []
        self.events: list[Event] = []
        self.successions: list[Succession] = []
        self.moves: dict[str, list[Succession]] = {}
        self.scopes: list[Claim] = []
        self._law()
        self._areas()
        self._ministries()
        self._committees()
        self._departments()
        self._outside()
        self._scopes()
        self.contactless = [body.post for body in self.bodies if not body.outside and self.rng.random() < 0.01]

    # ---- law -------------------------------------------------------------------------------------------------------
    def _law(self) -> None:
        """Make instruments in force for long, such as ended in 2020, and one that programmes lapse with."""
        lasting = max(6, min(55, self.datasets // 200))
        self.lasting = [
            Instrument(f"{NS}law/{n}", f"{n + 1}/{2004 + n % 5}/NĐ-BM", f"{2004 + n % 5}-01-01", None, n % 3 > 0)
            for n in range(lasting)
        ]
        self.ended = [
            Instrument(f"{NS}law/ended-{n}", f"{n + 1}/2010/TT-BM", "2010-01-01", "2020-01-01", n % 2 > 0)
            for n in range(4)
        ]
        self.programme = Instrument(f"{NS}law/programme", "9/2025/QĐ-BM", "2025-07-01", "2026-06-30", True)
        self.reorganising = Instrument(f"{NS}law/reorganising", "1/2025/NQ-BM", "2025-02-18", None, True)
        self.instruments = [*self.lasting, *self.ended, self.programme, self.reorganising]

    def basis(self, rng: random.Random) -> str:
        """Return an instrument or provision that has been in force on every day the register speaks of."""
        instrument = self.lasting[digit(rng, len(self.lasting))]
        return instrument.provisions[digit(rng, 2)] if rng.random() < 0.6 else instrument.iri

    # ---- areas -----------------------------------------------------------------------------------------------------
    def _area(self, slug: str, name: str, level: str, start: str | None, end: str | None, above: Area | None) -> Area:
        area = Area(f"{NS}area/{slug}", name, level, start, end, above, f"{len(self.areas):05d}")
        self.areas.append(area)
        return area

    def _areas(self) -> None:
        """Make the country, provinces before and after 2025-07-01, districts that end then and communes that begin."""
        number = 0

        def name(sort: str) -> str:
            nonlocal number
            number += 1
            return f"{sort} {words.place(number)}"

        self.country = self._area("country", "Quốc gia mẫu", "central", None, None, None)
        self.provinces = [
            self._area(f"province-{n}", name("Tỉnh"), "province", None, None, self.country)
            for n in range(self.continuing)
        ]
        self.old_provinces: list[Area] = []
        for n in range(self.merged):
            # at full size 52 old provinces make 23 new ones, two or three each
            parts = 3 if n % 4 == 3 or n == 0 else 2
            made = self._area(f"province-new-{n}", name("Tỉnh"), "province", PROVINCES, None, self.country)
            self.provinces.append(made)
            for part in range(parts):
                old = self._area(f"province-old-{n}-{part}", name("Tỉnh"), "province", None, PROVINCES, self.country)
                old.heirs.append(made)
                self.old_provinces.append(old)
        before = [*self.provinces[: self.continuing], *self.old_provinces]
        self.districts: list[Area] = []
        self.communes: list[Area] = []
        by_province: dict[str, list[Area]] = {province.iri: [] for province in self.provinces}
        for n in range(self.commune_count):
            province = self.provinces[n % len(self.provinces)]
            sort = "Xã" if n % 4 else "Phường"
            commune = self._area(f"commune-{n}", name(sort), "commune", PROVINCES, None, province)
            by_province[province.iri].append(commune)
            self.communes.append(commune)
        taken: dict[str, int] = dict.fromkeys(by_province, 0)
        for n in range(self.district_count):
            old = before[n % len(before)]
            district = self._area(f"district-{n}", name("Huyện"), "district", None, PROVINCES, old)
            province = old.heirs[0] if old.heirs else old
            pool = by_province[province.iri]
            # every fifth district becomes one commune, the others several; neighbours share one at the seam
            count = 1 if n % 5 == 0 else 2 + n % 4
            at = taken[province.iri]
            chosen = {pool[(at + step) % len(pool)].iri: pool[(at + step) % len(pool)] for step in range(count)}
            district.heirs.extend(chosen.values())
            taken[province.iri] = at + max(1, count - 1)
            self.districts.append(district)
        event = self._event("areas", PROVINCES, "merger")
        for area in [*self.old_provinces, *self.districts]:
            for heir in area.heirs:
                self._succeed(event, area.iri, heir, confidence=Confidence.V1)
        self.children = {iri: tuple(found) for iri, found in by_province.items()}

    # ---- bodies ----------------------------------------------------------------------------------------------------
    def _body(
        self, slug: str, name: str, kind: str, start: str | None = None, end: str | None = None, *,
        area: Area | None = None, above: Body | None = None, outside: bool = False, abbreviation: str = "",
    ) -> Body:  # fmt: skip
        iri = f"{NS}body/{slug}"
        body = Body(iri, name, f"{NS}kind/{kind}", start, end, area, above, outside, abbreviation)
        self.bodies.append(body)
        return body

    def _event(self, slug: str, on: str, kind: str) -> Event:
        event = Event(f"{NS}event/{slug}", on, f"{BASE}change/{kind}")
        self.events.append(event)
        return event

    def _succeed(
        self, event: Event, predecessor: str, successor: Body | Area | None, *,
        field: Field | None = None, area: Area | None = None, confidence: str = Confidence.V2,
    ) -> None:  # fmt: skip
        iri = f"{NS}record/succession-{len(self.successions)}"
        made = Succession(iri, event, predecessor, successor, field, area, confidence)
        self.successions.append(made)
        self.moves.setdefault(predecessor, []).append(made)

    def _ministries(self) -> None:
        """Make twenty ministries, of which eleven end on 2025-03-01 in the ways ministries end.

        8 and 9, 10 and 11, 12 and 13 merge into new ones; 14 is split by field with a residual heir; 15 is split and
        nothing about it is verified; 16 leaves two residual heirs; 17 is absorbed by 4; 18 lives on and gives one
        field to 5; 19 ends without heir.
        """
        self.government = self._body("government", "Chính phủ mẫu", "government", area=self.country, abbreviation="CP")
        ending = {*range(8, 18), 19}
        self.ministries = [
            self._body(
                f"ministry-{n}", f"Bộ {words.FIELDS[n // 2]} {'và ' + words.place(n) if n % 2 else ''}".strip(),
                "ministry", None, MINISTRIES if n in ending else None,
                area=self.country, above=self.government, abbreviation=f"B{n}",
            )
            for n in range(20)
        ]  # fmt: skip
        old = self.ministries
        self.new_ministries = [
            self._body(
                f"ministry-new-{n}", f"Bộ {words.FIELDS[4 + n]}", "ministry", MINISTRIES, None,
                area=self.country, above=self.government, abbreviation=f"BM{n}",
            )
            for n in range(3)
        ]  # fmt: skip
        new = self.new_ministries
        for n in range(3):
            event = self._event(f"merger-{n}", MINISTRIES, "merger")
            self._succeed(event, old[8 + 2 * n].iri, new[n])
            self._succeed(event, old[9 + 2 * n].iri, new[n])
        split = self._event("split-14", MINISTRIES, "split")
        self._succeed(split, old[14].iri, new[0], field=self.seconds[42])
        self._succeed(split, old[14].iri, old[0], field=self.seconds[43], confidence=Confidence.V3)
        self._succeed(split, old[14].iri, old[1])
        unverified = self._event("split-15", MINISTRIES, "split")
        self._succeed(unverified, old[15].iri, old[6], confidence=Confidence.R)
        self._succeed(unverified, old[15].iri, old[7], field=self.seconds[45], confidence=Confidence.R)
        residual = self._event("split-16", MINISTRIES, "split")
        self._succeed(residual, old[16].iri, old[2])
        self._succeed(residual, old[16].iri, old[3])
        self._succeed(self._event("absorbed-17", MINISTRIES, "absorption"), old[17].iri, old[4])
        self._succeed(self._event("ceded-18", MINISTRIES, "transfer"), old[18].iri, old[5], field=self.seconds[55])
        self._succeed(self._event("abolished-19", MINISTRIES, "abolition"), old[19].iri, None, confidence=Confidence.V1)
        self.heir_of_ministry = {
            **{old[8 + n].iri: new[n // 2] for n in range(6)},
            old[17].iri: old[4],
        }
        self.bureaus: dict[str, list[Body]] = {}
        for ministry in new:
            self._add_bureaus(ministry)
        for n, ministry in enumerate(old):
            heirs = self.bureaus.get(self.heir_of_ministry[ministry.iri].iri) if 8 <= n < 14 else None
            self._add_bureaus(ministry)
            if heirs:
                event = self._event(f"bureaus-{n}", MINISTRIES, "merger")
                for bureau, heir in zip(self.bureaus[ministry.iri], heirs, strict=True):
                    self._succeed(event, bureau.iri, heir)

    def _add_bureaus(self, ministry: Body) -> None:
        slug = ministry.iri.rsplit("/", 1)[1].replace("ministry", "bureau")
        self.bureaus[ministry.iri] = [
            self._body(
                f"{slug}-{n}", f"Cục {words.BUREAUS[n]} ({ministry.name})", "bureau", ministry.start, ministry.end,
                area=self.country, above=ministry,
            )
            for n in range(self.bureau_count)
        ]  # fmt: skip

    def _committees(self) -> None:
        """Make one people's committee per province, district and commune; those of merged areas pass on."""
        kinds = {"province": "province-committee", "district": "district-committee", "commune": "commune-committee"}
        for area in self.areas:
            if area is self.country:
                continue
            slug = "committee-" + area.iri.rsplit("/", 1)[1]
            area.committee = self._body(
                slug, f"UBND {area.name[0].lower()}{area.name[1:]}", kinds[area.level], area.start, area.end, area=area,
                above=self.government if area.level == "province" else None,
            )  # fmt: skip
        for area in self.areas:
            if area.committee is not None and area.level != "province" and area.above is not None:
                area.committee.above = area.above.committee
        provinces = self._event("provinces", PROVINCES, "merger")
        districts = self._event("districts", PROVINCES, "split")
        for area in [*self.old_provinces, *self.districts]:
            assert area.committee is not None
            several = len(area.heirs) > 1
            for heir in area.heirs:
                self._succeed(
                    provinces if area.level == "province" else districts, area.committee.iri, heir.committee,
                    area=heir if several else None, confidence=Confidence.V3 if several else Confidence.V1,
                )  # fmt: skip

    def _departments(self) -> None:
        """Make the departments of each province: two of them merge in March 2025, all of a merged province in July."""
        kinds = self.department_kinds
        label = [f"Sở {words.DEPARTMENTS[kind]}" for kind in range(kinds)]

        def department(area: Area, kind: int, start: str | None, end: str | None, slug: str, name: str) -> Body:
            return self._body(
                f"{slug}-{area.iri.rsplit('/', 1)[1]}-{kind}", f"{name} {area.name[0].lower()}{area.name[1:]}",
                "department", start, end, area=area, above=area.committee,
            )  # fmt: skip

        #: departments as they were before March 2025, by area and kind
        self.old_departments: dict[str, list[Body]] = {}
        merged_name = f"{label[-2]} và {words.DEPARTMENTS[kinds - 1]}"
        for area in self.provinces:
            if area.start is not None:
                area.departments = [
                    department(area, kind, area.start, None, "department", label[kind]) for kind in range(kinds - 2)
                ]
                area.departments.append(department(area, kinds - 2, area.start, None, "department", merged_name))
        for area in [*self.provinces[: self.continuing], *self.old_provinces]:
            ends = area.end
            lasting = [department(area, kind, None, ends, "department", label[kind]) for kind in range(kinds - 2)]
            ending = [
                department(area, kind, None, MINISTRIES, "department-former", label[kind])
                for kind in (kinds - 2, kinds - 1)
            ]
            made = department(area, kinds - 2, MINISTRIES, ends, "department", merged_name)
            slug = area.iri.rsplit("/", 1)[1]
            event = self._event(f"departments-{slug}", MINISTRIES, "merger")
            for body in ending:
                self._succeed(event, body.iri, made, confidence=Confidence.V3)
            self.old_departments[area.iri] = [*lasting, *ending]
            area.departments = [*lasting, made]
            if area.heirs:
                event = self._event(f"departments-merged-{slug}", PROVINCES, "merger")
                for body, heir in zip(area.departments, area.heirs[0].departments, strict=True):
                    self._succeed(event, body.iri, heir)

    def _outside(self) -> None:
        self.outside = [
            self._body(
                f"outside-{n}", f"{words.OUTSIDE[n % len(words.OUTSIDE)]} {words.place(2000 + n)}", "outside",
                outside=True,
            )
            for n in range(self.outside_count)
        ]  # fmt: skip

    # ---- who stands for a field ------------------------------------------------------------------------------------
    def ministry_of(self, second: int, on: str) -> Body:
        """Return the ministry that a second-level field was given to; after March 2025 a living one."""
        ministry = self.ministries[second // 3]
        if on >= MINISTRIES and ministry.end is not None:
            return self.heir_of_ministry.get(ministry.iri) or self.ministries[second % 8]
        return ministry

    def department_of(self, area: Area, second: int, on: str) -> Body:
        """Return a province's department for a second-level field; of the time before March 2025 for an earlier day."""
        kind = second * self.department_kinds // 24 if second < 24 else second % self.department_kinds
        if on < MINISTRIES:
            return self.old_departments[area.iri][kind]
        return area.departments[min(kind, self.department_kinds - 2)]

    # ---- scopes ----------------------------------------------------------------------------------------------------
    def _scope(self, **parts: object) -> None:
        iri = f"{NS}record/scope-{len(self.scopes)}"
        self.scopes.append(Claim(iri, Role.accountable, **parts))  # type: ignore[arg-type]

    def _scopes(self) -> None:
        """Give scopes to ministries, bureaus, departments and kinds; field 9 has none (nor 8, unless dense)."""
        rng = self.rng
        for second, entry in enumerate(self.seconds):
            if entry.top <= BUREAU_TOPS.stop - 1:
                self._scope(
                    holders=(self.ministry_of(second, "2016-01-01"),), fields=(entry,), areas=(self.country,),
                    start="2016-01-01", confidence=Confidence.V1, basis=self.basis(rng),
                    excludes=(self.leaves[second][3].iri,) if second % 12 == 5 else (),
                )  # fmt: skip
            if entry.top in BUREAU_TOPS:
                ministry = self.ministry_of(second, "2025-03-01")
                bureau = self.bureaus[ministry.iri][second % self.bureau_count]
                narrow = self.leaves[second]
                self._scope(
                    holders=(bureau,), fields=(narrow[0], narrow[1]) if second % 4 == 0 else (narrow[0],),
                    areas=(self.country,), start="2025-08-01", confidence=Confidence.V2, basis=self.basis(rng),
                )  # fmt: skip
        for area in [*self.provinces, *self.old_provinces]:
            for second in range(0, len(DEPARTMENT_TOPS) * 6, 1 if self.datasets >= 5_000 else 2):
                start = area.start or "2016-01-01"
                self._scope(
                    holders=(self.department_of(area, second, start),), fields=(self.seconds[second],), areas=(area,),
                    start=start, confidence=Confidence.V2 if second % 2 else Confidence.V3, basis=self.basis(rng),
                    excludes=(self.leaves[second][2].iri,) if second == 7 and area is self.provinces[0] else (),
                )  # fmt: skip
        self._scope(
            holder_kind=f"{NS}kind/province-committee", fields=(self.tops[PROVINCE_KIND_TOP],), areas=(self.country,),
            excludes=(self.provinces[1].iri,), confidence=Confidence.V1, basis=self.basis(rng),
        )  # fmt: skip
        self._scope(
            holder_kind=f"{NS}kind/commune-committee", fields=(self.tops[COMMUNE_KIND_TOP],), areas=(self.country,),
            start=PROVINCES, confidence=Confidence.V1, basis=self.basis(rng),
        )  # fmt: skip
        self._scope(
            holder_kind=f"{NS}kind/district-committee", fields=(self.tops[COMMUNE_KIND_TOP],), areas=(self.country,),
            start="2015-01-01", end=PROVINCES, confidence=Confidence.V1, basis=self.basis(rng),
        )  # fmt: skip
        # a scope that names no area, and scopes that name no field: the latter cross those of the departments
        self._scope(
            holders=(self.ministry_of(35, PROVINCES),), fields=(self.leaves[35][2],), start="2020-01-01",
            confidence=Confidence.V2, basis=self.basis(rng),
        )  # fmt: skip
        for commune in self.communes[:: max(60, len(self.communes) // 5)]:
            assert commune.committee is not None
            self._scope(
                holders=(commune.committee,), areas=(commune,), start="2025-09-01", confidence=Confidence.V3,
                basis=self.basis(rng),
            )  # fmt: skip
        if self.dense:
            for commune in self.communes:
                assert commune.committee is not None
                for top in self.tops[:UNSCOPED_TOP]:
                    self._scope(
                        holders=(commune.committee,), fields=(top,), areas=(commune,), start=PROVINCES,
                        confidence=Confidence.V3, basis=self.basis(rng),
                    )  # fmt: skip

    @cached_property
    def scopes_by_key(self) -> dict[tuple[str, str], list[Claim]]:
        """Return the scopes by (field, area), ``*`` for a part that is not given."""
        found: dict[tuple[str, str], list[Claim]] = {}
        for claim in self.scopes:
            for entry in claim.fields or (None,):
                for area in claim.areas or (None,):
                    key = (entry.iri if entry else "*", area.iri if area else "*")
                    found.setdefault(key, []).append(claim)
        return found

    @cached_property
    def bodies_by_kind(self) -> dict[str, list[Body]]:
        found: dict[str, list[Body]] = {}
        for body in self.bodies:
            found.setdefault(body.kind, []).append(body)
        return found

    # ---- sources ---------------------------------------------------------------------------------------------------
    @cached_property
    def registers(self) -> list[str]:
        """Return the graphs of the hundred registers: three of the ground, the others of bodies."""
        return [f"{NS}register/{n}" for n in range(100)]

    @property
    def ground(self) -> str:
        return self.registers[0]

    @property
    def law(self) -> str:
        return self.registers[1]

    @property
    def changes(self) -> str:
        return self.registers[2]

    def register_of(self, number: int) -> str:
        """Return a body's register; the last two are portals whose catalogue answers for what it lists."""
        return self.registers[3 + number % 95]

    @property
    def portals(self) -> list[str]:
        return self.registers[98:]


def _fields() -> list[Field]:
    made: list[Field] = []
    for top, (label, english) in enumerate(zip(words.FIELDS, words.FIELDS_EN, strict=True)):
        first = Field(f"{NS}field/{top}", label, english, None, top, -1)
        made.append(first)
        for aspect in range(6):
            middle = Field(
                f"{NS}field/{top}-{aspect}", f"{label}: {words.ASPECTS[aspect]}",
                f"{english}: {words.ASPECTS_EN[aspect]}", first, top, top * 6 + aspect,
            )  # fmt: skip
            made.append(middle)
            made.extend(
                Field(
                    f"{NS}field/{top}-{aspect}-{n}", f"{middle.label} {words.OBJECTS[n]}",
                    f"{middle.english} of {words.OBJECTS_EN[n]}", middle, top, middle.second,
                )
                for n in range(4)
            )  # fmt: skip
    return made
