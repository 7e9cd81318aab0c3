"""Check a store against shapes: every focus node at once, or a few of them, on any day."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from graph.shacl.shapes import Result, Route, Shapes, Term, Trigger
from graph.store import Reader


class Checker:
    """Run shapes on a store. Everything that depends on the shapes alone is prepared once."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes

    def check(
        self,
        reader: Reader,
        day: date,
        *,
        roots: Collection[Term] | None = None,
        nodes: Collection[Term] | None = None,
    ) -> Iterator[Result]:
        """Yield the violations of every focus node, or of those among ``nodes``; the order says nothing.

        ``roots`` are nodes of targeted shapes (default: all). A node that a root does not target is passed over.
        """
        raise NotImplementedError

    def routes(self) -> dict[Term, Route]:
        """Say how each root, and each ``sh:sparql`` constraint under one, is run."""
        raise NotImplementedError

    def triggers(self, root: Term) -> tuple[Trigger, ...] | None:
        """Name the changed quads that can alter what a root finds for which focus nodes, ``None`` for any and all."""
        raise NotImplementedError

    def depends_on_day(self, root: Term) -> bool:
        """Say whether what a root finds can differ from day to day in the same graph."""
        raise NotImplementedError

    def days(self, reader: Reader, root: Term, nodes: Collection[Term] | None = None) -> Iterator[tuple[Term, date]]:
        """Yield for each focus node the days on which what a root finds there can change; more is allowed."""
        raise NotImplementedError

    def on_days(
        self, reader: Reader, root: Term, pairs: Iterable[tuple[Term, date]]
    ) -> Iterator[tuple[date, Result]]:
        """Yield what a root finds for each focus node on each of its days."""
        raise NotImplementedError
