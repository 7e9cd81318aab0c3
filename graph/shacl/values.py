"""Judge one value against a constraint that needs nothing but the value.

The engine compares, so that a walk from one node and a query over all of them cannot differ: ``doubtful`` writes the
condition under which a query hands a value over, ``violates`` decides. A query may hand over too many, never too few.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import pyoxigraph as ox

from graph.shacl.paths import SH
from graph.shacl.shapes import Constraint, Term
from graph.terms import XSD

_scratch = ox.Store()

CLASS: Final = SH + "ClassConstraintComponent"
DATATYPE: Final = SH + "DatatypeConstraintComponent"
NODE_KIND: Final = SH + "NodeKindConstraintComponent"
PATTERN: Final = SH + "PatternConstraintComponent"
MIN_LENGTH: Final = SH + "MinLengthConstraintComponent"
MAX_LENGTH: Final = SH + "MaxLengthConstraintComponent"
LANGUAGE_IN: Final = SH + "LanguageInConstraintComponent"
IN: Final = SH + "InConstraintComponent"
_OPERATORS: Final = {
    SH + "MinExclusiveConstraintComponent": ">",
    SH + "MinInclusiveConstraintComponent": ">=",
    SH + "MaxExclusiveConstraintComponent": "<",
    SH + "MaxInclusiveConstraintComponent": "<=",
}
#: components whose outcome depends on the value alone
OF_VALUES: Final = {DATATYPE, NODE_KIND, PATTERN, MIN_LENGTH, MAX_LENGTH, LANGUAGE_IN, IN, *_OPERATORS}

#: types of which the engine knows the form, each with a value to compare with
_SAMPLES: Final = {
    XSD.NS + name: sample
    for name, sample in {
        "integer": "7", "decimal": "7.5", "float": "7.5", "double": "7.5", "date": "1789-07-14",
        "dateTime": "1789-07-14T00:00:00", "time": "11:11:11", "duration": "P7D", "dayTimeDuration": "P7D",
        "yearMonthDuration": "P7Y", "gYear": "1789", "gYearMonth": "1789-07", "gMonth": "--07", "gDay": "---14",
    }.items()
}  # fmt: skip
_KNOWN: Final = {*_SAMPLES, XSD.boolean}
#: whole numbers within bounds, both included; the embedded store keeps them as xsd:integer
RANGES: Final[dict[str, tuple[int | None, int | None]]] = {
    XSD.NS + name: bounds
    for name, bounds in {
        "byte": (-(1 << 7), (1 << 7) - 1), "short": (-(1 << 15), (1 << 15) - 1), "int": (-(1 << 31), (1 << 31) - 1),
        "long": (-(1 << 63), (1 << 63) - 1), "unsignedByte": (0, (1 << 8) - 1), "unsignedShort": (0, (1 << 16) - 1),
        "unsignedInt": (0, (1 << 32) - 1), "unsignedLong": (0, (1 << 64) - 1), "nonNegativeInteger": (0, None),
        "positiveInteger": (1, None), "nonPositiveInteger": (None, 0), "negativeInteger": (None, -1),
    }.items()
}  # fmt: skip
_INTEGER: Final = XSD.integer
_LONG: Final = {_INTEGER: r"[+-]?\d{18,}", XSD.NS + "decimal": r"[+-]?(\d{15,}(\.\d*)?|\d*\.\d{15,})"}
_KINDS: Final[dict[str, tuple[str, Callable[[Term], bool]]]] = {
    "IRI": ("isIRI", lambda term: isinstance(term, ox.NamedNode)),
    "BlankNode": ("isBlank", lambda term: isinstance(term, ox.BlankNode)),
    "Literal": ("isLiteral", lambda term: isinstance(term, ox.Literal)),
    "BlankNodeOrIRI": ("!isLiteral", lambda term: not isinstance(term, ox.Literal)),
    "BlankNodeOrLiteral": ("!isIRI", lambda term: not isinstance(term, ox.NamedNode)),
    "IRIOrLiteral": ("!isBlank", lambda term: not isinstance(term, ox.BlankNode)),
}


@lru_cache(maxsize=1 << 16)
def holds(condition: str) -> bool:
    """Ask the engine whether a condition over constants is true; an error is no."""
    return bool(_scratch.query(f"ASK {{ FILTER({condition}) }}"))


def less(left: Term, right: Term, operator: str = "<") -> bool:
    """Say whether the engine finds one literal less than another; what cannot be compared is not."""
    if not isinstance(left, ox.Literal) or not isinstance(right, ox.Literal):
        return False
    return holds(f"{left} {operator} {right}")


def _well_formed(variable: str, datatype: str) -> str:
    if datatype == XSD.boolean:
        return f"COALESCE({variable} = true || {variable} = false, false)"
    sample = f'"{_SAMPLES[datatype]}"^^<{datatype}>'
    # The engine compares what it can read, and gives an error for what it cannot.
    return f"COALESCE(IF({variable} = {sample}, true, true), false)"


def ill_formed(literal: ox.Literal) -> bool:
    """Say whether a literal is not what its datatype asks for, of the types that SPARQL 1.1 knows."""
    datatype = literal.datatype.value
    if datatype in RANGES:
        return not _whole(literal.value, *RANGES[datatype])
    if datatype not in _KNOWN:
        return False
    if holds(_well_formed(str(literal), datatype)):
        return False
    # Numbers too long for the engine are well formed all the same.
    return not (datatype in _LONG and re.fullmatch(_LONG[datatype], literal.value, re.ASCII))


def _whole(text: str, low: int | None, high: int | None) -> bool:
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 1000:
        return False
    return (low is None or int(text) >= low) and (high is None or int(text) <= high)


def doubtful(constraint: Constraint, variable: str, *, widened: bool) -> str:
    """Write the condition of SPARQL under which a value may violate a constraint; see ``violates`` for ``widened``."""
    component = constraint.component
    if component == DATATYPE:
        datatype = constraint.terms[0].value
        other = f"!isLiteral({variable}) || datatype({variable}) != <{datatype}>"
        if datatype in RANGES:
            kept = f"datatype({variable}) = <{_INTEGER}> || " if widened else ""
            bounds = zip((">=", "<="), RANGES[datatype], strict=True)
            within = [f"{variable} {sign} {bound}" for sign, bound in bounds if bound is not None]
            return f"!COALESCE(({kept}datatype({variable}) = <{datatype}>) && {' && '.join(within)}, false)"
        return f"{other} || !{_well_formed(variable, datatype)}" if datatype in _KNOWN else other
    if component == NODE_KIND:
        word, _ = _KINDS[constraint.terms[0].value.removeprefix(SH)]
        return f"!({word}({variable}))"
    if component in _OPERATORS:
        return f"!COALESCE({variable} {_OPERATORS[component]} {constraint.terms[0]}, false)"
    if component == MIN_LENGTH:
        return f"isBlank({variable}) || STRLEN(STR({variable})) < {constraint.count}"
    if component == MAX_LENGTH:
        return f"isBlank({variable}) || STRLEN(STR({variable})) > {constraint.count}"
    if component == PATTERN:
        return f"isBlank({variable}) || !COALESCE({_regex(f'STR({variable})', constraint)}, false)"
    if component == LANGUAGE_IN:
        ranges = " || ".join(f"langMatches(lang({variable}), {tag})" for tag in constraint.terms)
        return f"!COALESCE({ranges}, false)" if ranges else "true"
    members = " || ".join(f"sameTerm({variable}, {term})" for term in constraint.terms)
    return f"!({members})" if members else "true"


def violates(constraint: Constraint, value: Term, *, widened: bool, members: frozenset[Term]) -> bool:
    """Say whether a value violates a constraint of ``OF_VALUES``.

    ``widened`` says that the store keeps every whole number as xsd:integer; ``members`` are those of a list as the
    store keeps them.
    """
    component = constraint.component
    if component == DATATYPE:
        return not _of_datatype(value, constraint.terms[0].value, widened)
    if component == NODE_KIND:
        return not _KINDS[constraint.terms[0].value.removeprefix(SH)][1](value)
    if component in _OPERATORS:
        return not less(value, constraint.terms[0], _OPERATORS[component])
    if component == IN:
        return value not in members
    if isinstance(value, ox.BlankNode):
        return True
    if component == MIN_LENGTH:
        return len(value.value) < constraint.count
    if component == MAX_LENGTH:
        return len(value.value) > constraint.count
    if component == PATTERN:
        return not holds(_regex(str(ox.Literal(value.value)), constraint))
    language = (value.language or "") if isinstance(value, ox.Literal) else ""
    return not any(_within(language, tag.value) for tag in constraint.terms)


def _of_datatype(value: Term, datatype: str, widened: bool) -> bool:
    if not isinstance(value, ox.Literal):
        return False
    if value.datatype.value == datatype:
        return not ill_formed(value)
    if widened and datatype in RANGES and value.datatype.value == _INTEGER:
        return _whole(value.value, *RANGES[datatype])
    return False


def _within(language: str, wanted: str) -> bool:
    """Match a language tag with a range: https://www.rfc-editor.org/rfc/rfc4647#section-3.3.1."""
    if not language:
        return False
    tag, wanted = language.lower(), wanted.lower()
    return wanted == "*" or tag == wanted or tag.startswith(wanted + "-")


def _regex(text: str, constraint: Constraint) -> str:
    pattern = ox.Literal(constraint.terms[0].value)
    flags = f", {ox.Literal(constraint.flags)}" if constraint.flags else ""
    return f"REGEX({text}, {pattern}{flags})"


def engine_knows(constraint: Constraint) -> bool:
    """Say whether the engine can run the regular expression of a ``sh:pattern``."""
    return holds(f"COALESCE(IF({_regex(str(ox.Literal('')), constraint)}, true, true), false)")
