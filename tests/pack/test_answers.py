"""The questions about Viet Nam whose answers are known, asked of the pack as it is loaded."""

from __future__ import annotations

from datetime import date

import pytest

from graph.answering import Card, Sources, who
from graph.terms import Confidence, Role, Status

VN = "https://w3id.org/diaba/vn/"


def ask(register: Sources, dataset: str, day: str) -> Card:
    return who(register, f"{VN}dataset/{dataset}", date.fromisoformat(day))


def names(iris: tuple[str, ...]) -> list[str]:
    return [iri.rsplit("/", 1)[1] for iri in iris]


@pytest.mark.parametrize(
    ("dataset", "day", "status", "holders"),
    [
        ("dang-ky-doanh-nghiep", "2025-02-28", Status.held, ["bo-ke-hoach-va-dau-tu"]),
        ("dang-ky-doanh-nghiep", "2025-03-01", Status.held, ["bo-tai-chinh-2025"]),
        ("dat-dai", "2024-05-08", Status.not_yet, []),
        ("dat-dai", "2025-02-28", Status.held, ["bo-tai-nguyen-va-moi-truong"]),
        ("dat-dai", "2025-03-01", Status.held, ["bo-nong-nghiep-va-moi-truong"]),
        ("dan-cu", "2026-11-23", Status.held, ["bo-cong-an"]),
        # nobody recorded a new holder: the merger is followed
        ("tai-chinh", "2025-02-28", Status.held, ["bo-tai-chinh-den-2025"]),
        ("tai-chinh", "2025-03-01", Status.held, ["bo-tai-chinh-2025"]),
        ("hoat-dong-xay-dung", "2025-03-01", Status.held, ["bo-xay-dung-2025"]),
        # the heir by law and an unverified claim disagree
        ("giay-phep-lai-xe", "2025-02-28", Status.held, ["bo-giao-thong-van-tai"]),
        ("giay-phep-lai-xe", "2025-03-01", Status.needs_decision, ["bo-xay-dung-2025"]),
        # only remembered: never the answer
        ("thu-tuc-hanh-chinh", "2026-11-23", Status.unknown, []),
        ("ho-tich-dien-tu", "2026-11-23", Status.unknown, []),
        ("giao-duc-va-dao-tao", "2026-05-14", Status.not_yet, []),
        ("giao-duc-va-dao-tao", "2026-05-15", Status.held, ["bo-giao-duc-va-dao-tao"]),
        # two names in one cell, and a name that was inferred: claims, not holders
        ("csdl-luu-tru-truc-tuyen-da-nang", "2026-11-23", Status.unknown, []),
        ("csdl-can-bo-cong-chuc-vien-chuc-da-nang", "2026-11-23", Status.unknown, []),
        # a provincial merger is followed to the new committee
        ("csdl-nen-cong-dan-da-nang", "2025-06-30", Status.held, ["ubnd-thanh-pho-da-nang-den-2025"]),
        ("csdl-nen-cong-dan-da-nang", "2025-07-01", Status.held, ["ubnd-thanh-pho-da-nang-2025"]),
        ("httt-co-so-du-lieu-nong-nghiep-ca-mau", "2025-07-01", Status.held, ["ubnd-tinh-ca-mau-2025"]),
        # one statement of the decree holds for every group of the series
        ("nhom-du-lieu-giao-duc-mam-non", "2026-11-23", Status.held, ["bo-giao-duc-va-dao-tao"]),
        ("kho-csdl-hanh-chinh-dung-chung-tu-so-hoa-tai-lieu", "2026-11-23", Status.held, ["ubnd-thanh-pho-ha-noi"]),
    ],
)
def test_the_managing_body_on_a_day(register: Sources, dataset: str, day: str, status: str, holders: list[str]) -> None:
    decision = ask(register, dataset, day).accountable
    assert (decision.status, names(decision.holders)) == (status, holders)


def test_the_ministry_of_labours_data_need_a_decision(register: Sources) -> None:
    dataset = "he-thong-tro-giup-xa-hoi"
    assert names(ask(register, dataset, "2025-02-28").accountable.holders) == ["bo-lao-dong-thuong-binh-va-xa-hoi"]
    assert ask(register, dataset, "2025-03-01").accountable.status == Status.needs_decision


def test_the_owner_stands_above_the_managing_body(register: Sources) -> None:
    card = ask(register, "dan-cu", "2025-03-01")
    assert names(card.decisions[Role.owner].holders) == ["chinh-phu"]


def test_an_answer_never_rests_on_what_is_only_remembered(register: Sources) -> None:
    datasets = register.graph.query(
        "PREFIX d: <https://w3id.org/diaba/ns#> SELECT DISTINCT ?x { ?r d:covers ?x ; d:role ?role }"
    )
    for row in datasets:  # type: ignore[union-attr]
        card = who(register, row["x"].value, date(2026, 11, 23))  # type: ignore[index]
        for decision in card.decisions.values():
            for line in decision.lines:
                assert line.leading.record.confidence in Confidence.VERIFIED


def test_the_mandate_of_lao_cai_covers_two_procedures_and_no_data(register: Sources) -> None:
    for day, holder in (
        ("2025-11-06", "giam-doc-so-cong-thuong-lao-cai"),
        ("2027-02-28", "giam-doc-so-cong-thuong-lao-cai"),
        ("2025-11-05", None),
        ("2027-03-01", None),
    ):
        card = who(register, VN + "task/tthc-2-000229", date.fromisoformat(day))
        executes = card.decisions[Role.executes]
        assert names(executes.holders) == ([holder] if holder else [])
        assert names(card.accountable.holders) == ["ubnd-tinh-lao-cai-2025"]


def test_what_the_panel_said_of_the_smart_city_scheme_is_followed(register: Sources) -> None:
    task = VN + "task/de-an-thanh-pho-thong-minh-ha-noi"
    spoken = who(register, task, date(2024, 11, 25)).decisions[Role.executes]
    assert names(spoken.holders) == ["so-thong-tin-va-truyen-thong-ha-noi"]
    later = who(register, task, date(2025, 3, 1)).decisions[Role.executes]
    assert names(later.holders) == ["so-khoa-hoc-va-cong-nghe-ha-noi-2025"]


@pytest.mark.parametrize(
    ("dataset", "role", "stated", "now"),
    [
        (
            "csdl-nguoi-dan-tp-hcm-kho-dung-chung",
            Role.operates,
            "so-thong-tin-va-truyen-thong-tp-hcm",
            "so-khoa-hoc-va-cong-nghe-tp-hcm",
        ),
        ("csdl-doanh-nghiep-tp-hcm-kho-dung-chung", Role.operates, "so-thong-tin-va-truyen-thong-tp-hcm", None),
        ("csdl-ban-do-so-tp-hcm", Role.operates, "so-thong-tin-va-truyen-thong-tp-hcm", None),
        ("csdl-danh-muc-dung-chung-tp-hcm", Role.operates, "so-thong-tin-va-truyen-thong-tp-hcm", None),
        (
            "csdl-nen-cong-dan-da-nang",
            Role.operates,
            "so-thong-tin-va-truyen-thong-da-nang",
            "so-khoa-hoc-va-cong-nghe-da-nang",
        ),
        ("csdl-nen-doanh-nghiep-da-nang", Role.operates, "so-thong-tin-va-truyen-thong-da-nang", None),
        (
            "csdl-dat-dai-da-nang",
            Role.accountable,
            "so-tai-nguyen-va-moi-truong-da-nang",
            "so-nong-nghiep-va-moi-truong-da-nang",
        ),
        (
            "du-lieu-ve-cong-trinh-thuy-loi-tren-dia-ban-thanh-pho",
            Role.accountable,
            "so-nong-nghiep-va-phat-trien-nong-thon-tp-hcm",
            "so-nong-nghiep-va-moi-truong-tp-hcm",
        ),
    ],
)
def test_the_body_that_a_source_states_is_the_answer_and_the_one_it_became_a_claim(
    register: Sources, dataset: str, role: str, stated: str, now: str | None
) -> None:
    """The facts say "X (now Y)" without a day, or X alone; nothing of a source of 2019 makes Y an answer for 2020."""
    for day in ("2020-01-01", "2026-11-23"):
        assert names(ask(register, dataset, day).decisions[role].holders) == [stated]
    rows = register.graph.query(
        f"PREFIX d: <https://w3id.org/diaba/ns#> SELECT ?holder ?from {{ ?r d:covers <{VN}dataset/{dataset}> ;"
        f" d:role <{role}> ; d:holder ?holder ; d:confidence <{Confidence.R}> OPTIONAL {{ ?r d:from ?from }} }}"
    )
    claims = [(row["holder"].value.rsplit("/", 1)[1], row["from"].value) for row in rows]  # type: ignore[index,union-attr]
    assert claims == ([(now, "2025-03-01")] if now else [])


@pytest.mark.parametrize(
    ("dataset", "bases"),
    [
        ("dat-dai", ["31-2024-qh15"]),
        ("dang-ky-doanh-nghiep", ["01-2021-nd-cp", "168-2025-nd-cp"]),
    ],
)
def test_the_basis_shown_is_the_one_that_the_facts_name_not_the_law_of_the_reform(
    register: Sources, dataset: str, bases: list[str]
) -> None:
    accountable = ask(register, dataset, "2026-11-23").accountable
    [line] = accountable.lines
    assert names(line.leading.record.basis) == bases


def test_who_built_an_index_is_not_made_accountable_for_it(register: Sources) -> None:
    card = ask(register, "bo-chi-so-chat-luong-du-lieu-da-nang", "2024-11-25")
    assert names(card.decisions[Role.provides].holders) == ["ubnd-thanh-pho-da-nang-den-2025"]
    assert card.accountable.status == Status.unknown
