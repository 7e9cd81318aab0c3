"""Give the command line's tests one small register and a way to run the command as people do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from service.cli import main
from tests.service.small import make_small


@dataclass(frozen=True)
class Outcome:
    """Hold what a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """Return what was said, lines joined, so that a test need not know where they wrap."""
        return " ".join(self.out.split())


Run = Callable[..., Outcome]


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data directory of the small register; tests of this folder only read it."""
    return make_small(tmp_path_factory.mktemp("cli") / "data")


@pytest.fixture
def diaba(small: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs ``diaba`` on the small register, in English, and never in the user's own folder."""
    for name in (
        "DIABA_DATA", "DIABA_STORE", "DIABA_LANG", "DIABA_PORT",
        "DIABA_HOST", "DIABA_BASE_PATH", "COLUMNS", "LC_ALL",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DIABA_DATA", str(small))
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")

    def run(*words: str) -> Outcome:
        done = CliRunner().invoke(main, list(words), catch_exceptions=False)
        return Outcome(done.exit_code, done.stdout, done.stderr)

    return run
