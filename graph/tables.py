"""Turn tables, and RDF of any shape, into statements of the register through a declared mapping.

A *mapping* is one SPARQL 1.1 ``CONSTRUCT`` in a ``.rq`` file that opens with a comment header. A *table* (CSV or TSV)
is first read in the minimal mode of CSVW (https://www.w3.org/TR/csv2rdf/): every row is a node ``<source>#row=<n>``
(row fragments of RFC 7111, the header is row 1), every cell a plain string under ``col:<column>``, an empty cell is no
statement. RDF sources are mapped as parsed. ``service/docs/mappings.md`` is the manual.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import IO, Final, cast
from urllib.parse import quote, urljoin

import pyoxigraph as ox

from graph.errors import Malformed, Place, Unreadable
from graph.terms import BASE, XSD

COLUMN: Final = BASE + "column#"
FUNCTION: Final = BASE + "function#"

MAX_CELL: Final = 1 << 20
"""Longest cell, in characters: as long as a text may be."""

MAX_ROW: Final = 1 << 24
"""Longest row, in characters."""

MAX_CELLS: Final = 2_000_000
"""Most cells of one table: a mapping sees all of it at once, in memory."""

csv.field_size_limit(MAX_CELL)  # the reader has one limit for the process, 128 KiB at first

_ROW_NUMBER: Final = ox.NamedNode(COLUMN + "_row")
_DELIMITERS: Final = {".csv": ",", ".tsv": "\t"}
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_HEADER_LINE: Final = re.compile(r"#\s?(?:(?P<key>[a-z]+):\s)?(?P<text>.*)")
_HEADER_KEYS: Final = frozenset({"problem", "solution", "dates", "lists", "delimiter", "encoding"})
# What is no code in SPARQL: IRIs, strings and comments. IRIs come first: they may hold a "#".
_NOT_CODE: Final = re.compile(
    r"<[^<>\s{}|^`\\]*>"
    r"|\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
    r"|#[^\n]*",
    re.S,
)
_SERVICE: Final = re.compile(r"(?<![\w?$:.%-])SERVICE(?![\w:.%-])", re.I)
_PREFIX: Final = re.compile(r"\bPREFIX\s+([\w.-]*):\s*<" + re.escape(COLUMN) + ">", re.I)
_IRI_CALL: Final = re.compile(r"(?<![\w?$:.%-])(?:IRI|URI)(?=\s*\()", re.I)
_BASE: Final = re.compile(r"\bBASE\s*<([^<>\s]*)>", re.I)
_WHERE_IN_QUERY: Final = re.compile(r"error at (\d+):(\d+): (.*)", re.S)


_ROW_TOO_LONG: Final = f"it has more than {MAX_ROW >> 20} Mi characters"


class _Unquoted(csv.excel_tab):
    quoting = csv.QUOTE_NONE


@dataclass(frozen=True, slots=True)
class Mapping:
    """Hold a mapping as read: what its header says, the columns it speaks of, and the query to run.

    In the query ``IRI()`` is a function of ours, which tells what it cannot make; ``base`` is the query's ``BASE``.
    """

    path: Path
    problem: str
    solution: str
    query: str
    base: str
    columns: frozenset[str]
    dates: frozenset[str]
    lists: frozenset[str]
    delimiter: str | None
    encoding: str


def is_table(path: Path) -> bool:
    """Tell whether the name of a file says CSV or TSV, gzipped or not."""
    return _kind(path) in _DELIMITERS


def read_mapping(path: Path) -> Mapping:
    """Read and check a mapping file.

    The header is a block of comment lines ``# key: value`` (a line without key goes on with the one before). *problem*
    and *solution* must be there; *dates* and *lists* name columns (separated by spaces, names as written after
    ``col:``), *delimiter* and *encoding* describe tables that are not comma-separated UTF-8. Raises ``Unreadable`` or
    ``Malformed``.
    """
    if path.exists() and not path.is_file():
        raise Unreadable("The mapping is no file", remedy="Name a file.", place=Place(str(path)))
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as fault:
        raise Malformed("The mapping is not UTF-8", remedy="Save it as UTF-8.", place=Place(str(path))) from fault
    except OSError as fault:
        raise Unreadable(
            f"The mapping cannot be read: {fault.strerror}", remedy="Check its path.", place=Place(str(path))
        ) from fault
    header = _header(path, text)
    for key in ("problem", "solution"):
        if not header.get(key):
            raise Malformed(
                f'The header of the mapping has no "{key}"',
                remedy=f'Open the file with comment lines, one of them "# {key}: …".',
                place=Place(str(path), 1),
            )
    delimiter = header.get("delimiter")
    return Mapping(
        path=path,
        problem=header["problem"],
        solution=header["solution"],
        query=_with_our_iri(text),
        base=base[1] if (base := _BASE.search(text)) else "",
        columns=_columns(path, text),
        dates=frozenset(header.get("dates", "").split()),
        lists=frozenset(header.get("lists", "").split()),
        delimiter={"tab": "\t"}.get(delimiter, delimiter) if delimiter else None,
        encoding=header.get("encoding", "utf-8"),
    )


def map_table(path: Path, mapping: Mapping, source: str) -> list[ox.Quad]:
    """Map one table of ``source`` (an IRI) to statements in the default graph; the same file gives the same list.

    Raises ``Malformed`` with the line of the row out of which the mapping could not make an IRI, a slug or a day.
    """
    result, failures = _construct(mapping, table_quads(path, mapping, source))
    line = _line_of_row(path, mapping, source, lambda _, failures: bool(failures)) if failures else None
    return _made(mapping, result, failures, Place(str(path), line))


def map_quads(mapping: Mapping, quads: Iterable[ox.Quad]) -> list[ox.Quad]:
    """Run a mapping over statements (of all graphs together) and give what it constructs, each once, in no graph.

    Raises ``Malformed`` when nothing at all comes out, because then the mapping is not for this input; and for a value
    with which a function of the mapping can do nothing, because SPARQL would leave out what depends on it.
    """
    return _made(mapping, *_construct(mapping, quads), None)


def _made(mapping: Mapping, result: list[ox.Quad], failures: list[str], place: Place | None) -> list[ox.Quad]:
    if failures:
        raise Malformed(
            failures[0],
            remedy="Correct the value, or have the mapping encode it (ENCODE_FOR_URI) or leave it out (FILTER).",
            place=place,
        )
    if not result:
        raise Malformed(
            "The mapping made no statement out of this input",
            remedy="Check that it is the mapping for this input, and that its patterns match.",
            place=Place(str(mapping.path)),
        )
    return result


def _construct(mapping: Mapping, quads: Iterable[ox.Quad]) -> tuple[list[ox.Quad], list[str]]:
    """Give what a mapping constructs, and what its functions could not do (the first of it)."""
    store = ox.Store()
    store.bulk_extend(quads)
    failures: list[str] = []
    functions = _functions(mapping.base, failures)
    answer = store.query(mapping.query, use_default_graph_as_union=True, custom_functions=functions)
    triples = cast(ox.QueryTriples, answer)  # read_mapping lets nothing else through
    # Oxigraph leaves out what it has constructed before, and gives the same order for the same input
    return [ox.Quad(triple.subject, triple.predicate, triple.object) for triple in triples], failures


def line_of_statement(path: Path, mapping: Mapping, source: str, match: Callable[[ox.Quad], bool]) -> int | None:
    """Find the line of the row that makes the first statement for which ``match`` holds.

    ``None`` where there is no such statement, or where it takes several rows to make it.
    """
    wanted = next(filter(match, map_table(path, mapping, source)), None)
    return _line_of_row(path, mapping, source, lambda made, _: wanted in made) if wanted is not None else None


def _line_of_row(
    path: Path, mapping: Mapping, source: str, test: Callable[[list[ox.Quad], list[str]], bool]
) -> int | None:
    """Find the line of a row that by itself makes what the test looks for, by halves; ``None`` where none does."""
    rows = list(_row_quads(path, mapping, source))

    def holds(start: int, end: int) -> bool:
        return test(*_construct(mapping, (quad for _, quads in rows[start:end] for quad in quads)))

    start, end = 0, len(rows)
    while end - start > 1:
        middle = (start + end) // 2
        start, end = (start, middle) if holds(start, middle) else (middle, end)
    return rows[start][0] if rows and holds(start, end) else None


def table_quads(path: Path, mapping: Mapping, source: str) -> Iterator[ox.Quad]:
    """Yield the cells of a table as statements, one node per row.

    Raises ``Malformed`` with file and line for a wrong encoding, a column named twice, a column that the mapping needs
    and the table lacks, a row longer or shorter than the header, and a cell of a *dates* column that is no day.
    """
    for _, quads in _row_quads(path, mapping, source):
        yield from quads


def _row_quads(path: Path, mapping: Mapping, source: str) -> Iterator[tuple[int, list[ox.Quad]]]:
    """Yield the statements of each row with the line it starts on."""
    rows = _rows(path, mapping)
    line, header = next(rows, (1, []))
    if not header:
        raise Malformed("The table is empty", remedy="Give it a header row.", place=Place(str(path)))
    names = _names(path, line, header, mapping)
    edges = [ox.NamedNode(COLUMN + name) for name in names]
    dated = [position for position, name in enumerate(names) if name in mapping.dates]
    listed = frozenset(position for position, name in enumerate(names) if name in mapping.lists)
    for number, (line, row) in enumerate(rows, start=2):
        if len(row) != len(names):
            raise Malformed(
                f"The row has {len(row)} cells and the header {len(names)}",
                remedy="Give every row one cell per column and quote cells that hold the delimiter.",
                place=Place(str(path), line),
            )
        for position in dated:
            _check_day(row[position].strip(), names[position], Place(str(path), line))
        node = ox.NamedNode(f"{source}#row={number}")
        quads = [ox.Quad(node, _ROW_NUMBER, ox.Literal(number))]
        for position, cell in enumerate(row):
            for value in cell.split(";") if position in listed else (cell,):
                if text := value.strip():
                    quads.append(ox.Quad(node, edges[position], ox.Literal(text)))
        yield line, quads


def slug(text: str) -> str:
    """Fold a text to the form used in IRIs: ASCII, lower case, words joined by hyphens ("Đắk Lắk" → "dak-lak")."""
    folded = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return re.sub(r"[^a-z0-9]+", "-", folded.encode("ascii", "ignore").decode().lower()).strip("-")


def column_name(title: str) -> str:
    """Turn a column's title into the name after ``col:``.

    Letters, digits, "-" and "_" stay, the rest is percent-encoded. A leading "_" is encoded as well: CSVW keeps such
    names for itself, and ``col:_row`` is the row number.
    """
    name = "".join(c if c.isalnum() or c in "-_" else quote(c, safe="") for c in unicodedata.normalize("NFC", title))
    return "%5F" + name[1:] if name.startswith("_") else name


def _header(path: Path, text: str) -> dict[str, str]:
    header: dict[str, str] = {}
    key = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("#"):
            break
        found = _HEADER_LINE.fullmatch(line)
        if found is None:
            continue
        if named := found["key"]:
            if named not in _HEADER_KEYS:
                raise Malformed(
                    f'The header of the mapping has the unknown key "{named}"',
                    remedy="Use one of " + ", ".join(sorted(_HEADER_KEYS)) + ".",
                    place=Place(str(path), number),
                )
            key = named
        if key:
            header[key] = f"{header.get(key, '')} {found['text'].strip()}".strip()
    return header


def _columns(path: Path, text: str) -> frozenset[str]:
    """Check that the text is a CONSTRUCT that stays here, and give the columns it names."""
    code = _NOT_CODE.sub(" ", text)
    if _SERVICE.search(code):  # before anything is evaluated: an ASK would call out at once
        raise Malformed(
            "The mapping asks another service", remedy="Remove SERVICE: a mapping sees its input only.",
            place=Place(str(path)),
        )  # fmt: skip
    try:
        results = ox.Store().query(text, custom_functions=_functions("", []))
    except SyntaxError as fault:
        found = _WHERE_IN_QUERY.match(str(fault))
        line, column = (int(found[1]), int(found[2])) if found else (None, None)
        raise Malformed(
            "The mapping is not a SPARQL query", remedy="Mend the syntax here.", place=Place(str(path), line, column)
        ) from fault
    if not isinstance(results, ox.QueryTriples):
        raise Malformed("The mapping is not a CONSTRUCT query", remedy="Write it as CONSTRUCT.", place=Place(str(path)))
    names: set[str] = set()
    for prefix in _PREFIX.findall(text):
        names.update(re.findall(rf"(?<![\w:.%-]){re.escape(prefix)}:([\w%-]+)", code))
    return frozenset(names - {"_row"})


def _with_our_iri(text: str) -> str:
    """Put our function in the place of IRI() and URI(), wherever these are code."""
    pieces, done = [], 0
    for other in _NOT_CODE.finditer(text):
        pieces += [_IRI_CALL.sub(f"<{FUNCTION}iri>", text[done : other.start()]), other[0]]
        done = other.end()
    return "".join([*pieces, _IRI_CALL.sub(f"<{FUNCTION}iri>", text[done:])])


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _rows(path: Path, mapping: Mapping) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the line it starts on. TSV knows no quotes (IANA text/tab-separated-values)."""
    delimiter = mapping.delimiter or _DELIMITERS.get(_kind(path), ",")
    dialect = _Unquoted if delimiter == "\t" else csv.excel
    start = cells = 0
    try:
        with _opened(path) as stream, _text_of(stream, mapping.encoding) as text:
            lines = _Lines(text)
            reader = csv.reader(lines, dialect, delimiter=delimiter, strict=True)
            while True:
                start, lines.used = reader.line_num + 1, 0
                row = next(reader, None)
                if row is None:
                    return
                cells += len(row)
                if cells > MAX_CELLS:
                    raise Malformed(
                        f"The table has more than {MAX_CELLS} cells",
                        remedy="Split it into files with the same header and load them together.",
                        place=Place(str(path), start),
                    )
                if row:
                    yield start, row
    except csv.Error as fault:
        raise _unread(path, start, fault) from fault
    except UnicodeError as fault:
        raise Malformed(
            f"The table is not {mapping.encoding}",
            remedy='Save it as UTF-8, or name its encoding in the header of the mapping ("# encoding: …").',
            place=Place(str(path), _undecodable_line(path, mapping.encoding)),
        ) from fault
    except (OSError, EOFError, zlib.error) as fault:
        raise Unreadable(
            f"The table cannot be read: {fault}", remedy="Check the path and the file.", place=Place(str(path))
        ) from fault


class _Lines(Iterator[str]):
    """Hand lines to the reader of rows, and stop at a row that would fill the memory: ``used`` is what it has got."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.used = 0

    def __next__(self) -> str:
        line = self._text.readline(MAX_ROW - self.used + 1)
        if not line:
            raise StopIteration
        self.used += len(line)
        if self.used > MAX_ROW:
            raise csv.Error(_ROW_TOO_LONG)
        return line


def _unread(path: Path, line: int, fault: csv.Error) -> Malformed:
    said = str(fault)
    if said == _ROW_TOO_LONG or "field limit" in said:
        said = said if said == _ROW_TOO_LONG else f"a cell has more than {MAX_CELL >> 20} Mi characters"
        remedy = "Close its quotes, or keep long texts elsewhere."
    else:
        remedy = "Close its quotes and remove control characters."
    return Malformed(f"The row cannot be read: {said}", remedy=remedy, place=Place(str(path), line))


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        gzipped = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if gzipped else path.open("rb")


def _text_of(stream: IO[bytes], encoding: str) -> io.TextIOWrapper:
    try:
        return io.TextIOWrapper(stream, "utf-8-sig" if encoding == "utf-8" else encoding, newline="")
    except LookupError as fault:
        raise Malformed(
            f'The mapping names the unknown encoding "{encoding}"', remedy="Name one that Python knows, as utf-8."
        ) from fault


def _undecodable_line(path: Path, encoding: str) -> int:
    """Find the line in which a table stops being text: the text reader decodes ahead and cannot tell."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    with _opened(path) as stream:
        while piece := stream.read(1 << 16):
            try:
                decoder.decode(piece)
            except UnicodeDecodeError as fault:
                return lines + fault.object.count(b"\n", 0, fault.start)
            except UnicodeError:  # UTF-16 without a byte order mark
                return lines
            lines += piece.count(b"\n")
    return lines


def _names(path: Path, line: int, header: list[str], mapping: Mapping) -> list[str]:
    # CSVW calls a column without a title _col.N
    names = [column_name(title.strip()) or f"_col.{n}" for n, title in enumerate(header, start=1)]
    place = Place(str(path), line)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Malformed(
            "The table has a column twice: " + ", ".join(twice), remedy="Name every column once.", place=place
        )
    missing = sorted((mapping.columns | mapping.dates | mapping.lists) - set(names))
    if missing:
        raise Malformed(
            f"The table lacks columns that {mapping.path.name} needs: " + ", ".join(missing),
            remedy="Add them (cells may be empty), or use the mapping made for this table.",
            place=place,
        )
    return names


def _check_day(text: str, column: str, place: Place) -> None:
    if not text:
        return
    try:
        if not _DAY.fullmatch(text):
            raise ValueError(text)
        date.fromisoformat(text)
    except ValueError as fault:
        raise Malformed(
            f'"{text}" in column "{column}" is no day', remedy="Write days as 2025-07-01, or leave the cell empty.",
            place=place,
        ) from fault  # fmt: skip


_Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
_Function = Callable[..., _Term | None]


def _functions(base: str, failures: list[str]) -> dict[ox.NamedNode, _Function]:
    """Return the functions of a mapping, which note in ``failures`` the first value they can do nothing with."""

    def fail(words: str, term: _Term) -> None:
        if not failures:
            text = term.value if isinstance(term, ox.Literal) else str(term)
            failures.append(words.format(text if len(text) <= 100 else text[:100] + "…"))

    def make_iri(term: _Term) -> ox.NamedNode | None:
        if isinstance(term, ox.NamedNode):
            return term
        if isinstance(term, ox.Literal) and term.datatype.value == XSD.string:
            try:
                return ox.NamedNode(urljoin(base, term.value) if base else term.value)
            except ValueError:
                pass  # told below, with what is no text
        fail('The mapping makes an IRI of "{}", which cannot be one', term)
        return None

    def make_slug(term: _Term) -> ox.Literal | None:
        text = slug(term.value) if isinstance(term, ox.Literal) else ""
        if not text:
            fail('The mapping makes a slug of "{}", which has no letter for it', term)
            return None
        return ox.Literal(text)

    def make_day_after(term: _Term) -> ox.Literal | None:
        """Give the day after: how a mapping turns an inclusive end into the exclusive one of the register."""
        try:
            day = date.fromisoformat(term.value[:10] if isinstance(term, ox.Literal) else "") + timedelta(days=1)
        except (ValueError, OverflowError):
            fail('The mapping asks for the day after "{}", which is no day', term)
            return None
        return ox.Literal(day.isoformat(), datatype=ox.NamedNode(XSD.date))

    return {
        ox.NamedNode(FUNCTION + "iri"): make_iri,
        ox.NamedNode(FUNCTION + "slug"): make_slug,
        ox.NamedNode(FUNCTION + "dayAfter"): make_day_after,
    }
