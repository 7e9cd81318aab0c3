"""Notice what nobody wrote down: a query, a verb and its options, a setting, a rule."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pyoxigraph as ox
import pytest

from graph.resources import folder
from service.cli import main
from service.settings import VARIABLES, Settings

ROOT = Path(__file__).resolve().parents[1]
MESSAGE = ox.NamedNode("http://www.w3.org/ns/shacl#message")


@pytest.fixture(scope="module")
def prose() -> str:
    """Return all that a reader is told: the pages of documentation and the README."""
    pages = sorted((ROOT / "service" / "docs").rglob("*.md"))
    return "\n".join(page.read_text(encoding="utf-8") for page in [*pages, ROOT / "README.md"])


def told(word: str, prose: str) -> bool:
    """Say whether a word stands alone in the prose: ``owner-of-dataset-at`` does not tell of ``owner-of-dataset``."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", prose) is not None


def verbs(command: click.Command, path: tuple[str, ...] = ("diaba",)) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with the words that call it, groups' members too."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    for name, member in command.commands.items():
        yield from verbs(member, (*path, name))


def rules() -> set[str]:
    """Return the names (last parts of the IRIs) of all rules: the shapes that have something to say."""
    found = set()
    for path in folder("shapes").rglob("*.ttl"):
        for quad in ox.parse(path=path):
            if quad.predicate == MESSAGE and isinstance(quad.subject, ox.NamedNode):
                found.add(re.split(r"[#/]", quad.subject.value)[-1])
    return found


def test_every_query_is_documented(prose: str) -> None:
    names = sorted(path.stem for path in folder("queries").rglob("*.rq"))
    assert names
    assert not [name for name in names if not told(name, prose)]


def test_every_verb_is_documented(prose: str) -> None:
    names = [name for name, _ in verbs(main)]
    assert names
    assert not [name for name in names if not told(name, prose)]


def test_every_option_of_a_verb_is_documented(prose: str) -> None:
    options = {
        (name, text)
        for name, command in [("diaba", main), *verbs(main)]
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for text in parameter.opts
        if text.startswith("--")
    }
    assert not sorted((name, text) for name, text in options if not told(text, prose))


def test_every_setting_and_its_variable_are_documented(prose: str) -> None:
    names = [field.name for field in fields(Settings)]
    assert set(names) == set(VARIABLES)
    assert not [name for name in names if not told(VARIABLES[name], prose)]
    assert not [name for name in names if not told(name, prose) and not told("--" + name.replace("_", "-"), prose)]


def test_every_rule_is_documented(prose: str) -> None:
    names = sorted(rules())
    assert names
    assert not [name for name in names if not told(name, prose)]


def test_the_readme_opens_with_the_two_commands() -> None:
    opening = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:6]
    assert any(line.startswith("make serve") for line in opening)
    assert any(line.startswith("make test") for line in opening)


def test_the_readme_says_why_each_dependency_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    named += [one for extra in project["project"]["optional-dependencies"].values() for one in extra]
    reasons = re.findall(r"^\|([^|]*)\|[^|]*\|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    words = {word for cell in reasons for word in re.split(r"[^a-z0-9.-]+", cell.lower())}
    assert not [one for one in named if re.split(r"[^A-Za-z0-9._-]", one)[0].lower() not in words]


def test_every_command_of_the_readme_exists() -> None:
    known = {name for name, _ in verbs(main)}
    called = re.findall(r"^(diaba [a-z][a-z-]*)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert called
    assert not sorted(set(called) - known)


def test_every_target_of_make_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert not named - targets
