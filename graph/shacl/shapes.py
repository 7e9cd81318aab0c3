"""Say what a shape asks and what a check finds, as plain facts; terms are pyoxigraph's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import pyoxigraph as ox

from graph.errors import Place
from graph.shacl.paths import SH, Path, Step

Term = ox.NamedNode | ox.BlankNode | ox.Literal

VIOLATION: Final = SH + "Violation"
WARNING: Final = SH + "Warning"
INFO: Final = SH + "Info"

#: component of constraints that are written as ``sh:sparql``
SPARQL_COMPONENT: Final = SH + "SPARQLConstraintComponent"


class Kind(StrEnum):
    """Say how a target chooses focus nodes."""

    node = "node"
    class_ = "class"
    subjects_of = "subjects-of"
    objects_of = "objects-of"


@dataclass(frozen=True, slots=True)
class Target:
    """Choose focus nodes: one node, the instances of a class, or the subjects or objects of a predicate."""

    kind: Kind
    term: Term


@dataclass(frozen=True, slots=True)
class Constraint:
    """Hold one constraint: its component, and what its parameters say.

    ``terms`` are the values of the parameter, or the members of its list; ``shapes`` the shapes it names; ``count``
    a number (sh:minCount …), ``flags`` those of sh:pattern, ``siblings`` the shapes that a qualified shape excludes.
    """

    component: str
    terms: tuple[Term, ...] = ()
    shapes: tuple[Term, ...] = ()
    count: int = 0
    flags: str = ""
    siblings: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class SparqlConstraint:
    """Hold a constraint that is written in SPARQL: one ``sh:sparql``, or a component with its parameters bound.

    ``text`` is the body as it stands in the file, ``prefixes`` what ``sh:prefixes`` declares (name, namespace).
    ``component`` is ``sh:SPARQLConstraintComponent`` or the IRI of the component. ``asks`` says that the text is an
    ``ASK`` about each ``$value`` (true: conforms) and no ``SELECT`` of violations. ``parameters`` are the further
    names that are bound before the body runs. ``place`` is where the body begins, as far as it is known.
    """

    node: Term
    text: str
    prefixes: tuple[tuple[str, str], ...] = ()
    messages: tuple[ox.Literal, ...] = ()
    component: str = SPARQL_COMPONENT
    asks: bool = False
    parameters: tuple[tuple[str, Term], ...] = ()
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """Hold a shape: a node shape, or a property shape where it has a ``path``.

    ``constraints`` name nested shapes by their nodes (``sh:property`` among them: ``PropertyConstraintComponent``).
    ``severity`` and ``messages`` are what stands on the shape itself; a severity that is not said is a violation.
    """

    node: Term
    path: Path | None = None
    targets: tuple[Target, ...] = ()
    constraints: tuple[Constraint | SparqlConstraint, ...] = ()
    severity: str = VIOLATION
    messages: tuple[ox.Literal, ...] = ()
    deactivated: bool = False
    place: Place | None = None

    @property
    def name(self) -> str:
        """Name the shape in messages."""
        return self.node.value if isinstance(self.node, ox.NamedNode) else f"a shape without a name ({self.node})"


@dataclass(frozen=True, slots=True)
class Shapes:
    """Hold the shapes of one or more files by their nodes, and the quads they were read from."""

    by_node: Mapping[Term, Shape]
    quads: tuple[ox.Quad, ...] = field(default=(), repr=False)

    def __getitem__(self, node: Term) -> Shape:
        return self.by_node[node]

    def __iter__(self) -> Iterator[Shape]:
        return iter(self.by_node.values())

    def targeted(self) -> tuple[Shape, ...]:
        """Return the shapes that have targets of their own and are not deactivated: the roots of a check."""
        return tuple(shape for shape in self if shape.targets and not shape.deactivated)


class Way(StrEnum):
    """Say how a constraint is run."""

    compiled = "compiled"
    by_node = "compiled, node by node"
    reference = "pySHACL"


@dataclass(frozen=True, slots=True)
class Route:
    """Say how a root, or one of its constraints, is run, and why not set-wise where it is not."""

    way: Way
    why: str = ""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Say which changed quads can alter the outcome for which focus nodes.

    A changed quad counts when its predicate is ``predicate`` (``None``: any) and its object ``object`` (``None``: any);
    ``way`` leads from the quad's *subject* to the focus nodes, in the graph before or after the change.
    """

    predicate: str | None
    object: Term | None = None
    way: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one violation that a SPARQL body found; ``bindings`` fill the ``{?name}`` places of messages."""

    focus: Term
    value: Term | None
    path: Path | None = None
    bindings: tuple[tuple[str, Term], ...] = ()
    messages: tuple[ox.Literal, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """Hold one violation, as a row of a validation report.

    ``shape`` is the shape that carries the constraint, ``constraint`` the ``sh:sparql`` node where it is one, ``root``
    the targeted shape from which the check came there. Messages are filled in.
    """

    focus: Term
    path: Path | None
    value: Term | None
    component: str
    shape: Term
    root: Term
    severity: str
    messages: tuple[ox.Literal, ...] = ()
    constraint: Term | None = None
