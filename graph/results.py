"""Write rows as SPARQL results, row by row, so that whoever writes them can stop after any row.

JSON (https://www.w3.org/TR/sparql12-results-json/), XML (https://www.w3.org/TR/rdf-sparql-XMLres/), CSV and TSV
(https://www.w3.org/TR/sparql11-results-csv-tsv/). A document is ``opening``, rows with ``joint`` between them, and
``closing``: cut after any row and closed, it is whole and says less. The engine's own writers give the same bytes, but
only all of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import pyoxigraph as ox

from graph.terms import XSD

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
Row = Iterable[Term | None]

_QUOTED: Final = re.compile(r'[",\r\n]')
_EDGES: Final = re.compile(r"^[ \t\n]+|[ \t\n]+$")
_ITS: Final = "http://www.w3.org/2005/11/its"
#: literals that TSV writes without quotes and datatype, as Turtle does
_BARE: Final = {
    XSD.integer: re.compile(r"[+-]?[0-9]+"),
    XSD.NS + "decimal": re.compile(r"[+-]?[0-9]*\.[0-9]+"),
    XSD.NS + "double": re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][+-]?[0-9]+"),
    XSD.boolean: re.compile("true|false"),
}


@dataclass(frozen=True, slots=True)
class Writing:
    """Hold how one format writes rows; ``of`` is the engine's name of the format, which also writes a yes or no."""

    of: ox.QueryResultsFormat
    opening: Callable[[Sequence[str]], str]
    row: Callable[[Sequence[str], Row], str]
    joint: str = ""
    closing: str = ""


# --- JSON -----------------------------------------------------------------------------------------------------------


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _json_opening(columns: Sequence[str]) -> str:
    return f'{{"head":{{"vars":[{",".join(map(_quote, columns))}]}},"results":{{"bindings":['


def _json_row(columns: Sequence[str], row: Row) -> str:
    found = (
        f"{_quote(name)}:{_json_term(term)}" for name, term in zip(columns, row, strict=True) if term is not None
    )
    return f"{{{','.join(found)}}}"


def _json_term(term: Term) -> str:
    if isinstance(term, ox.NamedNode):
        return f'{{"type":"uri","value":{_quote(term.value)}}}'
    if isinstance(term, ox.BlankNode):
        return f'{{"type":"bnode","value":{_quote(term.value)}}}'
    if isinstance(term, ox.Triple):
        parts = zip(("subject", "predicate", "object"), term, strict=True)
        return f'{{"type":"triple","value":{{{",".join(f"{_quote(n)}:{_json_term(t)}" for n, t in parts)}}}}}'
    more = ""
    if term.language:
        more = f',"xml:lang":{_quote(term.language)}'
        if term.direction:
            more += f',"its:dir":{_quote(str(term.direction.value))}'
    elif term.datatype.value != XSD.string:
        more = f',"datatype":{_quote(term.datatype.value)}'
    return f'{{"type":"literal","value":{_quote(term.value)}{more}}}'


# --- XML ------------------------------------------------------------------------------------------------------------


def _escape(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return text.replace("\r", "&#13;")


def _edged(text: str) -> str:
    """Escape a text whose outer blanks count, which readers of XML may take away otherwise."""
    return _EDGES.sub(lambda blanks: "".join(f"&#{ord(mark)};" for mark in blanks.group()), _escape(text))


def _xml_opening(columns: Sequence[str]) -> str:
    named = "".join(f'<variable name="{_escape(name)}"/>' for name in columns)
    return (
        '<?xml version="1.0"?><sparql xmlns="http://www.w3.org/2005/sparql-results#">'
        f"<head>{named}</head><results>"
    )  # fmt: skip


def _xml_row(columns: Sequence[str], row: Row) -> str:
    found = (
        f'<binding name="{_escape(name)}">{_xml_term(term)}</binding>'
        for name, term in zip(columns, row, strict=True)
        if term is not None
    )
    return f"<result>{''.join(found)}</result>"


def _xml_term(term: Term) -> str:
    if isinstance(term, ox.NamedNode):
        return f"<uri>{_escape(term.value)}</uri>"
    if isinstance(term, ox.BlankNode):
        return f"<bnode>{_escape(term.value)}</bnode>"
    if isinstance(term, ox.Triple):
        parts = zip(("subject", "predicate", "object"), term, strict=True)
        return f"<triple>{''.join(f'<{name}>{_xml_term(part)}</{name}>' for name, part in parts)}</triple>"
    more = ""
    if term.language:
        more = f' xml:lang="{_escape(term.language)}"'
        if term.direction:
            more += f' its:dir="{term.direction.value}" xmlns:its="{_ITS}" its:version="2.0"'
    elif term.datatype.value != XSD.string:
        more = f' datatype="{_escape(term.datatype.value)}"'
    return f"<literal{more}>{_edged(term.value)}</literal>"


# --- CSV and TSV ----------------------------------------------------------------------------------------------------


def _csv_opening(columns: Sequence[str]) -> str:
    return ",".join(columns) + "\r\n"


def _csv_row(_: Sequence[str], row: Row) -> str:
    return ",".join("" if term is None else _csv_term(term) for term in row) + "\r\n"


def _csv_term(term: Term) -> str:
    if isinstance(term, ox.Triple):
        return " ".join(_csv_term(part) for part in term)
    if isinstance(term, ox.BlankNode):
        return f"_:{term.value}"
    text = term.value
    if _QUOTED.search(text):
        doubled = text.replace('"', '""')
        return f'"{doubled}"'
    return text


def _tsv_opening(columns: Sequence[str]) -> str:
    return "\t".join(f"?{name}" for name in columns) + "\n"


def _tsv_row(_: Sequence[str], row: Row) -> str:
    return "\t".join("" if term is None else _tsv_term(term) for term in row) + "\n"


def _tsv_term(term: Term) -> str:
    if isinstance(term, ox.Triple):
        return f"<<( {' '.join(map(str, term))} )>>"
    if isinstance(term, ox.Literal) and not term.language:
        bare = _BARE.get(term.datatype.value)
        if bare is not None and bare.fullmatch(term.value):
            return term.value
    return str(term)


ROWS: Final = {
    "json": Writing(ox.QueryResultsFormat.JSON, _json_opening, _json_row, ",", "]}}"),
    "xml": Writing(ox.QueryResultsFormat.XML, _xml_opening, _xml_row, "", "</results></sparql>"),
    "csv": Writing(ox.QueryResultsFormat.CSV, _csv_opening, _csv_row),
    "tsv": Writing(ox.QueryResultsFormat.TSV, _tsv_opening, _tsv_row),
}
"""Formats of rows, and of a yes or no."""

GRAPHS: Final = {
    "turtle": ox.RdfFormat.TURTLE,
    "ntriples": ox.RdfFormat.N_TRIPLES,
    "rdfxml": ox.RdfFormat.RDF_XML,
    "jsonld": ox.RdfFormat.JSON_LD,
}
"""Formats of statements."""

MEDIA_TYPES: Final = {name: writing.of.media_type for name, writing in ROWS.items()} | {
    name: format.media_type for name, format in GRAPHS.items()
}
"""The media type of each format."""
