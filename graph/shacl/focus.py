"""Say which nodes a constraint judges, as a pattern of SPARQL: targets, then paths that lead on from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from graph.shacl.paths import Path, stays
from graph.shacl.shapes import Kind, Route, Row, Target, Term, Trigger
from graph.store import Reader
from graph.terms import RDF


@dataclass(frozen=True, slots=True)
class Focus:
    """Hold what targets choose, followed along ``paths``; ``subclasses`` gives each target class with all below it."""

    targets: tuple[Target, ...]
    subclasses: Mapping[Term, tuple[str, ...]]
    paths: tuple[Path, ...] = ()

    def through(self, path: Path | None) -> Focus:
        """Return the nodes that a path leads to from these, these themselves without one."""
        return self if path is None else replace(self, paths=(*self.paths, path))

    def pattern(self, name: str = "this") -> str:
        """Return the inside of a SPARQL group that binds ``?name`` to each of these nodes, to some more than once.

        It uses no other variables than ``?name`` and ``?focus…``; it can stand first in any group.
        """
        names = [f"focus{number}" for number in range(len(self.paths))] + [name]
        chosen = [text for target in self.targets for text in self._chosen(target, names[0])]
        nodes = [target.term for target in self.targets if target.kind is Kind.node]
        if nodes:
            chosen.append(f"VALUES ?{names[0]} {{ {' '.join(str(node) for node in nodes)} }}")
        text = chosen[0] if len(chosen) == 1 else " UNION ".join(f"{{ {one} }}" for one in chosen)
        for number, path in enumerate(self.paths):
            text = followed(text, names[number], path, names[number + 1])
        return text

    def _chosen(self, target: Target, name: str) -> list[str]:
        match target.kind:
            case Kind.class_:
                return [f"?{name} <{RDF.type}> <{one}> ." for one in self.subclasses[target.term]]
            case Kind.subjects_of:
                return [f"?{name} {target.term} ?focusOther ."]
            case Kind.objects_of:
                return [f"?focusOther {target.term} ?{name} ."]
            case Kind.node:
                return []


def followed(text: str, start: str, path: Path, end: str) -> str:
    """Return a pattern (the inside of a group) with a path added that leads from ``?start`` to ``?end``."""
    there = f"{text} ?{start} {path.sparql} ?{end} ."
    # The engine does not let a path stay at a node that no triple speaks of.
    return f"{{ {there} }} UNION {{ {text} BIND(?{start} AS ?{end}) }}" if stays(path) else there


class Body(Protocol):
    """Run one constraint that is written in SPARQL; made by ``graph.shacl.sparql.compile_body(shape, constraint)``.

    The forms agree to the letter: ``of_all`` judges every focus node at once, ``of_nodes`` some (IRIs and literals),
    ``on_days`` each node on its own days.
    """

    @property
    def route(self) -> Route:
        """Say how the body is run; where it is ``Way.reference``, none of the forms below is ever called."""

    @property
    def depends_on_day(self) -> bool:
        """Say whether the body asks for the day."""

    def of_all(self, reader: Reader, focus: Focus, day: date) -> Iterator[Row]:
        """Yield the violations of every focus node."""

    def of_nodes(self, reader: Reader, nodes: Iterable[Term], day: date) -> Iterator[Row]:
        """Yield the violations of some focus nodes, which are IRIs and literals."""

    def on_days(self, reader: Reader, pairs: Iterable[tuple[Term, date]]) -> Iterator[tuple[date, Row]]:
        """Yield the violations of each node on each of its days."""

    def days(self, reader: Reader, focus: Focus, nodes: Collection[Term] | None) -> Iterator[tuple[Term, date]]:
        """Yield the days on which the outcome can change, for these nodes or for every focus node; more is allowed."""

    def triggers(self) -> tuple[Trigger, ...] | None:
        """Name the changed quads that can alter the outcome, ``None`` for any."""
