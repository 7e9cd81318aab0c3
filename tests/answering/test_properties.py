"""Hold what must be true of every register, by trying thousands of small ones."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.answering import answer
from graph.errors import NotFound
from graph.evidence import gather
from graph.model import Evidence
from graph.reach import touched
from graph.responsibility import Weighing, decide
from graph.standing import changes, derive, described, standings_of
from graph.store import OxigraphStore
from graph.terms import DCAT, RDF, D, Role, Status
from tests.answering.registers import DATASETS, DAYS, GRAPH, Fact, X, keys, quad, registers, store_of

ROLES = [Role.accountable, Role.executes, Role.owner]
ANY_DAY = st.dates(date(2023, 6, 1), date(2026, 12, 31))
NEAR_A_BOUNDARY = st.builds(lambda day, off: day + timedelta(days=off), st.sampled_from(DAYS), st.integers(-1, 1))


def shuffled(evidence: Evidence, seed: int) -> Evidence:
    """Return the same evidence with everything that has an order in another one."""
    chance = random.Random(seed)

    def mix(mapping: dict) -> dict:
        items = list(mapping.items())
        chance.shuffle(items)
        return {key: tuple(chance.sample(v, len(v))) if isinstance(v, tuple) else v for key, v in items}

    return replace(
        evidence,
        responsibilities=mix(dict(evidence.responsibilities)),
        created_by=mix(dict(evidence.created_by)),
        successions=mix(dict(evidence.successions)),
        holders=mix(dict(evidence.holders)),
        areas=mix(dict(evidence.areas)),
        bodies_in=mix(dict(evidence.bodies_in)),
        laws=mix(dict(evidence.laws)),
    )


@given(registers(), st.sampled_from(ROLES), NEAR_A_BOUNDARY, st.integers(0, 10))
def test_any_order_of_the_claims_gives_the_same_answer(facts: list[Fact], role: str, day: date, seed: int) -> None:
    store = store_of(facts)
    for dataset in DATASETS:
        evidence = gather(store, dataset)
        assert decide(shuffled(evidence, seed), role, day) == decide(evidence, role, day)


@given(registers(), st.sampled_from(ROLES), NEAR_A_BOUNDARY)
def test_a_claim_on_other_data_changes_nothing(facts: list[Fact], role: str, day: date) -> None:
    other: list[Fact] = [
        (X + "elsewhere", RDF.type, DCAT.Dataset),
        (X + "unrelated", RDF.type, D.Responsibility),
        (X + "unrelated", D.role, role),
        (X + "unrelated", D.holder, X + "body-0"),
        (X + "unrelated", D.covers, X + "elsewhere"),
        (X + "far-scope", RDF.type, D.Responsibility),
        (X + "far-scope", D.role, role),
        (X + "far-scope", D.holder, X + "body-1"),
        (X + "far-scope", D.field, X + "field-nobody-uses"),
    ]
    store, wider = store_of(facts), store_of([*facts, *other])
    for dataset in DATASETS:
        assert decide(gather(wider, dataset), role, day) == decide(gather(store, dataset), role, day)


@given(registers(), st.sampled_from(ROLES), ANY_DAY)
def test_an_answer_changes_only_on_a_boundary(facts: list[Fact], role: str, day: date) -> None:
    for dataset in DATASETS:
        evidence = gather(store_of(facts), dataset)
        weighing = Weighing(evidence)
        last = max((boundary for boundary in evidence.boundaries() if boundary <= day), default=date.min)
        now, then = weighing.decide(role, day), weighing.decide(role, last)
        assert (now.status, now.holders, now.premises) == (then.status, then.holders, then.premises)


@given(registers(), st.sampled_from(ROLES), ANY_DAY | NEAR_A_BOUNDARY)
def test_the_answer_on_a_role_changes_only_on_a_turning_day_of_the_role(
    facts: list[Fact], role: str, day: date
) -> None:
    for dataset in DATASETS:
        evidence = gather(store_of(facts), dataset)
        weighing = Weighing(evidence)
        days = weighing.turning_days(role)
        assert set(days) <= set(evidence.boundaries())
        last = max((turning for turning in days if turning <= day), default=date.min)
        now, then = weighing.decide(role, day), weighing.decide(role, last)
        assert (now.status, now.holders, now.premises) == (then.status, then.holders, then.premises)


@given(st.sampled_from(DAYS), st.sampled_from(DAYS))
def test_a_responsibility_holds_on_its_first_day_and_not_on_its_until(start: date, end: date) -> None:
    start, end = sorted((start, end))
    record = X + "record"
    facts: list[Fact] = [
        (DATASETS[0], RDF.type, DCAT.Dataset),
        (record, RDF.type, D.Responsibility),
        (record, D.role, Role.accountable),
        (record, D.holder, X + "body-0"),
        (record, D.covers, DATASETS[0]),
        (record, D.from_, start),
        (record, D.until, end),
    ]
    evidence = gather(store_of(facts), DATASETS[0])
    day = timedelta(days=1)
    status = {when: decide(evidence, Role.accountable, when).status for when in (start - day, start, end - day, end)}
    if start == end:
        assert set(status.values()) == {Status.unknown}
    else:
        assert status == {
            start - day: Status.not_yet,
            start: Status.held,
            end - day: Status.held,
            end: Status.expired,
        }


@given(registers(), NEAR_A_BOUNDARY)
def test_the_card_equals_the_standing_on_any_day(facts: list[Fact], day: date) -> None:
    store = store_of(facts)
    for dataset in DATASETS:
        evidence = gather(store, dataset)
        standings = standings_of(evidence)
        card = answer(evidence, day, day)
        for role, decision in card.decisions.items():
            valid = [s for s in standings if s.role == role and s.span.contains(day)]
            assert len(valid) <= 1
            if valid:
                assert (valid[0].status, valid[0].holders) == (decision.status, decision.holders)
                assert set(decision.premises) <= set(valid[0].premises)
            else:
                assert role != Role.accountable
                assert decision.status == Status.unknown


@given(registers())
def test_the_standings_of_a_role_follow_one_another_without_gap(facts: list[Fact]) -> None:
    for dataset in DATASETS:
        spans = [s.span for s in standings_of(gather(store_of(facts), dataset)) if s.role == Role.accountable]
        assert spans[0].start is None
        assert spans[-1].end is None
        assert all(before.end == after.start for before, after in zip(spans, spans[1:], strict=False))


@given(registers(), st.sampled_from(ROLES), NEAR_A_BOUNDARY)
def test_a_claim_that_is_not_verified_is_never_the_answer(facts: list[Fact], role: str, day: date) -> None:
    for dataset in DATASETS:
        decision = decide(gather(store_of(facts), dataset), role, day)
        assert all(c.record.verified for line in decision.lines for c in line.candidates)


def apply(store: OxigraphStore, old: list[Fact], new: list[Fact]) -> None:
    """Change a store from one register to another, and its standings only where the change reaches."""
    before = {quad(fact) for fact in old} | keys(old)
    after = {quad(fact) for fact in new} | keys(new)
    removed, added = before - after, after - before
    store.apply(removed, added, store.revision + 1)
    reached = touched(store, removed, added)
    gone, come = changes(store, described(store) if reached is None else reached)
    store.apply(gone, come, store.revision)


@settings(max_examples=300)
@given(registers(), registers(), st.integers(0, 2**32))
def test_standings_kept_up_equal_standings_made_anew(one: list[Fact], other: list[Fact], seed: int) -> None:
    chance = random.Random(seed)
    changed = set(chance.sample(sorted({fact[0] for fact in (*one, *other)}), chance.randint(1, 4)))
    two = [fact for fact in one if fact[0] not in changed] + [fact for fact in other if fact[0] in changed]
    store = store_of(one)
    store.load(list(derive(store, described(store))), 1)
    for old, new in ((one, two), (two, one)):
        apply(store, old, new)
        anew = store_of(new)
        expected = set(derive(anew, described(anew)))
        kept = {q for q in store.outgoing({q.subject.value for q in expected}) if q.graph_name != GRAPH}
        assert kept == expected
        assert set(derive(store, described(store))) == expected


def test_an_iri_nobody_speaks_of_is_not_found() -> None:
    evidence = gather(store_of([]), X + "nothing")
    with pytest.raises(NotFound, match=X + "nothing"):
        answer(evidence, DAYS[0], DAYS[0])
