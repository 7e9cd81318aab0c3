"""Hold the worked cases that came with the model to their answers."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pyoxigraph as ox
import pytest

from graph.answering import Card, who, write
from graph.store import OxigraphStore
from graph.terms import D, Role
from tests.answering.registers import GRAPH, X, keys


@pytest.fixture(scope="module")
def sources(shared: Path) -> SimpleNamespace:
    """Put the worked example in a graph, and its one past version in a history."""
    quads = [
        ox.Quad(t.subject, t.predicate, t.object, GRAPH)
        for t in ox.parse(path=shared / "model-example.ttl", format=ox.RdfFormat.TURTLE)
    ]
    versions = {quad.subject for quad in quads if quad.predicate.value == D.versionOf}
    graph, history = OxigraphStore(), OxigraphStore()
    now = [quad for quad in quads if quad.subject not in versions]
    graph.load([*now, *keys((q.subject.value, q.predicate.value, q.object.value) for q in now)], 1)
    history.load([quad for quad in quads if quad.subject in versions], 1)
    zone: tzinfo = ZoneInfo("Asia/Ho_Chi_Minh")
    return SimpleNamespace(graph=graph, history=history, pack=SimpleNamespace(timezone=zone))


def ask(sources: SimpleNamespace, name: str, day: str, known_at: datetime | None = None) -> Card:
    return who(sources, X + name, date.fromisoformat(day), known_at)


@pytest.mark.parametrize(
    ("name", "day", "status", "holders"),
    [
        ("brdb", "2024-05-08", "not-yet", ""),
        ("brdb", "2025-02-28", "held", "mpi"),
        ("brdb", "2025-03-01", "held", "mof-2"),
        ("permits", "2025-06-30", "not-yet", ""),
        ("permits", "2025-07-01", "held", "ubnd-lao-cai"),
        ("ds-018", "2025-02-28", "held", "molisa"),
        ("ds-018", "2025-03-01", "needs-decision", ""),
        ("bd-houses", "2025-06-30", "held", "ubnd-ba-dinh-q"),
        ("bd-houses", "2025-07-01", "needs-decision", "ubnd-w1 ubnd-w2"),
        ("land-national", "2025-02-28", "not-yet", ""),
        ("land-national", "2025-03-01", "held", "mae"),
        ("land-dn", "2025-02-28", "held", "ubnd-da-nang"),
        ("land-dn", "2025-03-01", "held", "snnmt-dn"),
        ("land-lc", "2025-07-01", "held", "ubnd-lao-cai"),
        ("joint", "2025-03-01", "shared", "mae mof-2"),
    ],
)
def test_each_case_has_its_answer(sources: SimpleNamespace, name: str, day: str, status: str, holders: str) -> None:
    accountable = ask(sources, name, day).accountable
    assert accountable.status.rsplit("/", 1)[-1] == status
    assert [holder.removeprefix(X) for holder in accountable.holders] == holders.split()


def test_the_followed_record_supports_the_asserted_one(sources: SimpleNamespace) -> None:
    line = ask(sources, "brdb", "2025-03-01").accountable.lines[0]
    assert [candidate.record.iri.removeprefix(X) for candidate in line.candidates] == ["r-brdb-2", "r-brdb-1"]
    assert [candidate.how.value for candidate in line.candidates] == ["asserted", "followed"]


@pytest.mark.parametrize(
    ("day", "holders"),
    [("2025-11-05", []), ("2025-11-06", ["gd-sct-lao-cai"]), ("2027-02-28", ["gd-sct-lao-cai"]), ("2027-03-01", [])],
)
def test_the_mandate_runs_from_its_first_to_its_last_day(
    sources: SimpleNamespace, day: str, holders: list[str]
) -> None:
    executes = ask(sources, "permits", day).decisions[Role.executes]
    assert [holder.removeprefix(X) for holder in executes.holders] == holders


def test_unverified_heirs_of_a_split_ministry_stand_below_the_line(sources: SimpleNamespace) -> None:
    claims = ask(sources, "ds-018", "2025-03-01").accountable.claims
    assert {line.holders for line in claims} == {(X + "moh",), (X + "moha",)}


def test_a_general_rule_gives_a_derived_answer(sources: SimpleNamespace) -> None:
    assert ask(sources, "land-lc", "2025-07-01").accountable.lines[0].leading.how.value == "derived"


def test_the_lead_of_a_shared_duty_is_named(sources: SimpleNamespace) -> None:
    assert ask(sources, "joint", "2025-03-01").accountable.lines[0].leading.record.lead == X + "mof-2"


def test_a_body_stated_as_nobody_leaves_the_duty_vacant(sources: SimpleNamespace) -> None:
    assert ask(sources, "gone", "2026-01-01").accountable.status.endswith("vacant")


def test_what_was_known_before_a_correction_can_be_asked_for(sources: SimpleNamespace) -> None:
    before = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert ask(sources, "land-national", "2026-01-01", before).accountable.holders == (X + "moc",)
    assert ask(sources, "land-national", "2026-01-01").accountable.holders == (X + "mae",)


def test_nothing_was_known_before_anything_was_recorded(sources: SimpleNamespace) -> None:
    early = ask(sources, "land-national", "2026-01-01", datetime(2026, 11, 19, tzinfo=UTC))
    assert early.accountable.status.endswith("unknown")


def test_a_day_to_come_is_answered_as_recorded_today(sources: SimpleNamespace) -> None:
    assert ask(sources, "brdb", "2999-01-01").as_recorded_today
    assert not ask(sources, "brdb", "2025-03-01").as_recorded_today


def test_the_card_names_everything_it_mentions(sources: SimpleNamespace) -> None:
    written = write(sources, ask(sources, "brdb", "2025-03-01"))
    answer = written["lines"]["accountable"]["answers"][0]
    assert answer["holders"] == [{"iri": X + "mof-2", "label": "Bộ Tài chính"}]
    assert answer["support"][0]["steps"][0]["from"]["label"] == "Bộ Kế hoạch và Đầu tư"
    assert written["lines"]["accountable"]["status"] == "held"
