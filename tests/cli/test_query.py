"""Hold what ``diaba query`` prints, refuses and stops."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from graph.owner import owning
from graph.register import Register
from service.cli import main
from tests.cli.conftest import Run
from tests.service.small import make_small

COUNT = "PREFIX d: <https://w3id.org/diaba/ns#> SELECT (COUNT(*) AS ?bodies) { ?body a d:Agency }"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "question.rq"


def test_rows_are_a_table_and_formats_are_as_the_standards_have_them(diaba: Run, file: Path) -> None:
    file.write_text(COUNT)
    table = diaba("query", str(file))
    assert (table.code, table.err) == (0, "")
    heading, count = table.out.split()
    assert heading == "bodies"
    assert int(count) > 0
    rows = diaba("query", str(file), "--json").json["results"]["bindings"]
    assert [row["bodies"]["value"] for row in rows] == [count]
    assert diaba("query", str(file), "--format", "csv").out.split() == ["bodies", count]


def test_a_query_is_read_from_standard_input_too(small: Path) -> None:
    words = ["query", "-", "--data", str(small), "--lang", "vi"]
    done = CliRunner().invoke(main, words, input="ASK { ?s ?p ?o }", catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (0, "Có\n")


def test_statements_are_turtle(diaba: Run, file: Path) -> None:
    file.write_text("CONSTRUCT { ?s a <http://example.org/Thing> } WHERE { ?s ?p ?o } LIMIT 1")
    done = diaba("query", str(file))
    assert done.code == 0
    assert done.out.rstrip().endswith(" .")


def test_what_is_refused_names_the_file_and_the_place(diaba: Run, file: Path) -> None:
    file.write_text("SELECT * {\n  SERVICE <http://example.org/> { ?s ?p ?o }\n}")
    done = diaba("query", str(file))
    assert done.code == 2
    assert done.err.startswith(f"diaba: {file}:2:3: The query asks another service.")
    assert diaba("query", str(file.parent / "none.rq")).code == 3


def test_a_limit_that_was_hit_is_said_and_the_exit_code_says_so_too(diaba: Run, file: Path) -> None:
    file.write_text("SELECT * { ?s ?p ?o }")
    done = diaba("query", str(file), "--format", "csv", "--rows", "3")
    assert done.code == 5
    assert len(done.out.splitlines()) == 4
    assert done.err == "The query was stopped at the limit of 3 rows: 3 found by then, which are not all\n"
    file.write_text("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }")
    done = diaba("query", str(file), "--seconds", "0.3")
    assert (done.code, done.out) == (5, "")
    assert "limit of 0.3 s: 0 found" in done.err


def test_no_rows_are_said_to_be_none(diaba: Run, file: Path) -> None:
    file.write_text("SELECT * { <http://example.org/none> ?p ?o }")
    assert diaba("query", str(file)).code == 1


def test_nothing_of_a_query_stays_in_the_data_directory(diaba: Run, small: Path, file: Path) -> None:
    file.write_text("ASK {}")
    assert diaba("query", str(file)).code == 0
    assert list((small / "checkpoints").iterdir()) == []


def test_beside_a_running_owner_its_newest_checkpoint_is_read(tmp_path: Path, file: Path) -> None:
    data = make_small(tmp_path / "data")
    file.write_text(COUNT)

    def ask() -> tuple[int, str]:
        done = CliRunner().invoke(main, ["query", str(file), "--data", str(data), "--json"])
        return done.exit_code, done.stdout if done.exit_code == 0 else done.stderr

    with owning(Register.open(data)):
        code, said = ask()
        assert code == 0, said
        assert json.loads(said)["head"]["vars"] == ["bodies"]
    with (data / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
