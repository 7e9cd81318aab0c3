"""Read the example files of the rules, put each in a register of its own, and judge it on the day it names.

An example is Turtle under ``tests/examples/<file>/``: ``bad-<rule>.ttl`` shows one fault, ``good-<rule>.ttl`` the same
put right. Its first lines are comments: ``# as-of: 2026-01-01``, and in a bad one ``# finds: <rule> <focus>`` for every
fault that is in it, of severity warning or worse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pyoxigraph as ox
from pyshacl import validate
from rdflib import RDF, SH, XSD, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from graph.checking import Checker
from graph.resources import folder
from graph.rules import Rules, read_rules
from graph.scopes import keys_of
from graph.standing import refresh
from graph.store import OxigraphStore
from graph.terms import BASE, D, Graphs
from graph.terms import RDF as TYPES

EXAMPLES = Path(__file__).parents[1] / "examples"
SHAPES = BASE + "shapes#"
WORDS = ("core.ttl", "schemes.ttl", "sharing.ttl", "classified.ttl")
_SOURCE = ox.NamedNode("https://example.org/source")
_AS_OF = re.compile(r"^# as-of: (\d{4}-\d{2}-\d{2})$", re.MULTILINE)
_FINDS = re.compile(r"^# finds: (\S+) <([^>]+)>$", re.MULTILINE)

Fault = tuple[str, str]
"""The name of a rule and the IRI of what it is about."""


@dataclass(frozen=True)
class Example:
    """Hold one file: the day it is judged on, and the faults that are in it."""

    path: Path
    day: date
    finds: frozenset[Fault]

    @property
    def name(self) -> str:
        return f"{self.path.parent.relative_to(EXAMPLES)}/{self.path.stem}"

    @property
    def rule(self) -> str:
        """Return the rule the file is about, by its name; what follows two hyphens tells several examples apart."""
        return self.path.stem.split("-", 1)[1].split("--")[0]


def examples() -> list[Example]:
    """Return every example of every rule, in the order of their files."""
    return [_read(path) for path in sorted(EXAMPLES.glob("*/**/*.ttl"))]


def _read(path: Path) -> Example:
    text = path.read_text(encoding="utf-8")
    days = _AS_OF.findall(text)
    assert len(days) == 1, f"{path} must say once on which day it is judged: # as-of: 2026-01-01"
    return Example(path, date.fromisoformat(days[0]), frozenset(_FINDS.findall(text)))


@cache
def words() -> tuple[ox.Quad, ...]:
    """Return the ontology, as a register holds it."""
    graph = ox.NamedNode(D.NS.removesuffix("#"))
    return tuple(
        ox.Quad(quad.subject, quad.predicate, quad.object, graph)
        for name in WORDS
        for quad in ox.parse(path=folder("ontology") / name)
    )


def register_of(example: Example) -> OxigraphStore:
    """Hold the ontology, the example, the keys of its scopes and its standings, as a load would leave them."""
    store = OxigraphStore()
    store.raw.bulk_extend(words())
    read = ox.parse(path=example.path)
    store.raw.bulk_extend(ox.Quad(quad.subject, quad.predicate, quad.object, _SOURCE) for quad in read)
    store.raw.add(
        ox.Quad(_SOURCE, ox.NamedNode(D.confidence), ox.NamedNode(BASE + "confidence/V1"), ox.NamedNode(Graphs.sources))
    )
    for record in store.incoming([D.Responsibility], (TYPES.type,)):
        said: dict[str, set[str]] = {}
        for quad in store.outgoing([record.subject.value]):
            said.setdefault(quad.predicate.value, set()).add(quad.object.value)
        if D.covers in said or D.coversMembersOf in said:
            continue
        for key in keys_of(said.get(D.field, set()), said.get(D.area, set())):
            quad = ox.Quad(record.subject, ox.NamedNode(D.scopeKey), ox.NamedNode(key), ox.NamedNode(Graphs.scopes))
            store.raw.add(quad)
    refresh(store)
    return store


# --- by our own check ------------------------------------------------------------------------------------------------


@cache
def checker() -> tuple[Rules, Checker]:
    """Return the rules of a register with the Vietnam pack, ready to run."""
    known = read_rules("vn")
    return known, Checker(known.shapes)


def judged(example: Example) -> set[tuple[str, str, str]]:
    """Return (rule, focus, severity) as our own check finds them."""
    known, _ = checker()
    severities = {rule.name: rule.severity.removeprefix(str(SH)) for rule in known}
    return {(rule, focus, severities[rule]) for rule, focus, _ in faults(register_of(example), example.day)}


def faults(store: OxigraphStore, day: date) -> set[tuple[str, str, str]]:
    """Return (rule, focus, value) as our own check finds them in a store; no value is ""."""
    known, check = checker()
    return {
        (rule.name, result.focus.value, "" if result.value is None else result.value.value)
        for rule, result in known.in_force(store, check.check(store, day), day)
    }


# --- by pySHACL -----------------------------------------------------------------------------------------------------


@cache
def rules() -> Graph:
    """Return all rule files as one graph of shapes; those over the ontology itself are none."""
    merged = Graph()
    for path in sorted(folder("shapes").rglob("*.ttl")):
        if path.name != "ontology.ttl":
            merged.parse(path)
    return merged


def some_rules(names: Iterable[str]) -> Graph:
    """Return these rules alone, with all that belongs to them."""
    graph = Graph()
    waiting: list[Node] = [URIRef(SHAPES + name) for name in names]
    while waiting:
        node = waiting.pop()
        if (node, None, None) not in graph:
            for triple in rules().triples((node, None, None)):
                graph.add(triple)
                waiting.append(triple[2])
    return graph


def judged_by_pyshacl(example: Example) -> set[Fault]:
    """Return (rule, focus) as pySHACL finds them by the rules that the example is about.

    By all rules it takes two seconds for each example: ``make agree`` does that.
    """
    names = {example.rule, *(rule for rule, _ in example.finds)}
    found = faults_by_pyshacl(register_of(example), example.day, some_rules(names))
    return {(rule, focus) for rule, focus, _ in found}


def faults_by_pyshacl(store: OxigraphStore, day: date, shapes: Graph | None = None) -> set[tuple[str, str, str]]:
    """Return (rule, focus, value) as pySHACL finds them in everything a store holds; no value is "".

    Whether a fault counts is for the days of its rule to say. ``shapes`` are those to judge by, all when not given.
    """
    data = Graph()
    for quad in store.raw:
        data.add((_node(quad.subject), _node(quad.predicate), _node(quad.object)))
    run = URIRef("https://example.org/run")
    data.add((run, RDF.type, URIRef(D.Evaluation)))
    data.add((run, URIRef(D.asOf), Literal(day.isoformat(), datatype=XSD.date)))
    _, report, _ = validate(data, shacl_graph=rules() if shapes is None else shapes)
    assert isinstance(report, Graph)
    found = set()
    for result in report.objects(None, SH.result):
        focus, value = report.value(result, SH.focusNode), report.value(result, SH.value)
        rule = _rule_of(report.value(result, SH.sourceShape))
        if _counts(rule, focus, data, day):
            found.add((str(rule).removeprefix(SHAPES), str(focus), "" if value is None else str(value)))
    return found


def _node(term: ox.NamedNode | ox.BlankNode | ox.Literal) -> Node:
    if isinstance(term, ox.Literal):
        if term.language:
            return Literal(term.value, lang=term.language)
        return Literal(term.value, datatype=URIRef(term.datatype.value))
    return BNode(term.value) if isinstance(term, ox.BlankNode) else URIRef(term.value)


def _rule_of(shape: Node | None) -> Node:
    """Find the rule that a shape is, or lies in."""
    while shape is not None and not (isinstance(shape, URIRef) and str(shape).startswith(SHAPES)):
        shape = next(iter(rules().subjects(SH.property, shape)), None)
    assert shape is not None
    return shape


def _counts(rule: Node, focus: Node | None, data: Graph, day: date) -> bool:
    """Say whether a fault counts: of a state on the days of the rule, of an act if its day was one of them."""
    first, end = (rules().value(rule, URIRef(term)) for term in (D.appliesFrom, D.appliesUntil))
    days = [day]
    if rules().value(rule, URIRef(D.judges)) == URIRef(D.Act):
        done = rules().value(rule, URIRef(D.actDate))
        days = sorted(value.toPython() for value in data.objects(focus, done))
        if not days:
            return first is None and end is None
        if days[0] > day:
            return False
    return (first is None or first.toPython() <= days[0]) and (end is None or days[0] < end.toPython())


def worth_saying(found: Iterable[tuple[str, str, str]], example: Example) -> set[Fault]:
    """Keep what is a warning or worse, and what the example says that it finds."""
    kept = ((rule, focus) for rule, focus, severity in found if severity != "Info" or (rule, focus) in example.finds)
    return set(kept)
