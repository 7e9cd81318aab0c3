"""Know which shapes are rules: since when each applies, on what legal basis, and whether it judges a state or an act.

When a rule applies is no part of SHACL: a check finds faults on a day, and ``Rules`` says which of them count on it. A
rule that judges a state counts on the days on which it applies itself; one that judges an act counts from the act's day
on, if it applied on that day: so what was wrong when it was done stays wrong after the law has ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from pathlib import Path as File
from typing import Final

import pyoxigraph as ox

from graph.errors import Place, ShapeFault, Unreadable
from graph.model import ALWAYS, Interval
from graph.resources import folder
from graph.shacl.paths import SH, Path, Predicate
from graph.shacl.reading import read_path, read_shapes
from graph.shacl.shapes import VIOLATION, Constraint, Result, Shape, Shapes, Term
from graph.shacl.triples import Triples
from graph.store import Reader
from graph.terms import DCT, RDFS, XSD, D, Graphs

#: shapes over the ontology itself, which no register's data are checked against
NOT_RULES: Final = frozenset({"ontology.ttl"})

_SEVERITY: Final = SH + "severity"
_PROPERTY: Final = SH + "PropertyConstraintComponent"
_AT_ONCE: Final = 500


class Judges(StrEnum):
    """Say what a rule judges: a state on a day, or an act by the law of its own day."""

    state = D.State
    act = D.Act


@dataclass(frozen=True, slots=True)
class Rule:
    """Hold one rule. Texts are by language; ``applies`` are the days of its law, ``node`` its shape.

    ``act_date`` leads from a focus node to the day of the act, ``None`` for rules that judge states. ``messages`` are
    templates. ``inferred`` says that it is our reading rather than the law's words; ``declared`` is false for a shape
    that says nothing of what it judges.
    """

    iri: str
    name: str
    node: Term
    label: Mapping[str, str] = field(default_factory=dict)
    comment: Mapping[str, str] = field(default_factory=dict)
    judges: Judges = Judges.state
    act_date: Path | None = None
    applies: Interval = ALWAYS
    basis: tuple[str, ...] = ()
    citation: Mapping[str, str] = field(default_factory=dict)
    confidence: str = ""
    inferred: bool = False
    severity: str = VIOLATION
    identifier: str = ""
    messages: tuple[ox.Literal, ...] = ()
    place: Place | None = None
    declared: bool = True

    def span(self, act: date | None = None) -> Interval | None:
        """Return the days on which a fault counts, ``None`` where on none; ``act`` is the day of the act, if known.

        An act whose day nobody knows is judged only by a rule that has always applied.
        """
        if self.judges is Judges.state:
            return self.applies
        if act is None:
            return ALWAYS if self.applies == ALWAYS else None
        return Interval(act) if self.applies.contains(act) else None

    def applicable(self, day: date) -> bool:
        """Tell whether the rule can find anything on a day: an act that was wrong stays so, but not before its law."""
        if self.judges is Judges.act:
            return not self.applies.starts_after(day)
        return self.applies.contains(day)


class Rules:
    """Hold rules with the shapes they stand in; ``version`` changes with every byte of their files."""

    def __init__(self, rules: Iterable[Rule], shapes: Shapes, version: str = "") -> None:
        self.shapes = shapes
        self.version = version
        #: (root, shape that carries a constraint) → the rule whose fault that is
        self._rule_of: dict[tuple[Term, Term], Rule] = {}
        stated = {rule.node: rule for rule in rules}
        for root in shapes.targeted():
            self._assign(root, stated)
        judged = {rule.iri: rule for rule in self._rule_of.values()}
        self.rules = tuple(sorted({**{rule.iri: rule for rule in stated.values()}, **judged}.values(), key=_order))

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    @cached_property
    def by_iri(self) -> dict[str, Rule]:
        return {rule.iri: rule for rule in self.rules}

    @cached_property
    def by_name(self) -> dict[str, Rule]:
        """Return the rules by the last part of their names, of two with the same part the first."""
        return {rule.name: rule for rule in reversed(self.rules)}

    def rule_of(self, result: Result) -> Rule:
        """Return the rule whose fault a result is: the nearest one above the shape that carries the constraint."""
        return self._rule_of.get((result.root, result.shape)) or self._rule_of[result.root, result.root]

    def of_root(self, root: Term) -> tuple[Rule, ...]:
        """Return the rules that are judged where a root is checked."""
        return self._of_root.get(root, ())

    @cached_property
    def _of_root(self) -> dict[Term, tuple[Rule, ...]]:
        found: dict[Term, dict[str, Rule]] = {}
        for (root, _), rule in self._rule_of.items():
            found.setdefault(root, {})[rule.iri] = rule
        return {root: tuple(rules[iri] for iri in sorted(rules)) for root, rules in found.items()}

    def severity_of(self, result: Result) -> str:
        """Return the severity of a result: what the shape that carries the constraint says, or else its rule.

        A shape that is no declared rule is taken by the letter of SHACL, where nothing is passed on.
        """
        rule = self.rule_of(result)
        return self._severities.get(result.shape, rule.severity) if rule.declared else result.severity

    @cached_property
    def _severities(self) -> dict[Term, str]:
        said = Triples(self.shapes.quads)
        return {shape.node: found[0].value for shape in self.shapes if (found := said.objects(shape.node, _SEVERITY))}

    def in_force(self, reader: Reader, results: Iterable[Result], day: date) -> Iterator[tuple[Rule, Result]]:
        """Yield of the results of a check on a day those that count on it, with their rules."""
        held: list[tuple[Rule, Result]] = []
        for result in results:
            if is_finding(result.focus):
                continue
            rule = self.rule_of(result)
            if rule.judges is Judges.act:
                held.append((rule, result))
            elif rule.applies.contains(day):
                yield rule, result
        by_rule: dict[str, set[Term]] = {}
        for rule, result in held:
            by_rule.setdefault(rule.iri, set()).add(result.focus)
        spans = {iri: spans_of_acts(reader, self.by_iri[iri], foci) for iri, foci in by_rule.items()}
        for rule, result in held:
            span = spans[rule.iri].get(result.focus)
            if span is not None and span.contains(day):
                yield rule, result

    def _assign(self, root: Shape, stated: Mapping[Term, Rule]) -> None:
        """Give the root and every property shape in it to the nearest rule above, the root where none is."""
        below = _inside(root, self.shapes)
        rule = stated.get(root.node)
        if rule is None:
            inside = [stated[node] for node in below if node in stated]
            rule = Rule(
                root.name, _last_part(root.name), root.node, severity=root.severity, messages=root.messages,
                place=root.place, declared=False,
            )  # fmt: skip
            if not inside or any(constraint.component != _PROPERTY for constraint in root.constraints):
                self._rule_of[root.node, root.node] = rule
        else:
            self._rule_of[root.node, root.node] = rule
        seen: set[Term] = set()
        stack: list[tuple[Term, Rule]] = [(root.node, rule)]
        while stack:
            node, rule = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            for child in _properties(self.shapes[node]):
                nearest = stated.get(child, rule)
                if (root.node, child) not in self._rule_of:
                    self._rule_of[root.node, child] = nearest
                stack.append((child, nearest))


def is_finding(node: Term) -> bool:
    """Tell whether a node is a finding of the register: findings are not judged, whatever a shape targets."""
    return isinstance(node, ox.NamedNode) and node.value.startswith(Graphs.FINDING)


def spans_of_acts(reader: Reader, rule: Rule, foci: Iterable[Term] | None = None) -> dict[Term, Interval]:
    """Return for each act (``None``: all there are) since when a fault of it counts; none for acts it does not judge.

    Of an act with several days the first on which the rule applied counts.
    """
    assert rule.act_date is not None, "a rule that judges acts says where their day stands"
    found: dict[Term, Interval] = {}
    unknown = rule.span(None)
    if unknown is not None and foci is not None:
        foci = list(foci)
        found = dict.fromkeys(foci, unknown)
    first: dict[Term, date] = {}
    for focus, day in _days_of_acts(reader, rule.act_date, foci):
        if rule.span(day) is not None and (focus not in first or day < first[focus]):
            first[focus] = day
        elif focus in found and focus not in first:
            del found[focus]
    for focus, day in first.items():
        found[focus] = Interval(day)
    return found


def _days_of_acts(reader: Reader, path: Path, foci: Iterable[Term] | None) -> Iterator[tuple[Term, date]]:
    if foci is None:
        yield from _dated(reader.query(f"SELECT ?act ?day {{ ?act {path.sparql} ?day }}"))
        return
    nodes = list(foci)
    if isinstance(path, Predicate):
        named = [node.value for node in nodes if isinstance(node, ox.NamedNode)]
        for subject, _, value, _ in reader.outgoing(named, (path.iri,)):
            if (day := _day(value)) is not None:
                yield subject, day
        return
    for start in range(0, len(nodes), _AT_ONCE):
        for node in nodes[start : start + _AT_ONCE]:
            if not isinstance(node, ox.BlankNode):
                rows = reader.query(f"SELECT ({node} AS ?act) ?day {{ {node} {path.sparql} ?day }}")
                yield from _dated(rows)


def _dated(rows: object) -> Iterator[tuple[Term, date]]:
    assert isinstance(rows, ox.QuerySolutions)
    for row in rows:
        if (day := _day(row["day"])) is not None:
            yield row["act"], day


def _day(term: object) -> date | None:
    """Return the day that a literal names; what is no day, as in foreign data, names none."""
    if not isinstance(term, ox.Literal) or term.datatype.value != XSD.date:
        return None
    try:
        return date.fromisoformat(term.value)
    except ValueError:
        return None


# --- reading ----------------------------------------------------------------------------------------------------------


def files_of(pack: str | None, extra: Sequence[File] = ()) -> list[File]:
    """Return the files of the general rules, of a pack's, and of further folders (or files), in a fixed order."""
    home = folder("shapes")
    found = [path for path in sorted(home.glob("*.ttl")) if path.name not in NOT_RULES]
    if pack:
        found += sorted((home / pack).glob("*.ttl"))
    for place in extra:
        if place.is_dir():
            found += sorted(path for path in place.rglob("*") if path.suffix in (".ttl", ".nt", ".trig", ".rdf"))
        elif place.is_file():
            found.append(place)
        else:
            raise Unreadable("There are no shapes here", remedy="Check the path.", place=Place(str(place)))
    return found


def version_of(files: Iterable[File]) -> str:
    """Return what changes with every byte of the files: their digest."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:32]


def read_rules(pack: str | None = None, extra: Sequence[File] = (), *, files: Sequence[File] | None = None) -> Rules:
    """Read the general rules, a pack's and those of further folders; ``files`` reads just these instead.

    A targeted shape that says nothing of what it judges, such as a user's own, is a rule about a state that always
    applies. Raises ``ShapeFault`` with the shape and place of what is not understood, ``Malformed``, ``Unreadable``.
    """
    if files is None:
        files = files_of(pack, extra)
    shapes = read_shapes(files)
    return Rules(_Reading(shapes).rules(), shapes, version_of(files))


class _Reading:
    """Read what the shapes say of themselves as rules."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._said = Triples(shapes.quads)

    def rules(self) -> Iterator[Rule]:
        for node in sorted(self._said.nodes(), key=str):
            if not self._said.objects(node, D.judges):
                continue
            if node not in self._shapes.by_node:
                raise ShapeFault(
                    f"{node} says what it judges but is no shape", shape=str(node),
                    remedy="Make it a sh:NodeShape or a sh:PropertyShape.",
                )  # fmt: skip
            if not self._shapes[node].deactivated:
                yield self._rule(self._shapes[node])

    def _rule(self, shape: Shape) -> Rule:
        inferred = self._word(shape, D.inferred)
        judges = self._judges(shape)
        rule = Rule(
            iri=shape.name,
            name=_last_part(shape.name),
            node=shape.node,
            label=self._texts(shape, RDFS.label),
            comment=self._texts(shape, RDFS.NS + "comment"),
            judges=judges,
            act_date=self._act_date(shape, judges),
            applies=self._applies(shape),
            basis=tuple(sorted(term.value for term in self._all(shape, D.basis) if isinstance(term, ox.NamedNode))),
            citation=self._texts(shape, DCT.NS + "bibliographicCitation"),
            confidence=self._word(shape, D.confidence),
            inferred=inferred in ("true", "1"),
            severity=shape.severity,
            identifier=self._word(shape, DCT.identifier),
            messages=shape.messages,
            place=shape.place,
        )
        if rule.inferred and rule.severity == VIOLATION:
            raise self._fault(
                shape, "is inferred rather than the law's words, but a violation",
                "Say sh:severity sh:Warning or sh:Info.",
            )  # fmt: skip
        return rule

    def _judges(self, shape: Shape) -> Judges:
        said = self._word(shape, D.judges)
        if said not in (D.State, D.Act):
            raise self._fault(shape, f"judges {said}", "Say d:judges d:State or d:judges d:Act.")
        return Judges(said)

    def _act_date(self, shape: Shape, judges: Judges) -> Path | None:
        paths = self._all(shape, D.actDate)
        if judges is Judges.state:
            if paths:
                raise self._fault(shape, "judges a state and names the day of an act", "Leave out d:actDate.")
            return None
        if len(paths) != 1:
            raise self._fault(
                shape, f"judges an act and says {len(paths)} times where its day stands",
                "Say d:actDate once, with a property or a path.",
            )  # fmt: skip
        return read_path(self._shapes.quads, paths[0], shape)

    def _applies(self, shape: Shape) -> Interval:
        span = Interval(self._day(shape, D.appliesFrom), self._day(shape, D.appliesUntil))
        if span.is_empty:
            raise self._fault(shape, "ends before it begins", "Check d:appliesFrom and d:appliesUntil.")
        return span

    def _day(self, shape: Shape, predicate: str) -> date | None:
        said = self._all(shape, predicate)
        if not said:
            return None
        day = _day(said[0])
        if day is None or len(said) > 1:
            raise self._fault(
                shape, f"has a {_last_part(predicate)} that is no day: {' '.join(map(str, said))}",
                'Write one day, as "2025-07-01"^^xsd:date.',
            )  # fmt: skip
        return day

    def _all(self, shape: Shape, predicate: str) -> list[Term]:
        return self._said.objects(shape.node, predicate)

    def _word(self, shape: Shape, predicate: str) -> str:
        """Return the one value of a predicate, "" for none."""
        said = self._all(shape, predicate)
        if len(said) > 1:
            raise self._fault(shape, f"says {_last_part(predicate)} {len(said)} times", "Say it once.")
        return said[0].value if said else ""

    def _texts(self, shape: Shape, predicate: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for term in self._all(shape, predicate):
            language = term.language or "" if isinstance(term, ox.Literal) else ""
            if language in found:
                raise self._fault(shape, f"says {_last_part(predicate)} twice in one language", "Say it once in each.")
            found[language] = term.value
        return found

    def _fault(self, shape: Shape, what: str, remedy: str) -> ShapeFault:
        return ShapeFault(f"The rule {shape.name} {what}", shape=shape.name, remedy=remedy, place=shape.place)


def _properties(shape: Shape) -> Iterator[Term]:
    for constraint in shape.constraints:
        if isinstance(constraint, Constraint) and constraint.component == _PROPERTY:
            yield from constraint.shapes


def _inside(root: Shape, shapes: Shapes) -> set[Term]:
    """Return the property shapes of a root, however deep."""
    found: set[Term] = set()
    stack = [root.node]
    while stack:
        for child in _properties(shapes[stack.pop()]):
            if child not in found:
                found.add(child)
                stack.append(child)
    return found


def _last_part(iri: str) -> str:
    return iri.rstrip("/#").rpartition("#")[2].rpartition("/")[2]


def _order(rule: Rule) -> tuple[str, str]:
    return rule.place.file if rule.place else "", rule.iri
