"""Two processes work out the standings that one does, whatever becomes of the second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from graph import deriving
from graph.register import Register
from graph.store import OxigraphStore
from graph.terms import DCAT, RDF, D, Graphs, Role

X = "https://example.org/"


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    """Return a register with three hundred datasets, each with a holder of its own."""
    lines = []
    for n in range(300):
        for subject, predicate, target in (
            (f"d{n}", RDF.type, DCAT.Dataset), (f"r{n}", RDF.type, D.Responsibility), (f"r{n}", D.covers, f"{X}d{n}"),
            (f"r{n}", D.holder, f"{X}h{n}"), (f"r{n}", D.role, Role.accountable), (f"h{n}", RDF.type, D.Agency),
        ):  # fmt: skip
            lines.append(f"<{X}{subject}> <{predicate}> <{target}> .\n")
    file = tmp_path / "many.nt"
    file.write_text("".join(lines), "utf-8")
    with Register.create(tmp_path / "data", pack=None) as register:
        register.load([file], source=X + "source")
        yield register


def standings(register: Register) -> set[ox.Quad]:
    store = register.reader.graph
    assert isinstance(store, OxigraphStore)
    return set(store.contents(Graphs.standings))


def derive(register: Register) -> None:
    store = register.reader.graph
    assert isinstance(store, OxigraphStore)
    deriving.refresh(store, register.data)


def failing(when: int) -> Callable[[object], bytes | None]:
    """Return what reads answers of the second process, but for those after so many."""
    plain, read = deriving._read, iter(range(when))
    return lambda stream: plain(stream) if next(read, None) is not None else None  # type: ignore[arg-type]


@pytest.mark.parametrize("answered", [0, 1, 7, 1000])
def test_two_processes_work_out_what_one_does(
    register: Register, monkeypatch: pytest.MonkeyPatch, answered: int
) -> None:
    before = standings(register)
    assert len(before) > 300 * 5
    monkeypatch.setattr(deriving, "WORTH", 1)
    monkeypatch.setattr(deriving, "SHARE", 4)
    monkeypatch.setattr(deriving, "_read", failing(answered))
    derive(register)
    assert standings(register) == before
    assert not list(register.data.glob("deriving-*"))


def test_the_second_process_does_its_share(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    before, answers = standings(register), []
    read, lines = deriving._read, deriving._lines
    monkeypatch.setattr(deriving, "WORTH", 1)
    monkeypatch.setattr(deriving, "SHARE", 100)
    monkeypatch.setattr(deriving, "_read", lambda stream: answers.append(read(stream)) or answers[-1])
    monkeypatch.setattr(deriving, "_lines", lambda *given: time.sleep(3) or lines(*given))
    derive(register)
    assert len(answers) >= 1
    assert None not in answers
    assert standings(register) == before


def test_a_killed_process_leaves_no_copy_for_long(register: Register) -> None:
    (register.data / "deriving-x" / "graph").mkdir(parents=True)
    data = register.data
    register.close()
    Register.open(data).close()
    assert not list(data.glob("deriving-*"))
