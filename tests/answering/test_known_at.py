"""Hold the second clock: what was known at an instant can be asked for ever after."""

from __future__ import annotations

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.answering import Desk, who
from graph.evidence import gather
from graph.register import Register
from graph.responsibility import decide
from graph.terms import RDF, RECORD_CLASSES, Role
from tests.answering.registers import DATASETS, DAYS, Fact, make_register, quad, store_of


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one empty data directory, to be copied."""
    data = tmp_path_factory.mktemp("empty") / "data"
    Register.create(data, pack=None).close()
    return data


def load(register: Register, facts: list[Fact], folder: Path) -> datetime:
    """Load a register as one source and return the instant at which it was known."""
    file = folder / "register.nt"
    triples = [ox.Triple(q.subject, q.predicate, q.object) for q in map(quad, facts)]
    file.write_bytes(ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES))
    register.load(file, source="https://example.org/register")
    return datetime.fromisoformat(list(register.journal.changes(0))[-1].at)


def records(facts: list[Fact]) -> set[str]:
    return {subject for subject, predicate, value in facts if predicate == RDF.type and value in RECORD_CLASSES}


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.integers(0, 2**40), st.integers(0, 2**40), st.integers(0, 2**40))
def test_what_was_known_after_each_load_can_be_asked_later(
    empty: Path, tmp_path: Path, one: int, two: int, three: int
) -> None:
    world = make_register(one)
    described = [fact for fact in world if fact[0] not in records(world)]
    states = [
        described + [fact for fact in facts if fact[0] in records(facts)]
        for facts in (world, make_register(two), make_register(three))
    ]
    data = tmp_path / "data"
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(empty, data)
    with Register.open(data) as register:
        desk = Desk(register.reader)  # open all the while: what it keeps must not outlive a change
        instants = []
        for facts in states:
            instants.append(load(register, facts, tmp_path))
            for instant in instants:
                desk.who(DATASETS[0], DAYS[0], instant)
        for facts, instant in zip(states, instants, strict=True):
            as_it_was = store_of(facts)
            for dataset in DATASETS:
                for day in DAYS:
                    card = desk.who(dataset, day, instant)
                    expected = decide(gather(as_it_was, dataset), Role.accountable, day)
                    answered = card.accountable
                    assert (answered.status, answered.holders) == (expected.status, expected.holders)
        for dataset in DATASETS:
            now = who(register.reader, dataset, date(2026, 6, 1)).accountable
            latest = who(register.reader, dataset, date(2026, 6, 1), instants[-1]).accountable
            assert (now.status, now.holders, now.premises) == (latest.status, latest.holders, latest.premises)


def test_a_desk_keeps_a_few_instants_and_answers_all(empty: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(empty, data)
    with Register.open(data) as register:
        first = load(register, make_register(1), tmp_path)
        desk = Desk(register.reader)
        for seconds in (*range(20), *range(20)):
            instant = first + timedelta(seconds=seconds)
            kept, anew = desk.who(DATASETS[0], DAYS[-1], instant), who(register.reader, DATASETS[0], DAYS[-1], instant)
            assert kept.decisions == anew.decisions
        assert len(desk._gatherings) < 10
