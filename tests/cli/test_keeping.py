"""Hold the verbs that keep the register: what they make, what they refuse, and that nothing is half done."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from graph.resources import folder
from tests.cli.conftest import Run
from tests.service.small import HERE

TEST = "https://w3id.org/diaba/test/"
SOURCE = "https://example.org/source"
DATASET = f"""@prefix d: <https://w3id.org/diaba/ns#> . @prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> . @prefix x: <https://example.org/> .
x:wells a dcat:Dataset ; dct:title "Giếng nước"@vi .
x:duty a d:Responsibility ; d:covers x:wells ; d:holder <{TEST}moh> ; d:role <https://w3id.org/diaba/role/accountable> .
"""


@pytest.fixture
def copied(small: Path, tmp_path: Path) -> Path:
    """Return a data directory of this test's own."""
    return Path(shutil.copytree(small, tmp_path / "data"))


def test_init_empty_makes_a_register_once(diaba: Run, tmp_path: Path) -> None:
    data = tmp_path / "new" / "register"
    made = diaba("init", "--empty", "--data", str(data))
    assert (made.code, made.out) == (0, f"Made {data}, empty.\n")
    again = diaba("init", "--empty", "--data", str(data))
    assert again.code == 4
    assert "is not empty" in again.err
    assert diaba("who", "dat dai", "--data", str(data)).code == 1


def test_load_records_a_file_and_the_answer_follows(diaba: Run, copied: Path, tmp_path: Path) -> None:
    file = tmp_path / "wells.ttl"
    file.write_text(DATASET, "utf-8")
    asked = ("--data", str(copied))
    loaded = diaba("load", str(file), "--source", SOURCE, "--confidence", "V2", "--message", "wells", *asked)
    assert loaded.code == 0
    assert loaded.out
    card = diaba("who", "gieng nuoc", "--json", *asked).json["card"]
    [answer] = card["lines"]["accountable"]["answers"]
    assert (answer["holders"][0]["iri"], answer["confidence"]) == (f"{TEST}moh", "V2")


def test_loading_the_same_again_changes_nothing(diaba: Run, copied: Path) -> None:
    before = diaba("who", "dat dai", "--json", "--data", str(copied)).json["card"]
    again = diaba(
        "load", str(HERE / "small.ttl"), "--source", "https://w3id.org/diaba/test", "--data", str(copied), "--json"
    )
    assert again.code == 0
    after = diaba("who", "dat dai", "--json", "--data", str(copied)).json["card"]
    assert before["lines"] == after["lines"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("broken.ttl", "@prefix d: <https://w3id.org/diaba/ns#> .\nd:x d:y .\n", "broken.ttl:2"),
        ("empty.ttl", "", "empty.ttl"),
        ("picture.ttl", "GIF89a\x00\x00", "picture.ttl"),
        ("missing.ttl", None, "missing.ttl"),
        ("term.ttl", f"<{TEST}a> <https://w3id.org/diaba/ns#nonsense> 1 .\n", "nonsense"),
        (
            "inverted.ttl",
            DATASET + 'x:duty d:from "2025-03-01"^^<http://www.w3.org/2001/XMLSchema#date> ; '
            'd:until "2025-01-01"^^<http://www.w3.org/2001/XMLSchema#date> .\n',
            "inverted.ttl",
        ),
    ],
)
def test_bad_input_is_3_with_its_place_and_nothing_is_recorded(
    diaba: Run, copied: Path, tmp_path: Path, name: str, text: str | None, told: str
) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_text(text, "utf-8")
    before = diaba("who", "dat dai", "--json", "--data", str(copied)).json["card"]["revision"]
    refused = diaba("load", str(file), "--source", SOURCE, "--data", str(copied))
    assert (refused.code, refused.out) == (3, "")
    assert told in refused.err
    assert len(refused.err.strip().splitlines()) >= 1
    assert "Traceback" not in refused.err
    assert diaba("who", "dat dai", "--json", "--data", str(copied)).json["card"]["revision"] == before


def test_rebuild_gives_the_same_answers(diaba: Run, copied: Path) -> None:
    asked = ("who", "dang ky doanh nghiep", "--json", "--data", str(copied))
    before = diaba(*asked).json
    assert diaba("rebuild", "--data", str(copied)).code == 0
    assert diaba(*asked).json == before


def test_a_data_directory_that_is_none_is_4(diaba: Run, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("Dear reader", "utf-8")
    refused = diaba("who", "dat dai", "--data", str(tmp_path / "letters"))
    assert (refused.code, refused.out) == (4, "")
    assert "letters" in refused.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--port", "eighty"], "--port"),
        (["--port", "70000"], "--port"),
        (["--host", "no.such.host.invalid"], "no.such.host.invalid"),
        (["--base-path", "diaba"], "--base-path"),
        (["--data", __file__], "--data"),
    ],
)
def test_a_service_that_cannot_start_says_why(diaba: Run, words: list[str], told: str) -> None:
    refused = diaba("serve", *words)
    assert (refused.code, refused.out) == (2, "")
    assert told in refused.err


def test_a_taken_port_is_said_at_once(diaba: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = diaba("serve", "--port", str(taken.getsockname()[1]))
    assert refused.code == 2
    assert "Choose another port" in refused.err


def test_serve_answers_and_stops_when_told(copied: Path) -> None:
    command = [
        sys.executable,
        "-c",
        "from service.cli import main; main()",
        "serve",
        "--port",
        "0",
        "--data",
        str(copied),
    ]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", said)
        try:
            assert address, said
            answer = httpx.get(f"{address[0]}who", params={"q": "dat dai"}, timeout=20, trust_env=False)
            assert answer.json()["card"]["lines"]["accountable"]["status"] == "held"
        finally:
            process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode in (0, 130)
    assert "Traceback" not in rest


@pytest.mark.parametrize("name", ["nowhere", "../vn", ""])
def test_a_pack_that_is_not_there_is_told_and_nothing_is_made(diaba: Run, tmp_path: Path, name: str) -> None:
    refused = diaba("init", "--pack", name, "--data", str(tmp_path / "data"))
    assert refused.code in (2, 3)
    assert "pack" in refused.err
    assert not (tmp_path / "data").exists()


def test_another_country_is_a_folder(diaba: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "ontology"
    shutil.copytree(folder("ontology"), home, ignore=shutil.ignore_patterns("vn"))
    (home / "xx").mkdir()
    (home / "xx" / "pack.toml").write_text(
        'name = "xx"\nversion = "1"\ntitle = {en = "Elsewhere"}\n'
        'timezone = "Europe/Berlin"\nlanguages = ["de", "en"]\n'
        '[[part]]\nfile = "bodies.ttl"\nsource = "https://example.org/xx"\n'
        'title = {en = "Bodies"}\nconfidence = "V1"\n',
        "utf-8",
    )
    (home / "xx" / "bodies.ttl").write_text(
        "@prefix d: <https://w3id.org/diaba/ns#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n"
        '<https://example.org/amt> a d:Agency ; skos:prefLabel "Katasteramt"@de .\n',
        "utf-8",
    )
    monkeypatch.setattr("graph.register.folder", lambda name: home if name == "ontology" else folder(name))
    data = str(tmp_path / "data")
    assert diaba("init", "--pack", "xx", "--data", data).code == 0
    assert diaba("search", "katasteramt", "--data", data, "--json").json["rows"][0]["label"] == "Katasteramt"
