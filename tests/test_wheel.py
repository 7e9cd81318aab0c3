"""Ask the installed wheel a question in an empty folder: what the checkout has, the wheel must carry."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILT_FROM = (
    "LICENSE", "README.md", "pyproject.toml", "graph", "service", "ontology", "queries", "shapes", "tests/examples",
)  # fmt: skip

#: folder of the checkout -> where the wheel carries it
CARRIED = {
    "graph": "graph",
    "service": "service",
    "ontology": "graph/data/ontology",
    "queries": "graph/data/queries",
    "shapes": "graph/data/shapes",
    "tests/examples": "graph/data/examples",
}


def run(*command: str | Path, cwd: Path) -> str:
    """Return what a command prints; a command that fails, fails the test with all that it said."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DIABA_"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=clean | {"PYTHONUTF8": "1"}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built without any network from a copy, so that the checkout gets no build folders."""
    copy = tmp_path_factory.mktemp("source")
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    made = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", made, copy, cwd=made)
    return next(made.glob("diaba-*.whl"))


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the ``bin`` of a new environment that has the wheel and sees our dependencies, but not the checkout.

    A path named in a ``.pth`` file is searched, yet its own ``.pth`` files are not read: so the packages installed here
    are importable there and the editable install is not.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False, symlinks=True)
    there = Path(sysconfig.get_path("purelib", scheme="venv", vars={"base": str(home), "platbase": str(home)}))
    seen = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (there / "dependencies.pth").write_text("\n".join(sorted(seen)) + "\n", encoding="utf-8")
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=home)
    return home / "bin"


def test_the_wheel_carries_every_file_of_the_checkout(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    missing = [
        str(path.relative_to(ROOT))
        for here, there in CARRIED.items()
        for path in sorted((ROOT / here).rglob("*"))
        if path.is_file()
        and "__pycache__" not in path.parts
        and f"{there}/{path.relative_to(ROOT / here).as_posix()}" not in inside
    ]
    assert not missing, f"name their folder or ending in pyproject.toml: {', '.join(missing)}"


def test_the_wheel_carries_nothing_but_the_two_packages(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"graph", "service"}


def test_the_installed_register_stands_alone(programs: Path, tmp_path: Path) -> None:
    where = run(
        programs / "python", "-c", "import graph, service; print(graph.__file__, service.__file__)", cwd=tmp_path
    )
    assert str(ROOT) not in where


def test_the_installed_register_answers_in_an_empty_folder(programs: Path, tmp_path: Path) -> None:
    run(programs / "diaba", "init", cwd=tmp_path)
    question = ("who", "đăng ký doanh nghiệp", "--as-of", "2025-02-28", "--json")
    card = json.loads(run(programs / "diaba", *question, cwd=tmp_path))["card"]
    assert [one["label"] for one in card["lines"]["accountable"]["holders"]] == ["Bộ Kế hoạch và Đầu tư"]
