"""Hold what the command line answers, in which form, and with which exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.text import Text

from service import terminal
from tests.cli.conftest import Run

TEST = "https://w3id.org/diaba/test/"


@pytest.mark.parametrize(
    ("day", "holder"),
    [("2025-02-28", "Ministry of Planning and Investment"), ("2025-03-01", "Ministry of Finance")],
)
def test_who_answers_for_the_day_asked(diaba: Run, day: str, holder: str) -> None:
    card = diaba("who", "dang ky doanh nghiep", "--as-of", day)
    assert card.code == 0
    assert f"held {holder} " in card.words
    answer = diaba("who", "dang ky doanh nghiep", "--as-of", day, "--json").json
    assert [one["label"] for one in answer["card"]["lines"]["accountable"]["holders"]] == [holder]


def test_a_card_says_since_when_on_what_basis_how_and_how_sure(diaba: Run) -> None:
    words = diaba("who", "đăng", "ký", "doanh", "nghiệp", "--as-of", "2025-03-01").words
    for part in (
        "National database on business registration", f"{TEST}companies", "On 2025-03-01", "Accountable ● held",
        "since 2025-03-01 · followed · V2 excerpt of the text", "Basis: Decree 47/2024/ND-CP, article 3",
        "↳ 2025-03-01: Ministry of Planning and Investment → Ministry of Finance (Decree 47/2024/ND-CP, article 3)",
        "Executes the accountable itself",
        "Operates Business Registration Department start not known · asserted · V3 third-party source",
    ):  # fmt: skip
        assert part in words


def test_who_takes_an_iri_and_speaks_vietnamese(diaba: Run) -> None:
    words = diaba("who", f"{TEST}joint", "--lang", "vi").words
    assert "◐ nhiều bên cùng chịu trách nhiệm" in words
    assert "Bộ Tài chính (chủ trì)" in words


def test_what_nobody_verified_stands_below_the_line(diaba: Run) -> None:
    above, line, below = diaba("who", f"{TEST}rumour").out.partition("NOT VERIFIED ─")
    assert "Ministry of Health" not in above
    assert line
    assert "Ministry of Health" in below


def test_who_lists_the_next_hits(diaba: Run) -> None:
    answer = diaba("who", "co so du lieu quoc gia", "--json").json
    assert len(answer["others"]) == 1
    assert answer["others"][0]["label"] in diaba("who", "co so du lieu quoc gia").words


def test_nothing_found_is_1_and_says_what_to_try(diaba: Run) -> None:
    missed = diaba("who", "khong co gi nhu vay xyz")
    assert (missed.code, missed.out) == (1, "")
    assert "Try fewer words" in missed.err
    assert diaba("who", "khong co gi nhu vay xyz", "--json").json["card"] is None
    assert diaba("who", f"{TEST}nothing-of-this-name").code == 1
    assert diaba("search", "khong co gi nhu vay xyz").code == 1
    assert diaba("search", "khong co gi nhu vay xyz", "--json").json["rows"] == []


def test_the_name_of_a_body_leads_to_what_it_answers_for(diaba: Run) -> None:
    missed = diaba("who", "bo tai chinh")
    assert missed.code == 1
    assert "diaba datasets-of “Ministry of Finance”" in missed.err


@pytest.mark.parametrize(
    ("day", "remedy"),
    [("2025-02-30", "2025-02-28"), ("28/02/2025", "2025-02-28"), ("2025-02", "2025-02-01"), ("soon", "2025-03-01")],
)
@pytest.mark.parametrize("verb", ["who", "search", "datasets-of", "lineage"])
def test_a_wrong_day_is_2_and_says_what_to_write(diaba: Run, verb: str, day: str, remedy: str) -> None:
    refused = diaba(verb, "dat dai", "--as-of", day)
    assert (refused.code, refused.out) == (2, "")
    assert day in refused.err
    assert f"Write it like {remedy}." in refused.err
    assert "Traceback" not in refused.err


def test_known_at_takes_an_instant_with_a_zone_or_a_day(diaba: Run) -> None:
    assert diaba("who", "dat dai", "--known-at", "2999-01-01", "--json").json["card"]["known_at"].endswith("Z")
    assert diaba("who", "dat dai", "--known-at", "2999-01-01T00:00:00Z").code == 0
    assert diaba("who", "dat dai", "--known-at", "2999-01-01T00:00:00").code == 2
    then = diaba("who", "dat dai", "--known-at", "2001-01-01", "--json").json
    assert then["card"]["lines"]["accountable"]["status"] == "unknown"


def test_search_shows_who_answers_in_the_row(diaba: Run) -> None:
    words = diaba("search", "dat", "dai").words
    assert "National land database" in words
    assert "Ministry of Agriculture and" in words
    rows = diaba("search", "ke hoach dau tu", "--json").json["rows"]
    assert rows[0]["remark"] == "ended, through 2025-02-28"


def test_datasets_of_counts_the_units_in(diaba: Run) -> None:
    found = diaba("datasets-of", "bo tai chinh", "--json").json
    assert len(found["datasets"]) == 2
    assert "2 datasets" in diaba("datasets-of", f"{TEST}mof").words
    before = diaba("datasets-of", "bo tai chinh", "--as-of", "2001-01-01")
    assert before.code == 1
    assert "no data" in before.err


def test_lineage_walks_both_ways_or_one_on_the_day(diaba: Run) -> None:
    both = diaba("lineage", f"{TEST}parcels")
    assert both.code == 0
    assert "Comes from └── List of certificates Goes to └── nothing recorded" in both.words
    down = diaba("lineage", f"{TEST}titles", "--down", "--json").json
    assert [node["label"] for node in down["down"]["nodes"]] == ["List of certificates", "National land database"]
    assert "up" not in down
    assert diaba("lineage", f"{TEST}parcels", "--as-of", "2025-05-31").code == 1
    assert diaba("lineage", f"{TEST}titles", "--up").code == 1


def test_ask_lists_and_asks_the_canned_queries(diaba: Run) -> None:
    listed = diaba("ask", "--list", "--json").json
    assert {"owner-of-dataset", "datasets-of-agency"} <= {query["name"] for query in listed}
    assert "owner-of-dataset-at" in diaba("ask", "--list").words
    answer = diaba(
        "ask", "owner-of-dataset-at", "--param", f"dataset={TEST}companies", "--param", "day=2025-02-28", "--json"
    )
    assert answer.code == 0
    assert f"{TEST}mpi" in str(answer.json["rows"])
    assert "Ministry of Planning" in diaba(
        "ask", "owner-of-dataset-at", "--param", f"dataset={TEST}companies", "--param", "day=2025-02-28"
    ).words  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["owner-of-datase"], "owner-of-dataset"),
        (["zzz"], "ask --list"),
        ([], "ask --list"),
        (["owner-of-dataset"], "dataset"),
        (["owner-of-dataset", "--param", "dataset"], "name=value"),
        (["owner-of-dataset", "--param", f"dataset={TEST}x", "--param", "colour=red"], "colour"),
        (["owner-of-dataset-at", "--param", f"dataset={TEST}x", "--param", "day=28/02/2025"], "2025-02-28"),
        (["owner-of-dataset", "--param", "dataset=not an iri> } DROP ALL"], "dataset"),
    ],
)
def test_a_wrong_query_is_2_and_says_what_it_takes(diaba: Run, words: list[str], told: str) -> None:
    refused = diaba("ask", *words)
    assert (refused.code, refused.out) == (2, "")
    assert told in refused.err


def test_a_query_without_rows_is_1(diaba: Run) -> None:
    assert diaba("ask", "transfer-chain", "--param", f"dataset={TEST}gone").code == 1


@pytest.mark.parametrize(
    "words", [["who"], ["who", "  "], ["who", "a" * 501], ["nonsense"], ["search", "--limit", "0", "a"]]
)
def test_wrong_usage_is_2(diaba: Run, words: list[str]) -> None:
    refused = diaba(*words)
    assert refused.code == 2
    assert refused.err


def test_the_common_options_stand_before_or_after_the_verb(diaba: Run, small: Path, tmp_path: Path) -> None:
    plain = diaba("--data", str(small), "--lang", "vi", "--json", "who", "dat dai")
    assert plain.json == diaba("who", "dat dai", "--data", str(small), "--lang", "vi", "--json").json
    assert plain.json == diaba("--data", str(tmp_path / "no"), "--lang", "en", "who", "dat dai", "--data", str(small),
                               "--lang", "vi", "--json").json  # fmt: skip


def test_the_language_is_the_options_then_the_variables_then_the_locales(
    diaba: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Accountable" in diaba("who", "dat dai").words
    monkeypatch.setenv("LC_ALL", "vi_VN.UTF-8")
    assert "Chủ quản" in diaba("who", "dat dai").words
    monkeypatch.setenv("DIABA_LANG", "en")
    assert "Accountable" in diaba("who", "dat dai").words
    assert "Chủ quản" in diaba("who", "dat dai", "--lang", "vi").words


@pytest.mark.parametrize(
    "words",
    [("who", f"{TEST}torn"), ("search", "co so du lieu"), ("ask", "--list"), ("datasets-of", "bo tai chinh")],
)
@pytest.mark.parametrize("columns", ["80", "50"])
def test_nothing_is_wider_than_the_terminal_and_nothing_is_cut(
    diaba: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    shown = diaba(*words, "--lang", "vi")
    assert max(map(len, shown.out.splitlines())) <= int(columns)
    assert "…" not in shown.out
    assert "\x1b" not in shown.out


def test_a_closed_pipe_ends_quietly(small: Path) -> None:
    environment = {**os.environ, "DIABA_DATA": str(small), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-c", "from service.cli import main; main()", "search", "du lieu", "--json"]
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(command, stdout=writing, stderr=subprocess.PIPE, env=environment) as process:
        os.close(writing)
        assert process.stderr is not None
        told = process.stderr.read()
    assert (process.returncode, told) == (141, b"")


def test_version_and_help_need_no_data(diaba: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIABA_DATA", str(tmp_path / "never"))
    assert diaba("--version").out.startswith("diaba, version ")
    assert "lineage" in diaba("--help").out
    assert "--known-at" in diaba("who", "-h").out
    assert not (tmp_path / "never").exists()


def test_text_of_the_register_cannot_control_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show(Text("a\0b\u202ec\u2066d\x1b[31me\x07"))
    assert capsys.readouterr().out == "abcde\n"


def test_bodies_wants_a_level_or_a_kind_and_names_the_kinds_there_are(diaba: Run) -> None:
    nothing = diaba("bodies")
    assert nothing.code == 2
    assert "--level" in nothing.err
    unknown = diaba("bodies", "--kind", "moon base")
    assert unknown.code == 2
    assert "moon base" in unknown.err


def test_a_body_is_told_by_any_name_with_what_it_came_from_and_what_became_of_it(diaba: Run) -> None:
    answer = diaba("body", "bo ke hoach va dau tu", "--json")
    assert answer.code == 0
    told = answer.json
    assert told["ended"] is True
    assert told["until"] == "2025-03-01"
    assert [share["holder"]["iri"] for share in told["shares"]] == ["https://w3id.org/diaba/test/mof"]
    nobody = diaba("body", "https://example.org/nobody-knows")
    assert nobody.code == 1
