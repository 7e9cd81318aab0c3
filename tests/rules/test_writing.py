"""Hold the page on writing rules to what is read: its rule is a rule, its query a query, its folder is taken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from graph.checking import Checker
from graph.rules import Judges, files_of, read_rules
from graph.shacl.shapes import Way

PAGE = (Path(__file__).parents[2] / "service" / "docs" / "writing-rules.md").read_text(encoding="utf-8")
BLOCKS = {kind: re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) for kind in ("turtle", "sparql")}


@pytest.fixture
def folder_of_ours(tmp_path: Path) -> Path:
    frame, _ = BLOCKS["turtle"]
    (query,) = BLOCKS["sparql"]
    (tmp_path / "frame.ttl").write_text(frame, encoding="utf-8")
    asked = re.sub(
        r"sh:property \[.*?\] \.",
        lambda _: (
            "sh:sparql [ a sh:SPARQLConstraint ; sh:prefixes <https://w3id.org/diaba/shapes> ;"
            f' sh:select """{query}""" ] .'
        ),
        frame.replace("grant-without-conditions", "holder-gone").replace(
            "d:judges d:Act ; d:actDate d:grantedOn ;", ""
        ),
        flags=re.DOTALL,
    )
    (tmp_path / "query.ttl").write_text(asked, encoding="utf-8")
    return tmp_path


def test_the_rule_on_the_page_is_a_rule(folder_of_ours: Path) -> None:
    rule = read_rules(None, [folder_of_ours]).by_name["grant-without-conditions"]
    assert rule.judges is Judges.act
    assert rule.applies.start is not None
    assert set(rule.label) == set(rule.comment) == set(rule.citation) == {"vi", "en"}
    assert rule.basis


def test_the_query_on_the_page_runs_where_the_data_is(folder_of_ours: Path) -> None:
    rules = read_rules(None, [folder_of_ours])
    checker = Checker(rules.shapes)
    rule = rules.by_name["holder-gone"]
    assert rule.judges is Judges.state
    assert checker.depends_on_day(rule.node)
    assert checker.routes()[rule.node].way is Way.compiled


def test_rules_of_a_folder_come_beside_those_of_the_software(folder_of_ours: Path) -> None:
    assert set(files_of(None)) < set(files_of(None, [folder_of_ours]))


def test_the_page_names_the_properties_a_rule_is_read_by() -> None:
    for name in (
        "d:judges", "d:actDate", "d:appliesFrom", "d:appliesUntil", "d:basis", "dct:bibliographicCitation",
        "d:confidence", "d:inferred", "dct:identifier", "sh:severity", "sh:message",
    ):  # fmt: skip
        assert f"`{name}`" in PAGE
