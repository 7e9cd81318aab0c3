"""No plan loses a responsibility: what was held is held, in a set, vacant, or ended by something that says so."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from graph.errors import Malformed, Place
from graph.evidence import gather
from graph.plans.drafting import Draft, draft
from graph.plans.foreseeing import statements_of
from graph.plans.reading import Document
from graph.projections import scope_keys
from graph.reach import touched
from graph.responsibility import decide
from graph.standing import changes, derive, described
from graph.store import OxigraphStore
from graph.terms import RDF, SKOS, D, Role, Status
from tests.answering.registers import AREAS, BODIES, DATASETS, FIELDS, POSTS, Fact, X, registers, store_of

DAY = date(2026, 6, 1)
EVE = DAY - timedelta(days=1)
HELD = (Status.held, Status.shared)


def a_plan(facts: list[Fact], seed: int) -> dict[str, Any]:
    """Make a random plan over the bodies and areas of a random register, mostly those that did not end."""
    chance = Random(seed)
    changes: list[dict[str, Any]] = []
    gone = {subject for subject, said, _ in facts if said == D.until} | {
        str(value) for _, said, value in facts if said == D.ends
    }
    bodies = [body for body in BODIES if body not in gone]
    areas = [area for area in AREAS[1:] if area not in gone]
    if len(bodies) < 3 or len(areas) < 2:
        bodies, areas = BODIES, AREAS[1:]
    for _ in range(chance.randint(1, 3)):
        of, heir, third = chance.sample(bodies, 3)
        one, other = chance.sample(areas, 2)
        field = chance.sample(FIELDS, 1)
        changes.append(
            chance.choice(
                [
                    {"merger": {"of": [of, heir], "into": "new-body"}},
                    {"absorption": {"of": [of], "into": heir}},
                    {"absorption": {"of": [of, third], "into": heir}},
                    {"split": {"of": of, "into": [{"to": heir, "fields": field}, {"to": third}]}},
                    {"split": {"of": of, "into": [{"to": heir, "fields": field}, {"to": third, "areas": [one]}]}},
                    {"split-off": {"of": of, "into": [{"to": heir, "fields": field}]}},
                    {"transfer": {"from": of, "to": heir, "areas": [one]}},
                    {"abolition": {"of": of}},
                    {"abolition": {"of": of, "nobody": True}},
                    {"abolition": {"of": chance.choice(POSTS)}},
                    {"absorption": {"of": [one], "into": other}},
                    {"merger": {"of": [one, other], "into": "new-area"}},
                    {"split": {"of": one, "into": [{"to": other}, {"to": "new-area"}]}},
                    {"move": {"of": one, "under": AREAS[0]}},
                ]
            )
        )
    return {
        "plan": "random", "title": "Random", "effective": DAY.isoformat(), "basis": [{"number": "1/2026"}],
        "new": {
            "bodies": {"new-body": {"name": "New", "kind": X + "kind-province"}},
            "areas": {"new-area": {"name": "New", "level": "province", "under": AREAS[0]}},
        },
        "changes": changes,
    }  # fmt: skip


def ready(facts: list[Fact]) -> OxigraphStore:
    """Return the register with its fields and kinds typed, as a plan wants what it names."""
    typed: list[Fact] = [(node, RDF.type, SKOS.Concept) for node in (*FIELDS, X + "kind-province")]
    return store_of([*facts, *typed])


def drafted(store: OxigraphStore, facts: list[Fact], seed: int) -> Draft | None:
    try:
        return draft(Document("random", a_plan(facts, seed), lambda at: Place("random")), store)
    except Malformed:
        return None


def apply(store: OxigraphStore, made: Draft) -> None:
    store.apply((), statements_of(made, "2026-01-01T00:00:00Z"), 2)
    fresh = sorted({subject for subject, _, _ in made.facts})
    store.apply((), list(scope_keys(store, fresh)), 2)


@given(registers(), st.integers(0, 2**30))
def test_no_plan_loses_a_responsibility(facts: list[Fact], seed: int) -> None:
    store = ready(facts)
    made = drafted(store, facts, seed)
    if made is None:
        return
    before = {
        (dataset, role): decide(gather(store, dataset), role, EVE)
        for dataset in DATASETS for role in (Role.accountable, Role.owner)
    }  # fmt: skip
    apply(store, made)
    for (dataset, role), was in before.items():
        becomes = decide(gather(store, dataset), role, DAY)
        if was.status in HELD:
            assert becomes.status not in (Status.unknown, Status.not_yet), (dataset, role, was, becomes)
            if becomes.status == Status.expired:
                assert becomes.earlier


@given(registers(), st.integers(0, 2**30), st.dates(date(2026, 1, 1), date(2027, 1, 1)))
def test_applying_and_undoing_a_plan_gives_the_same_answers(facts: list[Fact], seed: int, day: date) -> None:
    store = ready(facts)
    made = drafted(store, facts, seed)
    if made is None:
        return
    was = {dataset: decide(gather(store, dataset), Role.accountable, day) for dataset in DATASETS}
    statements = list(statements_of(made, "2026-01-01T00:00:00Z"))
    apply(store, made)
    fresh = sorted({subject for subject, _, _ in made.facts})
    store.apply([*statements, *scope_keys(store, fresh)], (), 3)
    assert {dataset: decide(gather(store, dataset), Role.accountable, day) for dataset in DATASETS} == was


@given(registers(), st.integers(0, 2**30))
def test_standings_kept_up_after_a_plan_equal_standings_made_anew(facts: list[Fact], seed: int) -> None:
    store = ready(facts)
    made = drafted(store, facts, seed)
    if made is None:
        return
    store.load(derive(store, described(store)), 1)
    apply(store, made)
    reached = touched(store, (), statements_of(made, "2026-01-01T00:00:00Z"))
    gone, come = changes(store, described(store) if reached is None else reached)
    store.apply(gone, come, 2)
    assert changes(store, described(store)) == ([], [])
