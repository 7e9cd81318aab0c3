"""Hold every rule to what its reader must find: what is wrong, why it matters, what to do, by which law."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import DCTERMS, RDF, RDFS, SH, Graph, Literal, URIRef
from rdflib.term import Node

from graph.resources import folder
from graph.terms import BASE, D

from .examples import EXAMPLES, SHAPES, examples, rules

NAMES = sorted(
    str(rule).removeprefix(SHAPES)
    for rule in set(rules().subjects(URIRef(D.judges)))
    if isinstance(rule, URIRef) and str(rule).startswith(SHAPES)
)
GENERAL = [path for path in sorted(folder("shapes").glob("*.ttl")) if path.name != "ontology.ttl"]


def texts(rule: Node, relation: URIRef) -> dict[str | None, str]:
    return {one.language: str(one) for one in rules().objects(rule, relation) if isinstance(one, Literal)}


def constraints(rule: Node) -> list[Node]:
    return [*rules().objects(rule, SH.sparql)]


@pytest.fixture(params=NAMES)
def rule(request: pytest.FixtureRequest) -> URIRef:
    return URIRef(SHAPES + request.param)


def test_a_rule_is_named_after_its_fault(rule: URIRef) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.removeprefix(SHAPES))
    assert (rule, RDF.type, SH.NodeShape) in rules()


def test_a_rule_speaks_both_languages(rule: URIRef) -> None:
    for relation in (RDFS.label, RDFS.comment, SH.message):
        assert set(texts(rule, relation)) == {"vi", "en"}, relation
    for text in (*texts(rule, RDFS.comment).values(), *texts(rule, SH.message).values()):
        assert text.endswith(".")


def test_the_message_of_a_rule_says_what_to_do(rule: URIRef) -> None:
    for said in (rule, *constraints(rule)):
        for text in texts(said, SH.message).values():
            assert ": " in text, f"{text!r} must say what is wrong, then after a colon what to do"


def test_a_message_names_only_what_its_query_tells(rule: URIRef) -> None:
    for constraint in constraints(rule):
        query = str(rules().value(constraint, SH.select))
        told = {"this", *re.findall(r"[?$](\w+)", query.split("WHERE")[0])}
        for text in (texts(constraint, SH.message) or texts(rule, SH.message)).values():
            assert set(re.findall(r"{[?$](\w+)}", text)) <= told, text


def test_a_rule_judges_a_state_or_an_act_that_has_a_day(rule: URIRef) -> None:
    (judged,) = rules().objects(rule, URIRef(D.judges))
    assert str(judged) in (D.State, D.Act)
    assert bool(list(rules().objects(rule, URIRef(D.actDate)))) is (str(judged) == D.Act)


def test_a_rule_of_acts_does_not_ask_for_the_day(rule: URIRef) -> None:
    if rules().value(rule, URIRef(D.judges)) == URIRef(D.Act):
        for constraint in constraints(rule):
            assert "asOf" not in str(rules().value(constraint, SH.select))


def test_a_rule_has_one_severity_and_an_inference_never_finds_a_violation(rule: URIRef) -> None:
    (severity,) = rules().objects(rule, SH.severity)
    assert severity in (SH.Violation, SH.Warning, SH.Info)
    if rules().value(rule, URIRef(D.inferred)) == Literal(True):
        assert severity != SH.Violation


def test_a_rule_that_starts_or_ends_says_by_which_law(rule: URIRef) -> None:
    if list(rules().objects(rule, URIRef(D.appliesFrom))) or list(rules().objects(rule, URIRef(D.appliesUntil))):
        assert list(rules().objects(rule, URIRef(D.basis)))
        assert set(texts(rule, DCTERMS.bibliographicCitation)) == {"vi", "en"}


def test_a_rule_has_an_example_that_breaks_it_and_one_that_keeps_it(rule: URIRef) -> None:
    shown = {(path.stem.split("-")[0], path.stem.split("-", 1)[1].split("--")[0]) for path in EXAMPLES.rglob("*-*.ttl")}
    name = rule.removeprefix(SHAPES)
    assert ("bad", name) in shown
    assert ("good", name) in shown


def test_every_example_is_of_a_rule_in_the_file_it_is_filed_under() -> None:
    stated: dict[Path, Graph] = {}
    for example in examples():
        file = folder("shapes") / (example.path.parent.name.replace("-", "/", 1) + ".ttl")
        graph = stated.setdefault(file, stated.get(file) or Graph().parse(file))
        assert (URIRef(SHAPES + example.rule), RDF.type, SH.NodeShape) in graph, example.name


def test_the_rules_are_shapes() -> None:
    validate(Graph(), shacl_graph=rules(), meta_shacl=True)


@pytest.mark.parametrize("path", GENERAL, ids=lambda path: path.name)
def test_a_general_rule_names_nothing_of_one_country(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert BASE + "vn/" not in text
    assert not re.search(r"Việt|Vietnam|Hà Nội|QH1\d", text)
