"""Make small sets of rules for the random registers of ``tests/answering``: of states and acts, with and without a day.

Each draws some of the shapes below and gives every one a time in which it applies, so that the days of rules and of
records keep meeting.
"""

from __future__ import annotations

import hashlib
import tempfile
from datetime import date
from functools import lru_cache
from pathlib import Path
from random import Random

import pyoxigraph as ox

from graph.findings import Findings
from graph.journal import Journal
from graph.ledger import Ledger
from graph.reach import touched
from graph.rules import Rules, read_rules
from graph.shacl.shapes import Term
from graph.standing import changes, derive, described
from graph.store import OxigraphStore
from graph.terms import Graphs
from graph.upkeep import Stamp, Upkeep
from tests.answering.registers import DAYS, Fact, keys, quad, store_of

HEAD = """
@prefix s: <https://w3id.org/diaba/shapes#> . @prefix d: <https://w3id.org/diaba/ns#> .
@prefix x: <https://w3id.org/diaba/example/> . @prefix role: <https://w3id.org/diaba/role/> .
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
s: a owl:Ontology ; sh:declare
  [ sh:prefix "d" ; sh:namespace "https://w3id.org/diaba/ns#"^^xsd:anyURI ],
  [ sh:prefix "role" ; sh:namespace "https://w3id.org/diaba/role/"^^xsd:anyURI ],
  [ sh:prefix "status" ; sh:namespace "https://w3id.org/diaba/status/"^^xsd:anyURI ],
  [ sh:prefix "dcat" ; sh:namespace "http://www.w3.org/ns/dcat#"^^xsd:anyURI ] .
"""

STATES = {
    "no-theme": "sh:targetClass dcat:Dataset ; sh:property [ sh:path dcat:theme ; sh:minCount 1 ]",
    "one-claim": "sh:targetObjectsOf d:covers ; sh:property [ sh:path [ sh:inversePath d:covers ] ; sh:maxCount 1 ]",
    "theme-at-top": "sh:targetClass dcat:Dataset ; sh:property [ sh:path ( dcat:theme [ sh:zeroOrMorePath skos:broader"
    " ] ) ; sh:hasValue x:field-0 ; sh:severity sh:Info ]",
    "holder-exists": "sh:targetClass d:Responsibility ; sh:or ( [ sh:path d:holder ; sh:minCount 1 ] [ sh:path"
    " d:holderKind ; sh:minCount 1 ] )",
    "holder-placed": "sh:targetSubjectsOf d:holder ; sh:property [ sh:path d:holder ; sh:node [ sh:property [ sh:path"
    " d:jurisdiction ; sh:minCount 1 ] ] ]",
}

IN_FORCE = """OPTIONAL { $this d:from ?from } OPTIONAL { $this d:until ?until }
    FILTER (!BOUND(?from) || ?from <= ?asOf) FILTER (!BOUND(?until) || ?asOf < ?until)"""

BODIES = {
    "ended-holder": """SELECT $this ?value WHERE { $this d:holder ?value . ?value d:until ?ended .
        ?evaluation d:asOf ?asOf . IN_FORCE FILTER (?ended <= ?asOf) }""",
    "no-accountable": """SELECT $this ?value WHERE { ?standing d:about $this ; d:role role:accountable .
        ?standing d:status ?value . ?evaluation d:asOf ?asOf .
        OPTIONAL { ?standing d:from ?from } OPTIONAL { ?standing d:until ?until }
        FILTER (?value IN (status:vacant, status:expired, status:not-yet))
        FILTER (!BOUND(?from) || ?from <= ?asOf) FILTER (!BOUND(?until) || ?asOf < ?until) }""",
    "two-in-force": """SELECT $this ?other WHERE { $this d:role ?role ; d:covers ?covered . ?other d:covers ?covered ;
        d:role ?role . ?evaluation d:asOf ?asOf . IN_FORCE FILTER ($this != ?other)
        OPTIONAL { ?other d:from ?begun } OPTIONAL { ?other d:until ?ended }
        FILTER (!BOUND(?begun) || ?begun <= ?asOf) FILTER (!BOUND(?ended) || ?asOf < ?ended) }""",
    "nobody-holds": """SELECT $this WHERE { $this dcat:inSeries ?series .
        FILTER NOT EXISTS { ?standing d:about $this ; d:role role:accountable ; d:holder ?holder } }""",
    "lapsed": """SELECT $this ?value WHERE { $this d:lapsesWith ?value . ?value d:until ?end .
        ?evaluation d:asOf ?asOf . FILTER NOT EXISTS { ?transfer d:creates $this } FILTER (?end <= ?asOf) }""",
}
TARGETS = {
    "ended-holder": "sh:targetClass d:Responsibility",
    "no-accountable": "sh:targetClass dcat:Dataset, dcat:DatasetSeries",
    "two-in-force": "sh:targetSubjectsOf d:covers",
    "nobody-holds": "sh:targetSubjectsOf dcat:inSeries",
    "lapsed": "sh:targetSubjectsOf d:lapsesWith",
}
ACTS = {
    "granted-to-agency": ("d:from", "sh:targetClass d:Responsibility ; sh:property [ sh:path d:holder ; sh:class"
    " d:Agency ; sh:maxCount 1 ]"),
    "mandated": ("( d:creates d:from )", "sh:targetClass d:Transfer ; sh:property [ sh:path ( d:creates d:role ) ;"
    " sh:in ( role:executes ) ]"),
    "event-of-law": ("( d:event d:effectiveOn )", "sh:targetClass d:Succession ; sh:property [ sh:path d:field ;"
    " sh:minCount 1 ; sh:severity sh:Warning ]"),
}  # fmt: skip


def rulebook(seed: int) -> str:
    """Return the text of a file of rules, the same for the same number."""
    chance = Random(seed)
    found = [HEAD]

    def stated(name: str, judges: str, body: str) -> None:
        start, end = sorted(chance.sample(DAYS, 2))
        says = [f"a sh:NodeShape ; d:judges {judges} ; sh:message \"{name}\"@en"]
        if chance.randrange(3) == 0:
            says.append(f'd:appliesFrom "{start}"^^xsd:date')
        if chance.randrange(3) == 0:
            says.append(f'd:appliesUntil "{end}"^^xsd:date')
        found.append(f"s:{name} {' ; '.join(says)} ; {body} .")

    for name, body in STATES.items():
        if chance.randrange(2):
            stated(name, "d:State", body)
    for name, text in BODIES.items():
        if chance.randrange(3):
            text = text.replace("IN_FORCE", IN_FORCE)
            body = f'sh:sparql [ a sh:SPARQLConstraint ; sh:prefixes s: ; sh:select """{text}""" ]'
            stated(name, "d:State", f"{TARGETS[name]} ; {body}")
    for name, (day, body) in ACTS.items():
        if chance.randrange(2):
            stated(name, f"d:Act ; d:actDate {day}", body)
    if chance.randrange(2):
        plain = "sh:targetClass d:Post ; sh:property [ sh:path d:from ; sh:minCount 1 ]"
        found.append(f"s:plain a sh:NodeShape ; {plain} .")
    return "\n".join(found)


@lru_cache(maxsize=64)
def findings_of(seed: int) -> Findings:
    return Findings(rules_of(rulebook(seed)))


def rules_of(text: str) -> Rules:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{hashlib.sha256(text.encode()).hexdigest()[:8]}.ttl"
        file.write_text(text, "utf-8")
        return read_rules(files=[file])


def stamp(revision: int) -> Stamp:
    """Return a stamp whose day is that of the revision."""
    return Stamp(revision, f"2026-01-{revision:02d}T00:00:00Z", lambda at: date.fromisoformat(at[:10]))


class Kept:
    """Hold a store whose standings and findings are kept up from change to change, in the ledger too."""

    def __init__(self, findings: Findings, facts: list[Fact], folder: Path) -> None:
        Journal(folder).close()
        self.findings = findings
        self.ledger = Ledger(folder)
        self.store = store_of(facts)
        self.store.load(list(derive(self.store, described(self.store))), 1)
        self.facts = set(facts)
        self.upkeep = Upkeep(self.store, self.ledger, findings)
        self.upkeep.anew(stamp(1))

    def become(self, facts: list[Fact]) -> None:
        """Change to another register, judging again only what the change reaches."""
        before = {quad(fact) for fact in self.facts} | keys(self.facts)
        after = {quad(fact) for fact in facts} | keys(facts)
        removed, added = before - after, after - before
        self.store.apply(removed, added, self.store.revision + 1)
        reached = touched(self.store, removed, added)
        gone, come = changes(self.store, described(self.store) if reached is None else reached)
        self.store.apply(gone, come, self.store.revision)
        self.upkeep.after([*removed, *gone], [*added, *come], stamp(self.store.revision))
        self.facts = set(facts)

    @property
    def graph(self) -> set[ox.Quad]:
        """Return the findings without the day on which they were first reported, which depends on what came before."""
        found = self.store.contents(Graphs.findings)
        return {quad for quad in found if not quad.predicate.value.endswith("firstSeen")}

    @property
    def lines(self) -> set[tuple[object, ...]]:
        """Return what the ledger says is open now."""
        told = self.ledger.told(self.store.revision)
        return {(one.line.rule, one.line.about, one.line.fault, one.line.severity, one.line.span) for one in told}


def on_day(findings: Findings, store: OxigraphStore, day: date) -> set[tuple[str, Term, str, Term | None, str]]:
    """Return what a check of the whole store finds on a day."""
    results = findings.rules.in_force(store, findings.checker.check(store, day), day)
    return {
        (rule.iri, result.focus, result.path.sparql if result.path else "", result.value, result.component)
        for rule, result in results
    }
