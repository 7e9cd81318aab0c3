"""Know the form in which a store keeps literals: the embedded one rewrites ``"01"`` as ``1`` and a byte as an integer.

Files that are checked without being loaded must be judged and shown as they are written. Their store keeps a literal
that it would rewrite under a datatype of ours instead, in which its own is wrapped: no query compares such a literal
by value, so every condition hands it over, and what judges it sees it as written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import pyoxigraph as ox

from graph.shacl.shapes import Constraint, Target, Term
from graph.shacl.values import IN
from graph.store import normal_form

_WRAPPED: Final = "urn:diaba:as-written:"


@dataclass(frozen=True, slots=True)
class Forms:
    """Turn terms into what a store keeps for them, and back; ``widened``: what is lost stays lost."""

    widened: bool = True

    def write(self, term: Term) -> Term:
        """Return a term as a query must name it."""
        if self.widened or not isinstance(term, ox.Literal) or normal_form(term) is term:
            return term
        return ox.Literal(term.value, datatype=ox.NamedNode(_WRAPPED + term.datatype.value))

    def read(self, term: Term) -> Term:
        """Return a term of the store as it was written."""
        if self.widened or not isinstance(term, ox.Literal) or not term.datatype.value.startswith(_WRAPPED):
            return term
        return ox.Literal(term.value, datatype=ox.NamedNode(term.datatype.value.removeprefix(_WRAPPED)))

    def kept(self, term: Term) -> Term:
        """Return the term as which ``read`` gives a term that was stored."""
        return normal_form(term) if self.widened and isinstance(term, ox.Literal) else term

    def target(self, target: Target) -> Target:
        return target if self.widened else replace(target, term=self.write(target.term))

    def constraint(self, constraint: Constraint) -> Constraint:
        """Return a constraint with the members of its list as a query must name them."""
        if self.widened or constraint.component != IN:
            return constraint
        return replace(constraint, terms=tuple(self.write(term) for term in constraint.terms))


#: stores of a register
REGISTER: Final = Forms()
#: stores of files that are checked as they are written
AS_WRITTEN: Final = Forms(widened=False)
