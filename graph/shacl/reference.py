"""Run what we do not compile in pySHACL: on the part of the graph that it needs, in a process that can be killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast

import pyoxigraph as ox

from graph.errors import ShapeFault
from graph.shacl.forms import Forms
from graph.shacl.paths import predicates
from graph.shacl.report import read_report
from graph.shacl.shapes import Kind, Result, Shape, Shapes, SparqlConstraint
from graph.store import Reader
from graph.terms import BASE, RDF, RDFS, XSD, D

#: the node of the day in an extract; it is never stored
EVALUATION: Final = BASE + "evaluation"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound one root's run: ``seconds`` of the clock, bytes of ``memory``, ``statements`` of the extract."""

    seconds: float = 120.0
    memory: int = 2 << 30
    statements: int = 500_000


DEFAULT: Final = Limits()


def judge(
    reader: Reader, forms: Forms, shapes: Shapes, root: Shape, reached: Iterable[Shape], day: date, limits: Limits
) -> Iterator[Result]:
    """Yield what pySHACL finds for a root, about all of its focus nodes.

    ``reached`` are the root and every shape that it comes to. Raises ``ShapeFault`` where a limit is hit or pySHACL
    refuses: what was not judged is never passed over.
    """
    extract = list(_extract(reader, forms, _wanted(reached), limits, root))
    extract.extend(evaluation(day))
    mark = ox.Quad(ox.NamedNode(EVALUATION), ox.NamedNode(RDF.type), root.node)
    asked = {
        "data": _lines(extract),
        "shapes": _lines(shapes.quads),
        "roots": _lines([mark]),
        "memory": limits.memory,
    }
    answer = _ask(asked, limits, root)
    if "refused" in answer:
        raise _fault(root, f"pySHACL refuses the shape: {answer['refused']}", "Correct the shape.")
    if "report" not in answer:
        raise _fault(root, f"pySHACL needs more than {limits.memory >> 20} MiB", _SIMPLER)
    yield from read_report(ox.parse(answer["report"], format=ox.RdfFormat.N_TRIPLES), root.node)


def evaluation(day: date) -> list[ox.Quad]:
    """Return the statements that tell shapes the day; they are shown to pySHACL and never stored."""
    node, today = ox.NamedNode(EVALUATION), ox.Literal(day.isoformat(), datatype=ox.NamedNode(XSD.date))
    return [
        ox.Quad(node, ox.NamedNode(RDF.type), ox.NamedNode(D.Evaluation)),
        ox.Quad(node, ox.NamedNode(D.asOf), today),
    ]


_SIMPLER: Final = "Write the condition so that it can be compiled, or give the shape fewer targets."


def _lines(quads: Iterable[ox.Quad]) -> str:
    return (ox.serialize((quad.triple for quad in quads), format=ox.RdfFormat.N_TRIPLES) or b"").decode()


def _ask(asked: dict[str, Any], limits: Limits, root: Shape) -> dict[str, Any]:
    command = [sys.executable, "-m", "graph.shacl.independent"]
    try:
        done = subprocess.run(
            command, input=json.dumps(asked).encode(), capture_output=True, timeout=limits.seconds, check=False
        )
    except subprocess.TimeoutExpired as fault:
        raise _fault(root, f"pySHACL takes more than {limits.seconds:g} s", _SIMPLER) from fault
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise _fault(root, f"pySHACL broke off: {last or f'status {done.returncode}'}", _SIMPLER)
    return cast("dict[str, Any]", json.loads(done.stdout))


def _fault(root: Shape, message: str, remedy: str) -> ShapeFault:
    return ShapeFault(f"{message}, in {root.name}", shape=str(root.node), remedy=remedy, place=root.place)


def _wanted(reached: Iterable[Shape]) -> set[str] | None:
    """Return the predicates that shapes can look at, ``None`` for all."""
    found = {RDF.type, RDFS.NS + "subClassOf"}
    for shape in reached:
        for target in shape.targets:
            if target.kind in (Kind.subjects_of, Kind.objects_of):
                found.add(target.term.value)
        if shape.path is not None:
            found.update(predicates(shape.path))
        for constraint in shape.constraints:
            if isinstance(constraint, SparqlConstraint):
                return None
            # Closed shapes look at everything; the others name what they look at among their terms.
            if constraint.component.endswith("ClosedConstraintComponent"):
                return None
            found.update(term.value for term in constraint.terms if isinstance(term, ox.NamedNode))
    return found


def _extract(reader: Reader, forms: Forms, wanted: set[str] | None, limits: Limits, root: Shape) -> Iterator[ox.Quad]:
    patterns = ["?s ?p ?o"] if wanted is None else [f"?s <{one}> ?o BIND(<{one}> AS ?p)" for one in sorted(wanted)]
    number = 0
    for pattern in patterns:
        rows = cast(ox.QuerySolutions, reader.query(f"SELECT ?s ?p ?o WHERE {{ {pattern} }}"))
        for row in rows:
            number += 1
            if number > limits.statements:
                raise _fault(
                    root,
                    f"pySHACL would need more than {limits.statements} statements",
                    _SIMPLER,
                )
            yield ox.Quad(row["s"], row["p"], forms.read(row["o"]))
