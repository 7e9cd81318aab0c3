"""Hold how the command line fails: a message and an exit code, as JSON where that is wanted, in any locale."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from graph.errors import StoreFault
from graph.store import OxigraphStore
from tests.cli.conftest import Run

TEST = "https://w3id.org/diaba/test/"
DIABA = [sys.executable, "-c", "from service.cli import main; main()"]


def run_apart(
    data: Path, *words: str, out: int | None = None, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Run ``diaba`` in a process of its own, with an environment of its own."""
    environment = {"PATH": os.environ["PATH"], "DIABA_DATA": str(data), **variables}
    return subprocess.run(
        [*DIABA, *words], stdout=subprocess.PIPE if out is None else out, stderr=subprocess.PIPE, env=environment,
        cwd=Path(__file__).parents[2], timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("words", [("search", "dat dai"), ("search", "dat dai", "--json"), ("--help",)])
def test_an_output_without_room_is_told_and_is_not_taken_for_nothing_found(small: Path, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        failed = run_apart(small, *words, out=full.fileno())
    assert failed.returncode == 4
    assert b"The output cannot be written: No space left on device" in failed.stderr
    assert b"Traceback" not in failed.stderr
    assert b"Exception" not in failed.stderr


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_terminal_without_our_letters_is_no_fault(small: Path, encoding: str) -> None:
    shown = run_apart(small, "search", "dat dai", "--lang", "vi", PYTHONIOENCODING=encoding)
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert (b"?" in shown.stdout) is (encoding == "latin-1")  # what calls itself ASCII takes UTF-8 as it is
    written = run_apart(small, "search", "dat dai", "--lang", "vi", "--json", PYTHONIOENCODING=encoding)
    assert written.returncode == 0
    plain = run_apart(small, "search", "dat dai", "--lang", "vi", "--json", PYTHONIOENCODING="utf-8")
    assert json.loads(written.stdout) == json.loads(plain.stdout)  # nothing is lost on the way to a program


@pytest.mark.parametrize("locale", [{"LC_ALL": "C", "PYTHONUTF8": "0"}, {"LC_ALL": "C.UTF-8"}])
def test_words_are_read_as_utf_8_in_any_locale(small: Path, locale: dict[str, str]) -> None:
    found = json.loads(run_apart(small, "who", "đăng ký doanh nghiệp", "--json", **locale).stdout)
    assert found["question"] == "đăng ký doanh nghiệp"
    assert found["card"]["resource"]["iri"] == f"{TEST}companies"


def test_words_that_are_no_utf_8_are_wrong_usage(small: Path) -> None:
    refused = subprocess.run(
        [*map(os.fsencode, DIABA), b"who", b"\xff\xfe"], capture_output=True, check=False, timeout=60,
        env={"PATH": os.environ["PATH"], "DIABA_DATA": str(small), "LC_ALL": "C.UTF-8"},
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert refused.returncode == 2
    assert b"no text in UTF-8" in refused.stderr


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (("datasets-of", "khong co gi nhu vay xyz"), 1, "not-found"),
        (("lineage", "khong co gi nhu vay xyz"), 1, "not-found"),
        (("who", "dat dai", "--as-of", "2025-02-30"), 2, "bad-question"),
        (("ask", "no-such-query"), 2, "bad-question"),
        (("load", "/no/such/file.ttl"), 3, "unreadable"),
        (("journal", "show", "9999"), 1, "not-found"),
        (("who",), 2, "usage"),
        (("search", "--limit", "0", "dat dai"), 2, "usage"),
        (("nonsense",), 2, "usage"),
        (("serve", "--port", "eighty"), 2, "bad-setting"),
    ],
)
def test_a_fault_is_json_where_json_is_wanted(diaba: Run, words: tuple[str, ...], code: int, name: str) -> None:
    refused = diaba(*words, "--json")
    assert refused.code == code
    fault = refused.json["fault"]
    assert (fault["name"], set(fault)) == (name, {"name", "message", "remedy", "place"})
    assert fault["message"].rstrip(".") in " ".join(refused.err.split())
    assert diaba(*words).out == ""


def test_the_place_of_a_fault_is_data(diaba: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.ttl"
    broken.write_text("<https://example.org/a> <https://example.org/b> .\n", "utf-8")
    assert diaba("load", str(broken), "--json").json["fault"]["place"]["line"] == 1


@pytest.mark.parametrize(
    "words",
    [
        ("search", "khong co gi nhu vay xyz"),
        ("who", "khong co gi nhu vay xyz"),
        ("datasets-of", "bo tai chinh", "--as-of", "2001-01-01"),
        ("lineage", f"{TEST}titles", "--up"),
        ("ask", "transfer-chain", "--param", f"dataset={TEST}gone"),
    ],
)
def test_an_answer_that_found_nothing_is_one_document(diaba: Run, words: tuple[str, ...]) -> None:
    missed = diaba(*words, "--json")
    assert missed.code == 1
    assert "fault" not in missed.json


def test_a_value_given_twice_is_refused(diaba: Run) -> None:
    given = ("--param", f"dataset={TEST}companies", "--param", f"dataset={TEST}parcels")
    refused = diaba("ask", "owner-of-dataset", *given)
    assert refused.code == 2
    assert "“dataset” is given twice" in refused.err


def test_a_data_directory_that_may_not_be_used_is_4(
    diaba: Run, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    for words in (("search", "kat"), ("load", __file__), ("init",), ("rebuild",)):
        refused = diaba(*words)
        assert (refused.code, refused.out) == (4, "")
        assert "Permission denied" in refused.err
        assert str(small) in refused.err


def test_a_disk_that_fills_up_keeps_the_change_and_the_answers_of_before(
    diaba: Run, small: Path, tmp_path: Path
) -> None:
    data = str(shutil.copytree(small, tmp_path / "data"))
    file = tmp_path / "wells.ttl"
    file.write_text("<https://example.org/wells> a <http://www.w3.org/ns/dcat#Dataset> .\n", "utf-8")

    def refuse(*_: object) -> None:
        raise StoreFault("The store did not take the change: No space left on device", remedy="Look for a full disk.")

    with pytest.MonkeyPatch.context() as full:
        full.setattr(OxigraphStore, "_commit", refuse)
        cut_short = diaba("load", str(file), "--json", "--data", data)
        assert cut_short.code == 4
        assert "The change is recorded, up to number" in cut_short.json["fault"]["message"]
        shown = diaba("who", "dat dai", "--data", data)
        assert shown.code == 0
        assert "is recorded but cannot be shown yet" in shown.err
    mended = diaba("who", "https://example.org/wells", "--data", data)
    assert (mended.code, mended.err) == (0, "")
