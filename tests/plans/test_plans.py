"""What a plan may say, what it does to answers, and that applying and undoing it leaves nothing behind."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from graph.answering import who
from graph.errors import Malformed, NotFound
from graph.labels import labels
from graph.planning import apply, plans, undo
from graph.plans.drafting import draft
from graph.plans.foreseeing import Foresight, copy_of, foresee
from graph.plans.reading import Document, read_plan, read_text
from graph.plans.sheets import template
from graph.register import Register
from graph.store import OxigraphStore
from graph.terms import Graphs, Role, Status
from tests.plans.conftest import HEAD, X

MERGER = """
new:
  bodies:
    dep-c: {name: {en: Department C}, kind: Department}
changes:
  - merger: {of: [Department A, Department B], into: dep-c}
"""
NEW = "https://w3id.org/diaba/plan/try/"


def plan(text: str, head: str = HEAD) -> Document:
    return read_text((head + text).encode(), "plan.yaml")


def holder(register: Register, dataset: str, day: str, known_at: datetime | None = None) -> tuple[str, list[str]]:
    card = who(register.reader, X + dataset, date.fromisoformat(day), known_at)
    decision = card.decisions[Role.accountable]
    return decision.status, [one.removeprefix(X).removeprefix(NEW) for one in decision.holders]


def foreseen(register: Register, document: Document, tmp_path: Path) -> Foresight:
    register.reader.graph.flush()  # type: ignore[attr-defined]
    backup = tmp_path / "checkpoint"
    register.reader.graph.raw.backup(str(backup))  # type: ignore[attr-defined]
    before = OxigraphStore(backup, read_only=True)
    scratch = OxigraphStore(copy_of(backup, tmp_path / "scratch"))
    return foresee(before, scratch, draft(document, before), None, "2026-11-23T00:00:00Z")


def test_a_merger_moves_what_both_had_from_its_day_on(register: Register) -> None:
    apply(register, plan(MERGER))
    assert holder(register, "bridges", "2026-12-31") == (Status.held, ["dep-a"])
    assert holder(register, "bridges", "2027-01-01") == (Status.held, ["bodies/dep-c"])


def test_the_preview_says_what_moves_what_lapses_and_whom_to_tell(register: Register, tmp_path: Path) -> None:
    foresight = foreseen(register, plan(MERGER), tmp_path)
    moves = {(move.resource, move.role): move for move in foresight.moves}
    move = moves[X + "bridges", Role.accountable]
    assert (move.day, move.until) == (date(2027, 1, 1), None)
    assert move.before.holders == (X + "dep-a",)
    assert move.after.holders == (NEW + "bodies/dep-c",)
    assert move.why == (NEW + "succession/1-1",)
    assert {lapse.transfer for lapse in foresight.lapses} == {X + "mandate"}
    assert foresight.days[0] == date(2026, 12, 31)
    assert set(foresight.tell) >= {X + "dep-a", NEW + "bodies/dep-c"}


def test_the_preview_agrees_with_the_register_once_the_plan_is_applied(register: Register, tmp_path: Path) -> None:
    foresight = foreseen(register, plan(MERGER), tmp_path)
    before = {
        (dataset, day): holder(register, dataset, str(day))
        for dataset in ("parcels", "trees", "bridges", "permits") for day in foresight.days
    }  # fmt: skip
    apply(register, plan(MERGER))
    for (dataset, day), was in before.items():
        move = [m for m in foresight.on(day) if m.resource == X + dataset and m.role == Role.accountable]
        becomes = holder(register, dataset, str(day))
        if move:
            told = [one.removeprefix(X).removeprefix(NEW) for one in move[0].after.holders]
            assert becomes == (move[0].after.status, told)
        else:
            assert becomes == was


def test_applying_and_undoing_gives_every_answer_of_before_and_the_history_keeps_both(register: Register) -> None:
    days = ["2026-12-31", "2027-01-01", "2030-01-01"]
    was = [holder(register, "bridges", day) for day in days]
    apply(register, plan(MERGER))
    between = datetime.now(UTC)
    undo(register, "try")
    assert [holder(register, "bridges", day) for day in days] == was
    assert holder(register, "bridges", "2027-01-01", between) == (Status.held, ["bodies/dep-c"])
    assert not any(one.stands for one in plans(register.reader.graph))
    assert not list(register.reader.graph.contents(f"{Graphs.ends}x"))  # type: ignore[attr-defined]


def test_as_known_before_the_plan_nothing_of_it_holds(register: Register) -> None:
    before = datetime.now(UTC)
    apply(register, plan(MERGER))
    assert holder(register, "bridges", "2027-06-01", before) == (Status.held, ["dep-a"])


def test_a_plan_is_applied_once_and_only_what_stands_is_undone(register: Register) -> None:
    apply(register, plan(MERGER))
    with pytest.raises(Malformed, match="applied already"):
        apply(register, plan(MERGER))
    undo(register, "try")
    with pytest.raises(NotFound):
        undo(register, "try")
    apply(register, plan(MERGER))
    assert [one.stands for one in plans(register.reader.graph)] == [True]


def test_what_stands_on_a_plan_keeps_it_from_being_undone(register: Register) -> None:
    apply(register, plan(MERGER))
    later = HEAD.replace("plan: try", "plan: later").replace("2027-01-01", "2028-01-01")
    apply(register, plan("changes:\n  - rename: {of: Department C, name: {en: Department D}}\n", later))
    with pytest.raises(Malformed, match="stands on it"):
        undo(register, "try")
    undo(register, "later")
    undo(register, "try")


def test_a_split_off_moves_a_field_and_leaves_the_rest(register: Register) -> None:
    share = "{of: Ministry of Land, into: [{to: Ministry of Works, fields: [Forest]}]}"
    apply(register, plan(f"changes:\n  - split-off: {share}\n"))
    assert holder(register, "trees", "2027-01-01") == (Status.held, ["works"])
    assert holder(register, "parcels", "2027-01-01") == (Status.held, ["ministry"])


def test_an_abolition_without_heir_needs_a_decision_and_one_for_nobody_leaves_it_vacant(register: Register) -> None:
    apply(register, plan("changes:\n  - abolition: {of: Ministry of Land}\n"))
    assert holder(register, "trees", "2027-01-01")[0] == Status.needs_decision
    undo(register, "try")
    apply(register, plan("changes:\n  - abolition: {of: Ministry of Land, nobody: true}\n"))
    assert holder(register, "trees", "2027-01-01") == (Status.vacant, ["https://w3id.org/diaba/ns#nobody"])


def test_a_decision_settles_what_the_register_could_not(register: Register) -> None:
    text = (
        "changes:\n  - split: {of: Ministry of Land, into: [{to: Ministry of Works}, {to: Department A}]}\n"
        "decisions:\n  - {data: Trees, to: [Department A]}\n"
    )
    apply(register, plan(text))
    assert holder(register, "parcels", "2027-01-01")[0] == Status.needs_decision
    assert holder(register, "trees", "2027-01-01") == (Status.held, ["dep-a"])


def test_a_rename_keeps_the_body_and_dates_its_names(register: Register) -> None:
    apply(register, plan("changes:\n  - rename: {of: Department A, name: {en: Department Z}}\n"))
    reader, node = register.reader.graph, X + "dep-a"
    assert labels(reader, [node], date(2026, 12, 31), ("en",))[node] == "Department A"
    assert labels(reader, [node], date(2027, 1, 1), ("en",))[node] == "Department Z"
    assert holder(register, "bridges", "2027-01-01") == (Status.held, ["dep-a"])


def test_provinces_merge_with_their_committees_and_parts(register: Register, tmp_path: Path) -> None:
    text = """
new:
  areas:
    one: {name: {en: One}, level: province, under: Country, codes: [{scheme: Area codes, code: "30"}]}
  bodies:
    committee: {name: {en: Committee of One}, kind: Committee, jurisdiction: [one]}
changes:
  - merger: {of: [North, South], into: one}
  - merger: {of: [Committee of North, Committee of South], into: committee}
  - move: {of: N1, under: one}
"""
    foresight = foreseen(register, plan(text), tmp_path)
    assert {(meaning.code, meaning.before, meaning.after) for meaning in foresight.meanings} == {
        ("24", X + "north", None), ("30", None, NEW + "areas/one")
    }  # fmt: skip
    apply(register, plan(text))
    assert holder(register, "permits", "2026-12-31") == (Status.held, ["committee-north"])
    assert holder(register, "permits", "2027-01-01") == (Status.held, ["bodies/committee"])


REFUSED = [
    ("changes:\n  - abolition: {of: Ministry of Nothing}\n", "No body or post or area is called", 6),
    ("changes:\n  - abolition: {of: Ministry of Old}\n", "ended on 2020-01-01", 6),
    ("changes:\n  - abolition: {of: Ministry of Later}\n", "does not exist before 2030-01-01", 6),
    ("changes:\n  - absorption: {of: [Department A], into: Department A}\n", "itself", 6),
    ("changes:\n  - merger: {of: [Department A], into: Department B}\n", "exists already", 6),
    (
        "changes:\n  - abolition: {of: Department A}\n  - absorption: {of: [Department A], into: Department B}\n",
        "ends twice", 7,
    ),
    ("changes:\n  - abolition: {of: Committee of North}\n", "would have no body of its level", 6),
    ("changes:\n  - abolition: {of: North}\n", "goes nowhere", 6),
    (
        "new: {bodies: {c: {name: C, kind: Committee, jurisdiction: [North]}}}\n"
        "changes:\n  - transfer: {from: Department A, to: c, fields: [Roads]}\n",
        "more than one body of its level", 5,
    ),
    ("changes:\n  - move: {of: N1, under: South}\n  - move: {of: N1, under: Country}\n", "moved twice", 7),
    ("changes:\n  - transfer: {from: Department A, to: North, fields: [Roads]}\n", "not of one sort", 6),
    ("responsibilities:\n  - grant: {role: king, to: [Department A], data: [Trees]}\n", "no role", 6),
    ("responsibilities:\n  - end: {of: 'https://example.org/nothing'}\n", "The register has no", 6),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "line"), REFUSED)
def test_what_cannot_be_is_refused_with_its_line_and_nothing_is_recorded(
    register: Register, text: str, message: str, line: int
) -> None:
    before = register.revision
    with pytest.raises(Malformed, match=message) as caught:
        apply(register, plan(text))
    assert caught.value.place is not None
    assert caught.value.place.line == line
    assert caught.value.remedy
    assert register.revision == before


def test_a_plan_that_changes_a_body_on_the_day_of_a_recorded_event_is_refused(register: Register) -> None:
    apply(register, plan("changes:\n  - transfer: {from: Ministry of Land, to: Ministry of Works, fields: [Forest]}\n"))
    other = HEAD.replace("plan: try", "plan: other")
    with pytest.raises(Malformed, match="by a recorded event"):
        apply(register, plan("changes:\n  - abolition: {of: Ministry of Land}\n", other))


def test_responsibilities_are_handed_on_and_ended(register: Register) -> None:
    text = f"""
responsibilities:
  - delegation: {{from: '{X}r-parcels', to: [Department A]}}
  - mandate: {{from: '{X}r-trees', to: [Department B], until: 2028-01-01}}
  - end: {{of: '{X}r-bridges'}}
"""
    apply(register, plan(text))
    assert holder(register, "parcels", "2027-01-01") == (Status.held, ["dep-a"])
    assert holder(register, "trees", "2027-01-01") == (Status.held, ["ministry"])
    card = who(register.reader, X + "trees", date(2027, 1, 1))
    assert card.decisions[Role.executes].holders == (X + "dep-b",)
    assert holder(register, "bridges", "2027-01-01")[0] == Status.expired


def test_a_plan_that_is_only_half_right_says_every_word_it_does_not_know() -> None:
    with pytest.raises(Malformed, match="has no “int”") as caught:
        plan(MERGER.replace("into:", "int:"))
    assert caught.value.place is not None
    assert caught.value.place.line == 10


def test_the_template_is_a_plan_once_it_is_filled_in(register: Register, tmp_path: Path) -> None:
    book = load_workbook(BytesIO(template()))
    book["bodies"].append(["dep-c", "Department C", "Department C", "Department"])
    book["changes"].append(["1", "merger", "Department A; Department B", "dep-c"])
    path = tmp_path / "plan.xlsx"
    book.save(path)
    read = draft(read_plan(path), register.reader.graph)
    assert read.slug == "merge-two-departments"
    assert set(read.ends) == {X + "dep-a", X + "dep-b"}


def test_a_day_of_its_own_makes_a_change_later_than_the_others(register: Register) -> None:
    text = MERGER + "  - abolition: {of: Ministry of Works}\n    effective: 2027-07-01\n"
    drafted = draft(plan(text), register.reader.graph)
    assert drafted.days == (date(2027, 1, 1), date(2027, 7, 1))
    assert drafted.ends[X + "works"] - drafted.ends[X + "dep-a"] == timedelta(days=181)


def test_a_plan_that_a_program_wrote_is_json_with_pointers_to_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text('{"plan": "x", "title": "X", "effective": "soon", "basis": [{"number": "1"}]}', encoding="utf-8")
    with pytest.raises(Malformed, match="which is no day") as caught:
        read_plan(path)
    assert caught.value.place is not None
    assert caught.value.place.file.endswith("plan.json#/effective")
    path.write_text("{", encoding="utf-8")
    with pytest.raises(Malformed, match="no JSON"):
        read_plan(path)
