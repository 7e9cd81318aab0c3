"""The bodies of Viet Nam on the days around the reorganisations of 2025."""

from __future__ import annotations

from datetime import date

import pytest

from graph.answering import Sources
from graph.bodies import bodies, kinds_of_level, kinds_under
from graph.terms import Level

VN = "https://w3id.org/diaba/vn/"


def listed(register: Sources, level: str, day: str) -> list[str]:
    kinds = kinds_of_level(register.graph, level)
    return [body.label for body in bodies(register.graph, kinds, date.fromisoformat(day))]


@pytest.mark.parametrize(
    ("level", "day", "count"),
    [
        (Level.province, "2025-06-30", 63),
        (Level.province, "2025-07-01", 34),
        (Level.district, "2025-06-30", 696),
        (Level.district, "2025-07-01", 0),
        (Level.commune, "2026-11-23", 3321),
        (Level.central, "2025-03-01", 17),
    ],
)
def test_a_level_lists_one_body_for_each_area_and_at_the_centre_the_ministries(
    register: Sources, level: str, day: str, count: int
) -> None:
    assert len(listed(register, level, day)) == count


def test_departments_and_posts_are_no_bodies_of_their_level(register: Sources) -> None:
    assert all(label.startswith("UBND") or label.startswith("Ủy ban") for label in listed(
        register, Level.province, "2025-07-01"
    ))  # fmt: skip


def test_a_body_is_listed_under_the_name_of_the_day_once_though_two_bore_it(register: Sources) -> None:
    before, after = listed(register, Level.central, "2025-02-28"), listed(register, Level.central, "2025-03-01")
    assert before.count("Bộ Tài chính") == after.count("Bộ Tài chính") == 1
    assert "Bộ Kế hoạch và Đầu tư" in before
    assert "Bộ Kế hoạch và Đầu tư" not in after


def test_a_kind_brings_its_narrower_kinds(register: Sources) -> None:
    kinds = kinds_under(register.graph, [f"{VN}kind/co-quan-chuyen-mon-cap-tinh"])
    assert f"{VN}kind/so-giao-duc-va-dao-tao" in kinds
