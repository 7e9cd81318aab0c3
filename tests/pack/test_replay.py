"""The reorganisations of 2025, replayed: what there was on the eve, what there is after, and who has what of each."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date

import pytest

from graph.answering import Sources
from graph.fate import Fate, fate
from graph.resources import folder
from graph.store import Reader
from graph.terms import D, Level

VN = "https://w3id.org/diaba/vn/"
AFTER = date(2025, 7, 1)
TABLES = ("central-successions", "department-successions", "province-successions", "ward-successions")


def became(register: Sources, path: str, day: date = AFTER) -> Fate:
    return fate(register.graph, VN + path, day)


def areas_of(reader: Reader, level: str, day: date) -> list[str]:
    rows = reader.query(
        f"SELECT ?area ?from ?until {{ ?area a <{D.Area}> ; <{D.level}> <{level}> "
        f"OPTIONAL {{ ?area <{D.from_}> ?from }} OPTIONAL {{ ?area <{D.until}> ?until }} }}"
    )
    return sorted(
        row["area"].value
        for row in rows  # type: ignore[union-attr]
        if (row["from"] is None or row["from"].value <= day.isoformat())
        and (row["until"] is None or day.isoformat() < row["until"].value)
    )


def communes_of(reader: Reader, province: str, day: date) -> int:
    placements = [subject.value for subject, _, _, _ in reader.incoming([VN + province], (D.under,))]
    placed = {part.value for _, _, part, _ in reader.outgoing(placements, (D.placed,))}
    return len(placed & set(areas_of(reader, Level.commune, day)))


@pytest.mark.parametrize(
    ("level", "eve", "after"), [(Level.province, 63, 34), (Level.district, 696, 0)]
)
def test_the_areas_of_a_level_on_the_eve_and_on_the_day(
    register: Sources, level: str, eve: int, after: int
) -> None:
    assert len(areas_of(register.graph, level, date(2025, 6, 30))) == eve
    assert len(areas_of(register.graph, level, AFTER)) == after


def test_hanoi_has_126_communes_after_and_da_nang_94(register: Sources) -> None:
    assert communes_of(register.graph, "area/thanh-pho-ha-noi", AFTER) == 126
    assert communes_of(register.graph, "area/thanh-pho-da-nang-2025", AFTER) == 94


@pytest.mark.parametrize("table", TABLES)
def test_everything_that_ended_resolves_to_the_heirs_of_the_tables(register: Sources, table: str) -> None:
    told: dict[str, set[str]] = defaultdict(set)
    with (folder("ontology") / "vn" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["confidence"] in ("V1", "V2", "V3"):
                told[row["predecessor"]].add(VN + row["successor"])
    assert told
    for path, heirs in told.items():
        found = became(register, path, date(2026, 7, 1))
        direct = {share.steps[0].successor for share in (*found.shares, *found.given) if share.steps[0].verified}
        assert direct == heirs, path
        assert None not in found.holders


def test_outside_hanoi_da_nang_and_quang_nam_nobody_verified_who_has_what_of_a_district(register: Sources) -> None:
    districts = areas_of(register.graph, Level.district, date(2025, 6, 30))
    found = {iri: fate(register.graph, iri, AFTER) for iri in districts}
    undecided = {iri for iri, one in found.items() if not one.holders}
    assert len(undecided) == 641
    assert all(found[iri].needs_decision for iri in undecided)
    assert {VN + "area/huyen-nam-dan", VN + "area/thanh-pho-chi-linh"} <= undecided
    assert not undecided & {VN + "area/quan-ba-dinh", VN + "area/quan-hoan-kiem"}


def test_what_became_of_the_ministry_of_labour_is_claimed_by_field_and_decided_by_nobody(register: Sources) -> None:
    found = became(register, "body/bo-lao-dong-thuong-binh-va-xa-hoi")
    assert found.ended
    assert found.span.end == date(2025, 3, 1)
    assert found.needs_decision
    assert found.holders == frozenset()
    assert {share.holder for share in found.shares} >= {VN + "body/bo-noi-vu", VN + "body/bo-y-te"}
    assert not any(share.verified for share in found.shares)


def test_a_body_that_ended_says_since_when_and_by_which_act(register: Sources) -> None:
    found = became(register, "body/bo-ke-hoach-va-dau-tu")
    assert found.span.end == date(2025, 3, 1)
    assert found.basis == (VN + "law/176-2025-qh15",)
    assert found.holders == {VN + "body/bo-tai-chinh-2025"}
    assert not found.needs_decision


def test_a_body_says_what_it_came_from(register: Sources) -> None:
    found = became(register, "body/so-xay-dung-ha-noi-2025")
    origins = {step.predecessor.removeprefix(VN + "body/") for step in found.origins}
    assert origins == {"so-giao-thong-van-tai-ha-noi", "so-xay-dung-ha-noi-den-2025"}


def test_on_the_eve_nothing_had_become_of_it(register: Sources) -> None:
    found = became(register, "body/bo-ke-hoach-va-dau-tu", date(2025, 2, 28))
    assert not found.ended
    assert found.holders == {VN + "body/bo-ke-hoach-va-dau-tu"}
