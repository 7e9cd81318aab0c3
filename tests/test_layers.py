"""Hold the layers: imports go down, never round, and the service sees only what answers."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]

#: lowest first; a module imports its own layer or a lower one
LAYERS = (
        ("terms", "errors", "model", "resources", "standards"),
        ("responsibility", "succession", "lineage", "scopes", "files", "tables", "words", "blank", "wire", "results",
     "messages", "addresses", "orders", "plans", "plans.sheets", "plans.reading", "shacl", "shacl.paths",
     "shacl.shapes", "shacl.triples"),
        ("queries", "store", "remote", "journal", "evidence", "documents", "snapshot", "door", "checkpoints", "cell",
     "sorting", "sources", "turns", "turnstile", "directory", "ledger", "pending", "shacl.components", "shacl.forms",
     "shacl.written", "shacl.saying", "shacl.triggers", "shacl.reading", "shacl.focus", "shacl.values", "shacl.core",
     "shacl.nodes", "shacl.text", "shacl.query", "shacl.select", "shacl.pieces", "shacl.days", "shacl.circles",
     "shacl.boundaries", "shacl.links", "shacl.sparql", "shacl.reference", "shacl.independent", "shacl.report"),
        ("pack", "loading", "reach", "standing", "search", "harvest", "deriving", "history", "projections",
     "inference", "labels", "flows", "bodies", "fate", "sandbox", "parts", "client", "upgrades", "checking",
     "judging", "rules", "rechecking", "findings", "concern", "upkeep", "gaps", "portrait", "dcatap", "cpov",
     "plans.naming", "plans.saying", "plans.changing", "plans.territory", "plans.drafting", "plans.foreseeing"),
        ("register", "answering", "archive", "view", "owner", "status", "inspecting", "reporting", "export",
     "planning"),
)  # fmt: skip
HEIGHT = {f"graph.{name}": height for height, layer in enumerate(LAYERS) for name in layer}

#: what the service may import below the two top layers, and of some of it only these names: what an answer is made of,
#: and never the store that can be written
SERVICE_SEES = {"graph.errors", "graph.terms", "graph.model", "graph.queries", "graph.resources"}
SERVICE_SEES |= {name for name, height in HEIGHT.items() if height >= 3}
SERVICE_SEES_OF = {"graph.store": {"Reader"}, "graph.lineage": {"Direction", "Kind", "Lineage"}}
SERVICE_SEES_OF["graph.journal"] = {"Change", "SECTIONS"}
SERVICE_SEES_OF["graph.addresses"] = {"name_of"}

#: decisions that depend on nothing but their arguments: no store, no file, no clock
PURE = ("model", "responsibility", "succession", "lineage", "words")
IMPURE = {"pyoxigraph", "sqlite3", "pathlib", "os", "io", "time", "random", "socket", "subprocess", "urllib"}


class Import(NamedTuple):
    """Say that ``module`` imports ``target`` (dotted) and, of it, ``names``; ``line`` is where."""

    module: str
    target: str
    names: tuple[str, ...]
    line: int


def dotted(path: Path) -> str:
    """Return the dotted name of a source file, ``graph`` for ``graph/__init__.py``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {dotted(path): path for package in ("graph", "service") for path in sorted((ROOT / package).rglob("*.py"))}


def imports(module: str) -> Iterator[Import]:
    """Yield every import of a module, those inside functions too; ``from graph import store`` counts as graph.store."""
    path = SOURCES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, (), node.lineno)
        elif isinstance(node, ast.ImportFrom):
            target = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                target = ".".join([*above, target]).rstrip(".")
            for alias in node.names:
                if f"{target}.{alias.name}" in SOURCES:
                    yield Import(module, f"{target}.{alias.name}", (), node.lineno)
                else:
                    yield Import(module, target, (alias.name,), node.lineno)


ALL = [found for module in SOURCES for found in imports(module)]


def told(wrong: list[Import]) -> str:
    return "\n".join(f"{SOURCES[one.module].relative_to(ROOT)}:{one.line} imports {one.target}" for one in wrong)


def test_every_module_of_the_graph_is_in_one_layer() -> None:
    names = [name for layer in LAYERS for name in layer]
    assert len(names) == len(set(names))
    homeless = [module for module in SOURCES if module.startswith("graph.") and module not in HEIGHT]
    assert not homeless, f"name the layer of {', '.join(homeless)} in tests/test_layers.py and in the README"


def test_the_readme_shows_the_same_layers() -> None:
    rows = re.findall(r"^\| (\d) \| (`[^|]*`) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {int(height): tuple(re.findall(r"`([\w.]+)`", names)) for height, names in rows} == dict(enumerate(LAYERS))


def test_imports_go_down_only() -> None:
    wrong = [
        one for one in ALL if one.module in HEIGHT and one.target in HEIGHT and HEIGHT[one.target] > HEIGHT[one.module]
    ]
    assert not wrong, told(wrong)


def test_the_graph_knows_nothing_of_the_service() -> None:
    wrong = [one for one in ALL if one.module.split(".")[0] == "graph" and one.target.split(".")[0] == "service"]
    assert not wrong, told(wrong)


def test_no_import_goes_round() -> None:
    edges = {module: {one.target for one in ALL if one.module == module} & set(SOURCES) for module in SOURCES}
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_the_service_sees_only_what_answers() -> None:
    ours = [one for one in ALL if one.module.split(".")[0] == "service" and one.target.startswith("graph")]
    wrong = [
        one
        for one in ours
        if one.target not in SERVICE_SEES
        and (not one.names or not set(one.names) <= SERVICE_SEES_OF.get(one.target, set()))
    ]
    assert not wrong, told(wrong)


@pytest.mark.parametrize("name", [name for name in PURE if f"graph.{name}" in SOURCES])
def test_a_decision_depends_on_its_arguments_only(name: str) -> None:
    wrong = [one for one in ALL if one.module == f"graph.{name}" and one.target.split(".")[0] in IMPURE]
    assert not wrong, told(wrong)


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
    assert not [module for module in SOURCES if module.rpartition(".")[2] in drawers]


def declared(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", one)[0].lower().replace("_", "-") for one in requirements}


def test_everything_imported_is_declared_and_everything_declared_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    always = declared(project["dependencies"])
    reasoning = declared(project["optional-dependencies"]["reasoning"])
    homes = packages_distributions()
    used: dict[str, list[Import]] = {}
    for one in ALL:
        top = one.target.split(".")[0]
        if top in ("graph", "service", "") or top in sys.stdlib_module_names:
            continue
        assert top in homes, f"{told([one])}, which is not installed"
        for home in homes[top]:
            used.setdefault(home.lower().replace("_", "-"), []).append(one)
    hidden = {"tzdata"}  # zoneinfo reads it by itself where the system has no zones of its own
    for home, where in used.items():
        outside = [one for one in where if one.module != "graph.inference"]
        assert home in always or not outside, f"add {home} to the dependencies in pyproject.toml:\n{told(outside)}"
        assert home in always | reasoning, f"add {home} to the extra 'reasoning' in pyproject.toml:\n{told(where)}"
    assert not (always | reasoning) - set(used) - hidden, "declared in pyproject.toml and imported nowhere"
