"""Hold what is asked about things that the register no longer describes: the history still answers for then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from graph.answering import Desk
from graph.errors import NotFound
from graph.register import Register
from service import asking
from service.asking import Answer, Question
from service.wording import Wording

SAY = Wording("en")
WELLS = "https://example.org/wells"
SOURCE = "https://example.org/source"
BEFORE = """@prefix d: <https://w3id.org/diaba/ns#> . @prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix x: <https://example.org/> .
x:moh a d:Agency .
x:wells a dcat:Dataset .
x:duty a d:Responsibility ; d:covers x:wells ; d:holder x:moh ; d:role <https://w3id.org/diaba/role/accountable> .
"""
AFTER = "<https://example.org/moh> a <https://w3id.org/diaba/ns#Agency> .\n"


@pytest.fixture(scope="module")
def dropped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Register, datetime]]:
    """Return a register that no longer describes the wells, and an instant at which it did."""
    folder = tmp_path_factory.mktemp("dropped")
    file = folder / "source.ttl"
    with Register.create(folder / "data", pack=None) as register:
        file.write_text(BEFORE, "utf-8")
        register.load(file, source=SOURCE)
        then = datetime.fromisoformat(list(register.journal.changes(0))[-1].at)
        file.write_text(AFTER, "utf-8")
        register.load(file, source=SOURCE)
        yield register, then


def ask(register: Register, iri: str, known_at: datetime | None = None) -> Answer:
    return asking.answer(register.reader, Desk(register.reader), Question(iri, None, known_at), SAY)


def test_what_only_the_history_speaks_of_is_answered_as_known_then(dropped: tuple[Register, datetime]) -> None:
    register, then = dropped
    card = ask(register, WELLS, then).card
    assert [one["iri"] for one in card["lines"]["accountable"]["holders"]] == ["https://example.org/moh"]
    assert {note["code"] for note in card["notes"]} >= {"not-described", "descriptions-of-now"}


def test_what_was_dropped_is_not_called_unheard_of(dropped: tuple[Register, datetime]) -> None:
    register, _ = dropped
    with pytest.raises(NotFound, match="no longer speaks of") as caught:
        ask(register, WELLS)
    assert "--known-at" in caught.value.remedy
    with pytest.raises(NotFound, match="Nothing in the register"):
        ask(register, "https://example.org/never")


def test_a_card_as_known_now_speaks_of_no_other_clock(register: Register) -> None:
    iri = "https://w3id.org/diaba/test/companies"
    assert "descriptions-of-now" not in {note["code"] for note in ask(register, iri).card["notes"]}
    known = ask(register, iri, datetime.now(UTC)).card
    assert "descriptions-of-now" in {note["code"] for note in known["notes"]}
