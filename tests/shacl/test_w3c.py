"""Hold our check to the W3C's test cases for SHACL: https://w3c.github.io/data-shapes/data-shapes-test-suite/."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from graph.checking import Checker
from graph.errors import Fault, ShapeFault
from graph.shacl.reading import shapes_of
from graph.shacl.shapes import Way

from .w3c import case_files, read_case, rows_of_results, run, same

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT.parent / "shared" / "suites" / "w3c-shacl"
PAGE = ROOT / "service" / "docs" / "shacl.md"

#: cases that fail, each with its cause
FAILS: dict[str, str] = {
    "sparql/pre-binding/shapesGraph-001": "$shapesGraph: the shapes are not kept in the store, and neither we nor "
    "pySHACL show them to a query",
}
FILES = case_files(SUITE) if SUITE.is_dir() else []
WORDS = {Way.compiled: "compiled", Way.by_node: "compiled, node by node", Way.reference: "pySHACL"}


def name_of(file: Path) -> str:
    return file.relative_to(SUITE / "tests").with_suffix("").as_posix()


def way_of(file: Path) -> str:
    """Return how a case is run: the way of the root that is the furthest from compiled."""
    try:
        checker = Checker(shapes_of(read_case(file).shapes))
    except ShapeFault:
        return "refused"
    ways = [checker.routes()[root].way for root in checker.roots]
    return WORDS[max(ways, key=list(Way).index, default=Way.compiled)]


def test_the_suite_is_there(shared: Path) -> None:
    assert len(FILES) == 121


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(
            file,
            id=name_of(file),
            marks=[pytest.mark.xfail(reason=FAILS[name_of(file)], strict=True, raises=(AssertionError, Fault))]
            if name_of(file) in FAILS
            else [],
        )
        for file in FILES
    ],
)
def test_a_case_of_the_w3c_comes_out_as_it_says(file: Path) -> None:
    case = read_case(file)
    if case.expected is None:
        with pytest.raises(ShapeFault):
            run(case)
        return
    _, results = run(case)
    assert same(rows_of_results(results), case.expected)


@pytest.mark.skipif(not FILES, reason="the folder ../shared is missing beside the checkout")
def test_at_least_eighty_cases_of_the_core_are_compiled() -> None:
    ways = Counter(way_of(file) for file in FILES if name_of(file).startswith("core/"))
    assert ways["compiled"] >= 80, ways


@pytest.mark.skipif(not FILES, reason="the folder ../shared is missing beside the checkout")
def test_the_documentation_says_which_way_each_case_takes() -> None:
    lines = [f"| {name_of(file)} | {way_of(file)} | {FAILS.get(name_of(file), '')} |" for file in FILES]
    print("\n".join(lines))
    page = PAGE.read_text(encoding="utf-8").splitlines()
    shown = [line for line in page if line.startswith(("| core/", "| sparql/"))]
    assert shown == lines
