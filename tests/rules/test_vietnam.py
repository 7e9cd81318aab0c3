"""Hold the rules of Vietnamese law to the facts they were read from, and ask them what has a known answer."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pytest

from graph.checking import Checker
from graph.model import Interval
from graph.pack import quads_of, read_pack
from graph.resources import folder
from graph.rules import Judges, Rule, Rules, read_rules
from graph.store import OxigraphStore
from graph.terms import BASE, RDF, Confidence, D, Role

VN = BASE + "vn/"
LAW = VN + "law/"
X = "https://example.org/"
PAGE = (Path(__file__).parents[2] / "service" / "docs" / "rules-vn.md").read_text(encoding="utf-8").splitlines()
SEVERITIES = {"Violation": "violation", "Warning": "warning", "Info": "information"}


@cache
def rules() -> Rules:
    return read_rules("vn")


@cache
def checker() -> Checker:
    return Checker(rules().shapes)


def of_the_country() -> list[Rule]:
    """Return the rules that only this country has, in the order of their files."""
    own = [rule for rule in rules() if rule.place is not None and "/vn/" in rule.place.file]
    return [rule for rule in own if rule.place is not None and Path(rule.place.file).name != "articles.ttl"]


def rows_of(rule: Rule) -> list[str]:
    return rule.identifier.split(", ") if rule.identifier else []


@pytest.fixture(scope="module")
def facts(shared: Path) -> dict[str, dict[str, str]]:
    with (shared / "facts" / "vn" / "rules.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def said() -> dict[str, dict[str, set[str]]]:
    """Return what the pack says: thing → property → values."""
    found: dict[str, dict[str, set[str]]] = {}
    for part in read_pack(folder("ontology") / "vn").parts:
        for quad in quads_of(part):
            found.setdefault(quad.subject.value, {}).setdefault(quad.predicate.value, set()).add(quad.object.value)
    return found


# --- the rows of the facts --------------------------------------------------------------------------------------------


def test_every_row_whose_text_was_read_is_a_rule_and_no_other_is(facts: dict[str, dict[str, str]]) -> None:
    read = {name for name, row in facts.items() if re.match(r"V[12]\b", row["conf"])}
    assert len(facts) == 65
    assert len(read) == 58
    assert {name for rule in rules() for name in rows_of(rule)} == read


def test_a_rule_applies_only_on_days_of_its_rows(facts: dict[str, dict[str, str]]) -> None:
    for rule in of_the_country():
        for name in rows_of(rule):
            first, end = facts[name]["valid_from"], facts[name]["valid_to"]
            assert rule.applies.start is not None, rule.name
            assert rule.applies.start >= date.fromisoformat(first), rule.name
            if end:
                assert rule.applies.end is not None, rule.name
                assert rule.applies.end <= date.fromisoformat(end), rule.name


def test_wordings_of_one_row_follow_each_other_and_never_overlap() -> None:
    for earlier, later in (
        ("devolution-without-law-77-2015", "devolution-without-law-65-2025"),
        ("devolution-without-law-65-2025", "devolution-without-law"),
        ("request-answered-late-5-days", "request-answered-late-2-days"),
        ("refusal-without-reason", "refusal-without-reason-or-law"),
    ):
        assert rules().by_name[earlier].applies.end == rules().by_name[later].applies.start


def test_what_is_inferred_warns_at_most(facts: dict[str, dict[str, str]]) -> None:
    for rule in of_the_country():
        inferred = [name for name in rows_of(rule) if re.search("suy luận|e contrario", facts[name]["source"])]
        assert rule.inferred or not inferred, rule.name
        if rule.inferred:
            assert rule.severity.endswith(("#Warning", "#Info")), rule.name
            assert "inference" in rule.citation["en"], rule.name


def test_a_rule_is_no_more_severe_than_its_row(facts: dict[str, dict[str, str]]) -> None:
    order = ["info", "warning", "error"]
    for rule in of_the_country():
        own = {"Info": 0, "Warning": 1, "Violation": 2}[rule.severity.rsplit("#", 1)[1]]
        assert own <= max(order.index(facts[name]["severity"].split()[0]) for name in rows_of(rule)) or (
            # the pairs of Hanoi are of the table that rows 09, 10 and 32 make an error of
            "DL-32" in rows_of(rule)
            # and that a mandate leaves the principal accountable is what the word means
            or rows_of(rule) == ["DL-17"]
        ), rule.name


def test_every_rule_names_provisions_that_the_pack_has(said: dict[str, dict[str, set[str]]]) -> None:
    for rule in rules():
        if not rule.identifier:
            continue
        assert rule.basis, rule.name
        assert set(rule.citation) == {"vi", "en"}, rule.name
        for basis in rule.basis:
            assert said[basis][RDF.type] & {D.LegalInstrument, D.Provision}, basis
            (mark,) = said[basis][D.confidence]
            assert mark in Confidence.OFFICIAL, basis
            assert said[basis][D.source], basis


def test_a_rule_is_in_force_only_while_its_provisions_are(said: dict[str, dict[str, set[str]]]) -> None:
    for rule in of_the_country():
        lives = [
            Interval(*(date.fromisoformat(min(said[basis][term])) if term in said[basis] else None
                       for term in (D.from_, D.until)))
            for basis in rule.basis
        ]  # fmt: skip
        assert rule.applies.start is not None
        assert any(life.start is None or life.start <= rule.applies.start for life in lives), rule.name
        if rule.applies.end is None:
            assert any(life.end is None for life in lives), rule.name
        else:
            assert any(life.end is None or life.end >= rule.applies.end for life in lives), rule.name


def test_every_rule_says_in_two_languages_what_is_wrong_and_what_to_do() -> None:
    for rule in of_the_country():
        assert set(rule.label) == set(rule.comment) == {"vi", "en"}, rule.name
        shape = rules().shapes[rule.node]
        messages = [*rule.messages, *(text for one in shape.constraints for text in getattr(one, "messages", ()))]
        assert {text.language for text in rule.messages} == {"vi", "en"}, rule.name
        assert all(": " in text.value and text.value.endswith(".") for text in messages), rule.name


def test_an_act_is_judged_by_its_own_day_and_a_state_has_none() -> None:
    for rule in of_the_country():
        assert (rule.judges is Judges.act) == (rule.act_date is not None), rule.name


# --- the page ---------------------------------------------------------------------------------------------------------


def test_the_page_tells_of_every_row_which_rule_carries_it_or_why_none_does(facts: dict[str, dict[str, str]]) -> None:
    told = {
        cells[1]: cells for line in PAGE if (cells := [cell.strip() for cell in line.split("|")]) and len(cells) == 6
    }
    for name, row in facts.items():
        _, _, mark, named, why, _ = told[name]
        assert mark == row["conf"].split()[0], name
        carriers = {rule.name for rule in rules() if name in rows_of(rule)}
        assert set(re.findall(r"`([\w-]+)`", named)) == carriers, name
        assert carriers or why, name


def test_the_page_tells_every_rule_with_its_severity_and_days() -> None:
    for rule in of_the_country():
        severity = SEVERITIES[rule.severity.rsplit("#", 1)[1]] + ", our inference" * rule.inferred
        days = f"{rule.applies.start or '…'} – {rule.applies.end or '…'}"
        line = f"| `{rule.name}` | {severity} | {rule.judges.name} | {days} | {rule.label['en']}. "
        assert any(told.startswith(line) for told in PAGE), line


# --- questions with known answers -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def country() -> OxigraphStore:
    """Return a store with the whole pack, without standings."""
    store = OxigraphStore()
    for part in read_pack(folder("ontology") / "vn").parts:
        graph = ox.NamedNode(part.source)
        store.raw.bulk_extend(ox.Quad(q.subject, q.predicate, q.object, graph) for q in quads_of(part))
    return store


def record(name: str, kind: str, **said: str | date) -> Iterable[ox.Quad]:
    """Yield the statements of one record; dates are days, everything else names a thing."""
    subject = ox.NamedNode(X + name)
    yield ox.Quad(subject, ox.NamedNode(RDF.type), ox.NamedNode(kind))
    for key, value in said.items():
        term: ox.NamedNode | ox.Literal = (
            ox.Literal(value.isoformat(), datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#date"))
            if isinstance(value, date)
            else ox.NamedNode(value)
        )
        yield ox.Quad(subject, ox.NamedNode(D.NS + key.rstrip("_")), term)


def found(store: OxigraphStore, records: Iterable[ox.Quad], focus: str, day: date) -> set[str]:
    """Return the names of the rules that find a fault in one thing on a day, if these records were there too."""
    added = list(records)
    store.raw.extend(added)
    try:
        results = checker().check(store, day, nodes=[ox.NamedNode(X + focus)])
        return {rule.name for rule, _ in rules().in_force(store, results, day)}
    finally:
        for quad in added:
            store.raw.remove(quad)


def mandate(giver: str, taker: str, day: date, taken: str = X + "duty") -> list[ox.Quad]:
    """Return a mandate of two years, by a giver who has the duty."""
    return [
        *record("duty", D.Responsibility, holder=VN + giver, role=Role.accountable, covers=X + "data", from_=day),
        *record("text", D.LegalInstrument, issuer=VN + giver, from_=day),
        *record("grant", D.Transfer, transferKind=D.mandate, transferor=VN + giver, takesFrom=taken,
                creates=X + "given", basis=X + "text", grantedOn=day),
        *record("given", D.Responsibility, holder=VN + taker, role=Role.executes, covers=X + "data", basis=X + "text",
                from_=day, until=day.replace(year=day.year + 2)),
    ]  # fmt: skip


@pytest.mark.parametrize(("day", "holds"), [("2025-06-30", True), ("2025-07-01", False)])
def test_the_committee_of_ba_dinh_district_can_hold_a_duty_until_the_level_ended(
    country: OxigraphStore, day: str, holds: bool
) -> None:
    duty = record(
        "duty", D.Responsibility, holder=VN + "body/ubnd-quan-ba-dinh", role=Role.accountable, covers=X + "data",
        basis=LAW + "77-2015-qh13", from_=date(2024, 1, 1),
    )  # fmt: skip
    assert ("holder-ended" not in found(country, duty, "duty", date.fromisoformat(day))) is holds


def test_a_district_body_whose_end_nobody_recorded_is_found_too(country: OxigraphStore) -> None:
    records = [
        *record("body", D.Agency, bodyKind=VN + "kind/ubnd-cap-huyen"),
        *record("duty", D.Responsibility, holder=X + "body", role=Role.accountable, covers=X + "data",
                basis=LAW + "77-2015-qh13", from_=date(2024, 1, 1)),
    ]  # fmt: skip
    assert "district-body-still-holds" not in found(country, records, "duty", date(2025, 6, 30))
    assert "district-body-still-holds" in found(country, records, "duty", date(2025, 7, 1))


@pytest.mark.parametrize(
    ("day", "law"), [("2025-02-28", "77-2015-qh13"), ("2025-03-01", "65-2025-qh15"), ("2025-06-16", "72-2025-qh15")]
)
def test_devolution_is_judged_by_the_local_government_law_of_the_day(day: str, law: str) -> None:
    judging = [
        rule for rule in rules()
        if rule.name.startswith("devolution-") and rule.applies.contains(date.fromisoformat(day))
    ]  # fmt: skip
    assert {basis.removeprefix(LAW).split("/")[0] for rule in judging for basis in rule.basis} == {law}


@pytest.mark.parametrize(
    ("day", "working_days"), [("2025-06-01", "5"), ("2025-09-01", "2"), ("2025-11-01", None)]
)  # fmt: skip
def test_a_connection_request_is_to_be_answered_in_the_working_days_of_its_day(
    day: str, working_days: str | None
) -> None:
    judging = [
        rule.name for rule in rules()
        if "DG-10" in rows_of(rule) and rule.applies.contains(date.fromisoformat(day))
    ]  # fmt: skip
    assert judging == ([f"request-answered-late-{working_days}-days"] if working_days else [])


def test_a_mandated_body_may_not_mandate_further(country: OxigraphStore) -> None:
    day = date(2025, 8, 1)
    head = "post/giam-doc-so-cong-thuong-lao-cai"
    records = [
        *mandate("body/ubnd-tinh-lao-cai-2025", head, day),
        *record("further", D.Transfer, transferKind=D.mandate, transferor=VN + head, takesFrom=X + "given",
                creates=X + "given-on", basis=X + "text", grantedOn=day),
        *record("given-on", D.Responsibility, holder=VN + "body/so-cong-thuong-lao-cai", role=Role.executes,
                covers=X + "data", basis=X + "text", from_=day, until=date(2027, 1, 1)),
    ]  # fmt: skip
    assert "mandate-passed-on" in found(country, records, "further", day)
    assert "mandate-passed-on" not in found(country, records, "grant", day)


PAIR_RULES = {"mandate-pair-not-permitted", "mandate-to-a-body-not-its-head", "pair-not-permitted-in-ha-noi",
              "taker-outside-the-givers-area"}  # fmt: skip
HANOI, SCIENCE = "body/ubnd-thanh-pho-ha-noi", "body/so-khoa-hoc-va-cong-nghe-ha-noi-2025"


def test_hanoi_may_mandate_a_department_as_a_body_while_the_capital_law_of_2024_lasts(country: OxigraphStore) -> None:
    day = date(2025, 8, 1)
    assert rules().by_name["pair-not-permitted-in-ha-noi"].applies.contains(day)
    assert not found(country, mandate(HANOI, SCIENCE, day), "grant", day) & PAIR_RULES


def test_what_hanoi_may_do_under_the_law_that_was_not_read_is_not_applicable(country: OxigraphStore) -> None:
    day = date(2026, 8, 1)
    assert not rules().by_name["pair-not-permitted-in-ha-noi"].applies.contains(day)
    for taker in (SCIENCE, "body/bo-cong-an"):
        assert not found(country, mandate(HANOI, taker, day), "grant", day) & PAIR_RULES


def test_hanoi_may_not_mandate_a_body_on_neither_list(country: OxigraphStore) -> None:
    day = date(2025, 8, 1)
    assert found(country, mandate(HANOI, "body/bo-cong-an", day), "grant", day) & PAIR_RULES


def test_another_province_is_warned_when_it_mandates_a_department_and_not_its_head(country: OxigraphStore) -> None:
    day, giver = date(2025, 8, 1), "body/ubnd-tinh-lao-cai-2025"
    as_a_body = found(country, mandate(giver, "body/so-cong-thuong-lao-cai", day), "grant", day)
    assert as_a_body & PAIR_RULES == {"mandate-to-a-body-not-its-head"}
    to_its_head = found(country, mandate(giver, "post/giam-doc-so-cong-thuong-lao-cai", day), "grant", day)
    assert not to_its_head & PAIR_RULES


def test_a_breach_of_a_law_that_has_ended_stays(country: OxigraphStore) -> None:
    day = date(2025, 6, 2)
    records = [
        *record("request", D.DataRequest, regards=X + "data", doneOn=day),
        *record("answer", D.Answer, answers=X + "request", doneOn=date(2025, 7, 15)),
    ]
    for later in (date(2025, 8, 1), date(2026, 11, 23)):
        assert found(country, records, "request", later) == {"request-answered-late-5-days"}


def test_nothing_that_the_pack_itself_says_breaks_its_law(country: OxigraphStore) -> None:
    own = {rule.name for rule in of_the_country()}
    for day in (date(2021, 1, 1), date(2025, 6, 30), date(2025, 9, 1), date(2026, 11, 23), date(2027, 6, 1)):
        results = checker().check(country, day, roots=[rules().by_name[name].node for name in sorted(own)])
        assert [(rule.name, str(result.focus)) for rule, result in rules().in_force(country, results, day)] == []
