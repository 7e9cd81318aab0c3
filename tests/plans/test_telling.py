"""What people see of a plan: on the command line, as files, and on a page that records nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from graph.owner import hold, owning
from service.app import create_app
from service.cli import main
from service.settings import Settings
from tests.plans.conftest import HEAD
from tests.plans.test_plans import MERGER
from tests.service.serving import client_of


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(HEAD + MERGER, encoding="utf-8")
    return path


@pytest.fixture
def data(ready: Path, tmp_path: Path) -> Path:
    shutil.copytree(ready, tmp_path / "data")
    return tmp_path / "data"


def diaba(*words: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


def test_a_preview_names_what_moves_and_records_nothing(data: Path, plan_file: Path) -> None:
    code, out, _ = diaba("plan", "check", plan_file, "--data", data, "--json", "--lang", "en")
    told = json.loads(out)
    assert code == 0
    assert told["summary"]["moves"] == 1
    assert told["moves"][0]["after"]["holders"][0]["label"] == "Department C"
    assert told["moves"][0]["why"][0]["label"] == "change 1 of the plan"
    assert [lapse["ends"]["label"] for lapse in told["lapses"]]
    assert diaba("plan", "list", "--data", data)[0] == 1
    code, out, _ = diaba("plan", "check", plan_file, "--data", data, "--lang", "en")
    assert "Department C" in out
    assert "Takes effect on 2027-01-01" in out


def test_a_preview_is_written_as_a_page_and_a_workbook(data: Path, plan_file: Path, tmp_path: Path) -> None:
    for form in ("html", "xlsx"):
        words = ("--format", form, "-o", tmp_path / f"p.{form}")
        code, _, err = diaba("plan", "check", plan_file, "--data", data, *words)
        assert code == 0, err
    assert "Department C" in (tmp_path / "p.html").read_text(encoding="utf-8")
    sheets = load_workbook(tmp_path / "p.xlsx")
    assert any("Department C" in str(cell.value) for sheet in sheets for row in sheet.iter_rows() for cell in row)


def test_a_plan_is_applied_listed_and_undone_from_the_command_line(data: Path, plan_file: Path) -> None:
    assert diaba("plan", "apply", plan_file, "--data", data)[0] == 0
    code, out, _ = diaba("plan", "list", "--data", data, "--json")
    assert [(one["name"], one["stands"]) for one in json.loads(out)] == [("try", True)]
    code, _, err = diaba("plan", "apply", plan_file, "--data", data)
    assert code == 3
    assert "applied already" in err
    assert diaba("plan", "undo", "try", "--data", data)[0] == 0
    assert diaba("plan", "undo", "try", "--data", data)[0] == 1


def test_what_a_plan_says_wrong_is_told_with_its_line(data: Path, plan_file: Path) -> None:
    plan_file.write_text(HEAD + MERGER.replace("Department B", "Department Z"), encoding="utf-8")
    code, _, err = diaba("plan", "check", plan_file, "--data", data)
    assert code == 3
    assert f"{plan_file}:10" in err
    assert "Department Z" in err


def test_a_template_is_written_once(tmp_path: Path, data: Path) -> None:
    path = tmp_path / "plan.xlsx"
    assert diaba("plan", "template", path)[0] == 0
    assert "changes" in load_workbook(path).sheetnames
    assert diaba("plan", "template", path)[0] == 4


def test_the_page_previews_a_plan_and_shows_what_is_wrong_with_it(data: Path) -> None:
    with owning(hold(data)) as owner, client_of(create_app(Settings(data=data), owner.reader, owner)) as client:
        page = client.get("/plan", headers={"accept": "text/html"})
        assert page.status_code == 200
        assert "<textarea" in page.text
        text, kind = HEAD + MERGER, {"content-type": "application/yaml"}
        told = client.post("/plan?lang=en", content=text, headers=kind, timeout=120)
        assert told.status_code == 200
        assert told.json()["summary"]["moves"] == 1
        shown = client.post("/plan?lang=en", data={"plan": text}, headers={"accept": "text/html"}, timeout=120)
        assert "Department C" in shown.text
        wrong = client.post("/plan", content="plan: X", headers=kind, timeout=120)
        assert wrong.status_code == 422
        assert client.get("/plan").json() == {"plans": []}
        assert client.get("/plan/schema.json").json()["title"] == "Plan of a reorganisation"
