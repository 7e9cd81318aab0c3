"""What is gathered out of the journal is what the graph says, and the process that does it can fail or be killed."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import harvest, loading, projections
from graph.door import Door
from graph.harvest import Ahead, Order, harvest_of
from graph.journal import Entry, Journal, Section
from graph.projections import GraphProjection
from graph.register import Register
from graph.search import SearchIndex, all_nodes, documents_of
from graph.store import OxigraphStore
from graph.terms import DCAT, DCT, FOAF, RDF, SKOS, SKOSXL, XSD, Confidence, D, Level
from graph.turnstile import Turnstile
from graph.words import NO_ABBREVIATIONS
from tests.search.conftest import HERE
from tests.search.statements import parse

X = "https://example.org/"
LANGUAGES = ("vi", "en")


def append(journal: Journal, removed: Sequence[str], added: Sequence[str]) -> None:
    """Accept a change, as the lines stand."""
    sections: dict[Section, Sequence[str]] = {"removed": removed, "added": added, "versions": ()}
    with journal.draft() as draft:
        for section, lines in sections.items():
            draft.begin(section)
            draft.write("".join(f"{line}\n" for line in lines).encode())
        entry = Entry(draft.seal(), "somebody", X + "source", "", len(removed), len(added), 0)
    journal.append([entry], journal.next_instant())


def documents(journal: Journal) -> tuple[object, object]:
    """Return what the journal comes to, gathered from itself and read from the graph made of it."""
    graph = OxigraphStore()
    GraphProjection(graph, journal).follow(list(journal.changes()), None)
    read = {one.iri: one for one in documents_of(graph, all_nodes(graph), LANGUAGES)}
    with harvest_of(journal, journal.revision) as gathered:
        return {one.iri: one for one in gathered.documents(LANGUAGES)}, read


NODES = [f"<{X}{name}>" for name in "abcdef"]
TELLING = (
    RDF.type, SKOS.prefLabel, DCT.title, FOAF.name, SKOS.altLabel, SKOSXL.literalForm, DCT.identifier, SKOS.notation,
    D.from_, D.until, D.level, D.confidence, DCAT.theme, DCAT.NS + "keyword", D.managedIn, D.bodyKind, D.nameOf,
    D.codeOf, SKOS.inScheme, D.field, X + "other",
)  # fmt: skip
WORDS = [
    '"Đất đai"@vi', '"Land"@en', '"Land"', '" spaced "@vi-vn', '"007"', f'"007"^^<{XSD.integer}>', '"\\u0110\\"t"@VI',
    f'"2025-03-01"^^<{XSD.date}>', f'"2026-01-01"^^<{XSD.date}>', '"no day"',
]  # fmt: skip
THINGS = [
    *NODES,
    *(
        f"<{term}>"
        for term in (
            DCAT.Dataset, D.Agency, D.Area, D.Name, SKOS.Concept, X + "Other", Level.central, Level.commune,
            Confidence.R, Confidence.V1,
        )
    ),
]  # fmt: skip


@st.composite
def lines_of(draw: st.DrawFn) -> str:
    """Draw a statement, mostly written as tools do."""
    subject, graph = draw(st.sampled_from(NODES)), f"<{X}{draw(st.sampled_from('abg'))}>"
    predicate = f"<{draw(st.sampled_from(TELLING))}>"
    target = draw(st.sampled_from([*THINGS, *WORDS]))
    gap = draw(st.sampled_from([" ", " ", " ", " ", "  ", "\t", ""]))
    line = f"{subject} {predicate}{gap}{target} {graph} ."
    return draw(st.sampled_from([line, line, line, line.replace(" ", "\t", 1), " " + line, line + " # said"]))


@given(st.lists(st.tuples(st.lists(lines_of(), max_size=25), st.booleans()), min_size=1, max_size=4))
def test_the_journal_gives_the_documents_that_the_graph_gives(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[list[str], bool]]
) -> None:
    with contextlib.closing(Journal(tmp_path_factory.mktemp("journal"))) as journal:
        stands: list[str] = []
        for lines, removes in changes:
            gone = stands[::2] if removes else []
            append(journal, gone, lines)
            stands = [line for line in stands if line not in gone] + lines
        gathered, read = documents(journal)
        assert gathered == read


def test_the_small_register_comes_to_the_same(tmp_path: Path) -> None:
    lines = [f"{quad} ." for quad in parse((HERE / "register.ttl").read_text("utf-8"))]
    with contextlib.closing(Journal(tmp_path)) as journal, patch.object(harvest, "_BATCH", 3):
        append(journal, [], lines)
        append(journal, lines[::7], ["", "# a comment .", *lines[:20]])
        gathered, read = documents(journal)
    assert gathered == read
    assert len(read) > 20  # type: ignore[arg-type]


@given(st.lists(lines_of(), max_size=25))
def test_what_the_turnstile_tells_gives_the_same_documents(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    turnstile = Turnstile(Door(), X + "source", "2026-11-23T00:00:00Z", tells=True)
    passed = {line: turnstile.passes(f"{line}\n".encode(), 1, graphs=True) for line in lines}
    good = [line for line in lines if passed[line] is not None]
    folder = tmp_path_factory.mktemp("told")
    with contextlib.closing(Journal(folder)) as journal:
        with harvest_of(journal, 0) as harvest:
            for line in good:
                harvest.take_told(passed[line].told)  # type: ignore[union-attr]
            told = {one.iri: one for one in harvest.documents(LANGUAGES)}
        append(journal, [], good)
        assert told == documents(journal)[1]


# --- the process ----------------------------------------------------------------------------------------------------

MANY = "".join(
    f'<{X}d{n}> <{RDF.type}> <{DCAT.Dataset}> <{X}g> .\n<{X}d{n}> <{DCT.title}> "Hồ sơ {n}"@vi <{X}g> .\n'
    for n in range(4000)
)


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Register]:
    monkeypatch.setattr(projections, "HARVESTED", 5000)
    monkeypatch.setattr(projections, "ANEW", 5000)
    monkeypatch.setattr(loading, "LARGE", 100_000)
    with Register.create(tmp_path / "data", pack=None) as register:
        yield register


def load(register: Register, folder: Path) -> None:
    """Load four thousand datasets, a change that is worth a process of its own here."""
    file = folder / "many.nq"
    file.write_text(MANY, "utf-8")
    register.load([file], source=X + "source")


def found(register: Register) -> int:
    return len(register.reader.search.search("ho so", limit=5000))


def test_a_large_change_is_indexed_by_a_process_of_its_own(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projections, "documents_of", lambda *_: pytest.fail("the graph was read"))
    load(register, tmp_path)
    assert found(register) == 4000
    register.rebuild()
    assert found(register) == 4000
    assert {one.revision for one in (register.reader.graph, register.reader.search)} == {register.revision}


def test_the_process_hears_of_a_load_before_it_is_accepted(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What passes the turnstile, what the parser had to read, and what the register itself adds."""
    heard: list[object] = []
    for name in ("tell", "tell_lines"):
        plain = getattr(Ahead, name)
        monkeypatch.setattr(Ahead, name, lambda ahead, said, plain=plain: (heard.append(said), plain(ahead, said)))
    blank = f'_:b <{RDF.type}> <{DCAT.Dataset}> <{X}g> .\n_:b <{DCT.title}> "ho so cuoi" <{X}g> .\n'
    file = tmp_path / "many.nq"
    file.write_text(MANY * 2 + "# said\n" * 3 + blank, "utf-8")
    register.load([file], source=X + "source")
    assert len(heard) > 1
    assert found(register) == 4001


def test_without_the_process_the_graph_is_read(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, asked = Ahead.finish, []

    def killed(ahead: Ahead) -> bool:
        ahead.process.kill()
        asked.append(finish(ahead))
        return asked[-1]

    monkeypatch.setattr(Ahead, "finish", killed)
    load(register, tmp_path)
    assert asked == [False]
    assert found(register) == 4000


def test_where_the_graph_does_not_take_a_change_the_index_does_not_show_it(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = register.reader.search.revision
    with monkeypatch.context() as broken:
        broken.setattr(GraphProjection, "follow", lambda *_: time.sleep(2) or pytest.fail("no room"))
        with pytest.raises(BaseException, match="no room"):
            load(register, tmp_path)
    assert SearchIndex(tmp_path / "data" / "search", read_only=True).revision == before
    assert found(register) == 0
    register.settle()
    assert found(register) == 4000


def test_the_process_ends_with_its_parent_and_shows_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    append(journal, [], MANY.splitlines())
    SearchIndex(tmp_path / "search").lend()
    code = f"""
import time
from pathlib import Path
from graph.harvest import Ahead, Order
from graph.turnstile import Turnstile
from graph.words import NO_ABBREVIATIONS
here = Path({str(tmp_path)!r})
ahead = Ahead(Order(here, here / "search", 1, (), NO_ABBREVIATIONS))
ahead.end(1)
assert ahead.process.stdout.readline() == b"ready\\n"
print(ahead.process.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        process = int(parent.stdout.readline())
        assert Path(f"/proc/{process}").exists()
        parent.kill()
    index = SearchIndex(tmp_path / "search")
    index.rebuild([], 1)  # waits for the lock that the process holds
    patience = time.monotonic() + 5
    while Path(f"/proc/{process}/stat").exists() and time.monotonic() < patience:
        time.sleep(0.05)
    assert not Path(f"/proc/{process}/stat").exists()
    assert len(index) == 0
    with contextlib.closing(Ahead(Order(tmp_path, tmp_path / "search", 1, (), NO_ABBREVIATIONS))) as ahead:
        ahead.end(1)
        assert ahead.finish()
    index.take_back()
    assert index.revision == 1
    assert len(index) == 4000
    journal.close()
