"""Hold the rules on who answers to the card, and every rule to another engine, on random registers."""

from __future__ import annotations

from datetime import date, timedelta

import pyoxigraph as ox
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.evidence import gather
from graph.responsibility import decide
from graph.standing import described, refresh
from graph.terms import Role, Status
from tests.answering.registers import DAYS, Fact, registers, store_of

from .examples import checker, faults, faults_by_pyshacl

#: what a rule finds for each status of who is accountable, as the house plan has it
TABLE = {
    Status.held: set(),
    Status.shared: set(),
    Status.disputed: {"more-than-one-accountable"},
    Status.needs_decision: {"succession-undecided"},
    Status.vacant: {"no-accountable"},
    Status.expired: {"no-accountable"},
    Status.not_yet: {"no-accountable"},
    Status.unknown: {"no-claim"},
}
OF_THE_TABLE = {name for names in TABLE.values() for name in names}
DAY = st.builds(lambda day, off: day + timedelta(days=off), st.sampled_from(DAYS), st.integers(-1, 1))


@given(registers(), DAY)
@settings(max_examples=25)
def test_a_card_and_the_rules_say_the_same(facts: list[Fact], day: date) -> None:
    known, check = checker()
    store = store_of(facts)
    refresh(store)
    roots = [known.by_name[name].node for name in sorted(OF_THE_TABLE)]
    found: dict[str, set[str]] = {}
    for rule, result in known.in_force(store, check.check(store, day, roots=roots), day):
        assert isinstance(result.focus, ox.NamedNode)
        found.setdefault(result.focus.value, set()).add(rule.name)
    resources = described(store)
    assert found.keys() <= set(resources)
    for resource in resources:
        status = decide(gather(store, resource), Role.accountable, day).status
        assert found.get(resource, set()) == TABLE[status], (resource, status)


@given(registers(), DAY)
@settings(max_examples=6)
def test_another_engine_finds_the_same_by_every_rule(facts: list[Fact], day: date) -> None:
    store = store_of(facts)
    refresh(store)
    assert faults(store, day) == faults_by_pyshacl(store, day)
