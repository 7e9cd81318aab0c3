"""Findings hold for their days, and what is kept up from change to change equals what is found anew, to the letter."""

from __future__ import annotations

import os
import random
import tempfile
from datetime import date, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.findings import finding_of, whole
from graph.terms import Graphs
from tests.answering.registers import DAYS, Fact, registers
from tests.findings.rulebook import Kept, findings_of, on_day

#: more by ``DIABA_EXAMPLES=2000 pytest tests/findings``
EXAMPLES = int(os.environ.get("DIABA_EXAMPLES", "60"))

BOOKS = st.integers(0, 30)
SOME_DAYS = st.lists(
    st.builds(lambda day, off: day + timedelta(days=off), st.sampled_from(DAYS), st.integers(-1, 1))
    | st.dates(date(2023, 6, 1), date(2026, 12, 31)),
    min_size=3, max_size=5,
)  # fmt: skip


def mixed(one: list[Fact], other: list[Fact], chance: random.Random) -> list[Fact]:
    """Return a register with some subjects as another one has them."""
    changed = set(chance.sample(sorted({fact[0] for fact in (*one, *other)}), chance.randint(1, 4)))
    return [fact for fact in one if fact[0] not in changed] + [fact for fact in other if fact[0] in changed]


@settings(max_examples=EXAMPLES)
@given(registers(), registers(), BOOKS, st.integers(0, 2**32))
def test_findings_kept_up_equal_findings_made_anew(one: list[Fact], other: list[Fact], book: int, seed: int) -> None:
    two = mixed(one, other, random.Random(seed))
    findings = findings_of(book)
    with tempfile.TemporaryDirectory() as kept_in, tempfile.TemporaryDirectory() as anew_in:
        kept = Kept(findings, one, Path(kept_in))
        kept.become(two)
        anew = Kept(findings, two, Path(anew_in))
        assert kept.graph == anew.graph
        assert kept.lines == anew.lines
        kept.become(one)
        back = Kept(findings, one, Path(tempfile.mkdtemp(dir=anew_in)))
        assert kept.graph == back.graph
        assert kept.lines == back.lines


@settings(max_examples=EXAMPLES)
@given(registers(), BOOKS, SOME_DAYS)
def test_what_stands_on_a_day_is_what_a_check_finds_on_it(facts: list[Fact], book: int, days: list[date]) -> None:
    findings = findings_of(book)
    with tempfile.TemporaryDirectory() as folder:
        kept = Kept(findings, facts, Path(folder))
        said: dict[str, list] = {}
        for quad in kept.store.contents(Graphs.findings):
            said.setdefault(quad.subject.value, []).append(quad)
        parts = [finding_of(quads) for quads in said.values()]
        for day in days:
            standing = {
                (one.rule, one.about, one.path, one.value, one.component) for one, _ in parts if one.span.contains(day)
            }
            assert standing == on_day(findings, kept.store, day)
        for finding, _ in whole(parts):
            assert not finding.span.is_empty


@settings(max_examples=EXAMPLES // 3)
@given(registers(), registers(), BOOKS, st.integers(0, 2**32))
def test_changes_in_any_order_come_to_the_same(one: list[Fact], other: list[Fact], book: int, seed: int) -> None:
    chance = random.Random(seed)
    two = mixed(one, other, chance)
    gone, come = sorted(set(one) - set(two), key=str), sorted(set(two) - set(one), key=str)
    findings = findings_of(book)
    with tempfile.TemporaryDirectory() as first_in, tempfile.TemporaryDirectory() as second_in:
        states = []
        for folder in (first_in, second_in):
            kept = Kept(findings, one, Path(folder))
            steps = [(fact, False) for fact in gone] + [(fact, True) for fact in come]
            chance.shuffle(steps)
            facts = set(one)
            for start in range(0, len(steps), 4):
                for fact, added in steps[start : start + 4]:
                    (facts.add if added else facts.discard)(fact)
                kept.become(sorted(facts, key=str))
            states.append((kept.graph, kept.lines))
        assert states[0] == states[1]
