"""Read RDF from files, directories and addresses as a stream of statements, and say where a fault stands.

Formats: Turtle, TriG, N-Triples, N-Quads, JSON-LD and RDF/XML, each also gzipped, and tables through a mapping. Nothing
is fetched but the address that was asked for: a remote JSON-LD context is refused.
"""

from __future__ import annotations

import gzip
import http.client
import io
import os
import re
import stat
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO, Final, Protocol, cast
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from xml.parsers import expat

import pyoxigraph as ox

from graph.errors import Fault, Malformed, Place, Unreadable
from graph.tables import is_table, line_of_statement, map_quads, map_table, read_mapping

MAX_LINE: Final = 1 << 20
"""Longest line, in bytes, of a format that is written in lines; and longest literal, in characters."""

MAX_SILENCE: Final = 64 << 20
"""Most bytes of JSON-LD or RDF/XML between two statements: their parsers keep what they have not yet made sense of, in
as much as twenty times the room."""

MAX_DOWNLOAD: Final = 2 << 30
"""Largest answer, in bytes, that is taken from an address."""

TIMEOUT: Final = 60.0
"""Seconds without a byte after which an address is given up."""

_CHUNK: Final = 1 << 20
_EXCERPT: Final = 60

_EXTENSIONS: Final = {
    ".ttl": ox.RdfFormat.TURTLE,
    ".trig": ox.RdfFormat.TRIG,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".nq": ox.RdfFormat.N_QUADS,
    ".jsonld": ox.RdfFormat.JSON_LD,
    ".rdf": ox.RdfFormat.RDF_XML,
    ".owl": ox.RdfFormat.RDF_XML,
}
#: extensions that say too little: the content decides
_UNSURE: Final = frozenset({".json", ".xml", ".txt", ""})
_LINES: Final = frozenset({ox.RdfFormat.N_TRIPLES, ox.RdfFormat.N_QUADS})
#: formats in which a line has no reason to be long; whole documents in JSON or XML often are one line
_SHORT_LINES: Final = _LINES | {ox.RdfFormat.TURTLE, ox.RdfFormat.TRIG}
_SUFFIX: Final = {
    "text/turtle": ".ttl",
    "application/trig": ".trig",
    "application/n-triples": ".nt",
    "application/n-quads": ".nq",
    "application/ld+json": ".jsonld",
    "application/rdf+xml": ".rdf",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
}
_ACCEPT: Final = ", ".join(_SUFFIX) + ", application/json;q=0.5, text/plain;q=0.3, */*;q=0.1"
_FORMATS_TOLD: Final = "Turtle, TriG, N-Triples, N-Quads, JSON-LD or RDF/XML"

#: what the first bytes of other things look like, and what to call them
_SIGNATURES: Final = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive (or a document of a word processor or spreadsheet)"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x7fELF", "a program"),
    (b"\x1f\x8b", "a gzipped file inside a gzipped one"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"SQLite format 3", "an SQLite database"),
)
_SCHEME: Final = re.compile(r"(https?|file):", re.I)
#: what no IRI holds (RFC 3987 §2.2), so that it must have been meant percent-encoded
_NO_IRI: Final = re.compile(r'[\x00-\x20<>"{}|\\^`\x7f]')
_STATEMENT_LINE: Final = re.compile(rb"\s*(<[^<>\s]*>|_:\S+)\s+<[^<>\s]*>\s+\S")
#: what the reader of XML says when the end comes too early
_UNFINISHED: Final = frozenset(
    expat.errors.codes[words]
    for words in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)
_PARSER_PLACE: Final = re.compile(r"^Parser error at line .*?: ", re.S)


class Progress(Protocol):
    """Follow a long step: what is being done, how far it is, and of how much (``None``: not known)."""

    def __call__(self, step: str, done: int, total: int | None, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Input:
    """Name one file to read: where it lies, its own address, and what turns it into statements.

    ``format`` is ``None`` for a table, which needs a ``mapping``. ``name`` is what the user called it.
    """

    path: Path
    address: str
    name: str
    format: ox.RdfFormat | None
    gzipped: bool = False
    mapping: Path | None = None

    @property
    def size(self) -> int:
        """Return the size of the file in bytes, as stored."""
        return self.path.stat().st_size


@contextmanager
def open_inputs(targets: Iterable[str | Path], mapping: Path | None = None) -> Iterator[list[list[Input]]]:
    """Find what to read behind each target (path, directory, http(s) or file address): one list of inputs per target.

    A directory stands for every RDF file below it, in the order of their paths (with a mapping: for every table as
    well). What is fetched is kept until the context closes. Raises ``Unreadable``.
    """
    with tempfile.TemporaryDirectory(prefix="diaba-") as folder:
        yield [_find(target, mapping, Path(folder)) for target in targets]


def input_of(path: Path, mapping: Path | None = None, *, address: str | None = None, name: str | None = None) -> Input:
    """Describe one file, deciding its format by extension and then by content. Raises ``Unreadable``."""
    name = name or str(path)
    place = Place(name)
    try:
        if stat.S_ISDIR(mode := path.stat().st_mode):
            raise Unreadable("This is a directory", remedy="Name a file.", place=place)
        if not stat.S_ISREG(mode):  # it would be waited for, and it can be read once only
            raise Unreadable(
                "This is a pipe or a device, not a file", remedy="Write what it gives to a file and load that.",
                place=place,
            )  # fmt: skip
        with path.open("rb") as file:
            magic = file.read(2)
        gzipped = magic == b"\x1f\x8b"
        with _opened(path, gzipped) as stream:
            head = stream.read(8192)
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise _cut_off(place) from fault
    except OSError as fault:
        raise _no_file(fault, place) from fault
    except ValueError as fault:  # a name with a zero byte, out of a file: address
        raise Unreadable(f"This is no path: {fault}", remedy="Check how it is written.", place=place) from fault
    suffix = Path(path.name[:-3] if path.name.lower().endswith(".gz") else path.name).suffix.lower()
    address = address or path.resolve().as_uri()
    if is_table(path) or suffix in {".csv", ".tsv"}:
        if mapping is None:
            raise Unreadable(
                "This is a table, and nothing says what its columns mean",
                remedy="Give --mapping with a mapping file for it.", place=place,
            )  # fmt: skip
        return Input(path, address, name, None, gzipped, mapping)
    return Input(path, address, name, _format_of(head, suffix, place), gzipped, mapping)


def parse(source: Input, base: str, progress: Callable[[int], None] | None = None) -> Iterator[ox.Quad]:
    """Yield the statements of a file as they stand in it, blank nodes with the labels of the file.

    ``base`` resolves relative IRIs; ``progress`` is told the bytes read so far (of the unpacked file). Raises
    ``Malformed`` with file, line and column, or ``Unreadable``.
    """
    if source.mapping is None:
        yield from _parse_rdf(source, base, progress)
        return
    mapping = read_mapping(source.mapping)
    try:
        if source.format is None:
            yield from map_table(source.path, mapping, base)
        else:
            yield from map_quads(mapping, _parse_rdf(source, base, progress))
    except Fault as fault:
        if fault.place is None:
            fault.place = Place(source.name)
        elif fault.place.file == str(source.path):  # which is a copy when the table was fetched
            fault.place = replace(fault.place, file=source.name)
        raise


def place_of(source: Input, base: str, number: int) -> Place:
    """Find the line on which the statement with this number (from 1) ends, by reading the file again line by line.

    Exact to the line for the formats written in lines, save that a statement of more than a hundred lines is found by
    its first; JSON-LD and RDF/XML come out to a few lines. In a mapped table it is the line of the row that makes the
    statement, unless that takes several; of mapped RDF the line is unknown.
    """
    return place_where(source, base, islice_match(number))


def islice_match(number: int) -> Callable[[ox.Quad], bool]:
    """Return a test that holds for the ``number``-th statement it is asked about."""
    left = number

    def match(_: ox.Quad) -> bool:
        nonlocal left
        left -= 1
        return left == 0

    return match


def place_where(source: Input, base: str, match: Callable[[ox.Quad], bool]) -> Place:
    """Find the line of the first statement for which ``match`` holds; the file alone where there is none."""
    if source.mapping is not None and source.format is None:
        line = line_of_statement(source.path, read_mapping(source.mapping), base, match)
        return Place(source.name, line)
    if source.mapping is not None:
        return Place(source.name)
    with _opened(source.path, source.gzipped) as stream:
        lines = _LineByLine(stream)
        begun = 0
        try:
            for quad in ox.parse(cast(IO[bytes], lines), format=source.format, base_iri=base):
                if match(quad):
                    return Place(source.name, begun + 1 if lines.hurried else lines.number)
                begun = lines.number
                lines.settle()
        except (SyntaxError, MemoryError):
            pass  # read differently, the end of the file may be broken before the place is found: the file must do
    return Place(source.name)


def lines_of(source: Input, base: str, numbers: Collection[int]) -> dict[int, int]:
    """Return the lines on which the statements with these numbers (from 1) end; none where the line is not known.

    Only the formats whose parser says how far it has read: of JSON-LD and RDF/XML, and of tables, no line is known.
    """
    found: dict[int, int] = {}
    if source.mapping is not None or source.format not in _SHORT_LINES or not numbers:
        return found
    wanted, last = set(numbers), max(numbers)
    with _opened(source.path, source.gzipped) as stream:
        lines = _LineByLine(stream)
        begun = 0
        try:
            for number, _ in enumerate(ox.parse(cast(IO[bytes], lines), format=source.format, base_iri=base), 1):
                if number in wanted:
                    found[number] = begun + 1 if lines.hurried else lines.number
                    if number == last:
                        break
                begun = lines.number
                lines.settle()
        except (SyntaxError, MemoryError):
            pass  # what stands before the fault has its lines
    return found


def excerpt_of(source: Input, line: int, column: int | None = None) -> str:
    """Return what stands on a line around a column, at most sixty characters, with dots where it was cut."""
    with _opened(source.path, source.gzipped) as stream:
        skipped = 0
        while skipped < line - 1:
            piece = stream.readline(_CHUNK)
            if not piece:
                return ""
            skipped += piece.endswith(b"\n")
        middle = max((column or 1) - 1, 0)
        start = max(middle - _EXCERPT // 2, 0)
        text = stream.readline((start + _EXCERPT) * 4).decode("utf-8", "replace").rstrip("\r\n")
    cut = text[start : start + _EXCERPT]
    return ("…" if start else "") + cut + ("…" if len(text) > start + _EXCERPT else "")


def _parse_rdf(source: Input, base: str, progress: Callable[[int], None] | None) -> Iterator[ox.Quad]:
    assert source.format is not None
    try:
        with _opened(source.path, source.gzipped) as stream:
            if source.format in _LINES:
                yield from _parse_lines(source, stream, progress)
            else:
                yield from _Watched(stream, source, progress).statements(base)
    except SyntaxError as fault:
        raise _syntax(source, fault) from fault
    except expat.ExpatError as fault:
        raise _broken_xml(source, fault) from fault
    except MemoryError as fault:
        # The parser's own limit on one token, 16 MiB.
        raise Malformed(
            "One value is longer than 16 MiB", remedy="Keep long texts elsewhere and state where they are.",
            place=Place(source.name),
        ) from fault  # fmt: skip
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise _cut_off(Place(source.name)) from fault
    except OSError as fault:
        raise _no_file(fault, Place(source.name)) from fault


def _parse_lines(source: Input, stream: IO[bytes], progress: Callable[[int], None] | None) -> Iterator[ox.Quad]:
    """Parse N-Triples and N-Quads in blocks of whole lines: faster than a stream, and the place is known."""
    for block, before, _ in _blocks(source, stream, progress):
        yield from _parse_block(source, block, before)


def _blocks(
    source: Input, stream: IO[bytes], progress: Callable[[int], None] | None
) -> Iterator[tuple[bytes, int, int]]:
    before = done = 0
    rest = b""
    while chunk := stream.read(_CHUNK):
        if not done:
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        end = chunk.rfind(b"\n") + 1
        first = chunk.find(b"\n")
        if len(rest) + (first if end else len(chunk)) > MAX_LINE:
            raise _long_line(source, before + 1)
        done += len(chunk)
        if not end:
            rest += chunk
            continue
        block, rest = rest + chunk[:end], chunk[end:]
        count = block.count(b"\n")
        yield block, before, count
        before += count
        if progress is not None:
            progress(done)
    if rest:
        yield rest, before, 1


def blocks_of(source: Input, progress: Callable[[int], None] | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield a file in blocks of whole lines, each with the number of lines before it and in it.

    Raises ``Unreadable``, and ``Malformed`` for a line that is too long.
    """
    try:
        with _opened(source.path, source.gzipped) as stream:
            yield from _blocks(source, stream, progress)
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise _cut_off(Place(source.name)) from fault
    except OSError as fault:
        raise _no_file(fault, Place(source.name)) from fault


def parse_block(source: Input, block: bytes, lines: int) -> Iterator[ox.Quad]:
    """Parse one block of a file written in lines; ``lines`` come before it. Raises ``Malformed`` with the place."""
    try:
        yield from _parse_block(source, block, lines)
    except SyntaxError as fault:
        raise _syntax(source, fault) from fault


def _parse_block(source: Input, block: bytes, lines: int) -> Iterator[ox.Quad]:
    try:
        yield from ox.parse(block, format=source.format)
    except SyntaxError as fault:
        if fault.lineno is not None:
            fault.lineno += lines
        raise


class _Watched(io.RawIOBase):
    """Hand bytes on, tell how many, and stop at a line that no one wrote by hand, or where statements stop coming.

    XML is read along by a second parser, because the first takes the end of the file for the end of the document.
    """

    def __init__(self, stream: IO[bytes], source: Input, progress: Callable[[int], None] | None) -> None:
        self._stream = stream
        self._source = source
        self._progress = progress
        self._done = 0
        self._told = 0
        self._lines = 0
        self._line = 0
        self._silence = 0
        self._watch = source.format in _SHORT_LINES
        # RDF/XML is taken as UTF-8 whatever it declares, by both
        self._xml = expat.ParserCreate("utf-8") if source.format == ox.RdfFormat.RDF_XML else None

    def statements(self, base: str) -> Iterator[ox.Quad]:
        """Yield the statements of what is handed on."""
        quads = ox.parse(cast(IO[bytes], self), format=self._source.format, base_iri=base)
        if self._watch:
            yield from quads
        else:
            for quad in quads:
                self._silence = 0
                yield quad

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        if not self._done and data.startswith(b"\xef\xbb\xbf"):
            data = data[3:] or self._stream.read(size)
        self._done += len(data)
        if self._xml is not None:
            self._xml.Parse(data, not data)
        if self._watch:
            last = data.rfind(b"\n")
            if last < 0:
                self._line += len(data)
                if self._line > MAX_LINE:
                    raise _long_line(self._source, self._lines + 1)
            else:
                self._lines += data.count(b"\n")
                self._line = len(data) - last - 1
        else:
            self._silence += len(data)
            if self._silence > MAX_SILENCE:
                raise _no_statement(self._source)
        if self._progress is not None and self._done - self._told >= _CHUNK:
            self._told = self._done
            self._progress(self._done)
        return data


class _LineByLine(io.RawIOBase):
    """Hand a file over one line at a time, so that the number of the line being parsed is known.

    The parser begins a token anew with every piece, so a text of very many lines is handed over in pieces that double.
    """

    _AT_EASE = 100

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._rest = b""
        self._pieces = 0
        self.number = 0

    def readable(self) -> bool:
        return True

    @property
    def hurried(self) -> bool:
        """Tell that the last statement took so many lines that its last line is not known."""
        return self._pieces > self._AT_EASE

    def settle(self) -> None:
        """Note that a statement came to its end."""
        self._pieces = 0

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            self._pieces += 1
            for _ in range(1 << max(self._pieces - self._AT_EASE, 0)):
                line = self._stream.readline(_CHUNK)
                if not line:
                    break
                self.number += 1
                self._rest += line
                if len(self._rest) >= _CHUNK:
                    break
            if self.number == 1:
                self._rest = self._rest.removeprefix(b"\xef\xbb\xbf")
        size = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def _opened(path: Path, gzipped: bool) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if gzipped else path.open("rb")


def _find(target: str | Path, mapping: Path | None, folder: Path) -> list[Input]:
    text = str(target)
    if target == "":
        raise Unreadable("A name of what to load is empty", remedy='Name it; "." is the directory you are in.')
    scheme = _SCHEME.match(text) if isinstance(target, str) else None
    if scheme is not None and scheme[1].lower() != "file":
        return [_fetch(text, mapping, folder)]
    try:
        path = Path(unquote(urlsplit(text).path)) if scheme is not None else Path(target)
    except ValueError as fault:
        raise _no_address(fault, Place(text)) from fault
    if not path.is_dir():
        return [input_of(path, mapping, name=text)]
    found = [input_of(below, mapping) for below in _files_below(path) if _is_wanted(below, mapping)]
    if not found:
        raise Unreadable(
            "There is no RDF file in this directory", remedy=f"Name one that holds {_FORMATS_TOLD}.",
            place=Place(text),
        )  # fmt: skip
    return found


def _files_below(path: Path) -> list[Path]:
    """List the files below a directory in the order of their paths, save hidden ones and those in hidden folders."""

    def refuse(fault: OSError) -> None:  # a folder left out would withdraw what its files said
        raise _no_file(fault, Place(str(fault.filename)))

    found = []
    for folder, below, names in os.walk(path, onerror=refuse):
        below[:] = [name for name in below if not name.startswith(".")]
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    return sorted(found)


def _is_wanted(path: Path, mapping: Path | None) -> bool:
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    return suffix in _EXTENSIONS or (mapping is not None and is_table(path))


def _fetch(text: str, mapping: Path | None, folder: Path) -> Input:
    address = _NO_IRI.sub(lambda found: quote(found[0]), text)
    place = Place(text)
    try:
        request = urllib.request.Request(_as_ascii(address), headers={"Accept": _ACCEPT, "User-Agent": "diaba"})
        name = Path(unquote(urlsplit(address).path)).name.lower()
    except ValueError as fault:
        raise _no_address(fault, place) from fault
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            plain = name.removesuffix(".gz")
            suffix = "".join(Path(name).suffixes[-2:])
            if Path(plain).suffix not in _EXTENSIONS and not is_table(Path(plain)):
                suffix = _SUFFIX.get(answer.headers.get_content_type(), Path(plain).suffix)
            path = folder / f"{len(list(folder.iterdir()))}{suffix}"
            with path.open("wb") as file:
                _copy(answer, file, place)
            if answer.length:  # what the server promised and did not send; reading in pieces does not tell
                raise Unreadable("The answer broke off", remedy="Load it again.", place=place)
    except urllib.error.HTTPError as fault:
        raise Unreadable(
            f"The address answered {fault.code} {fault.reason}", remedy="Check the address.", place=place
        ) from fault
    except (OSError, http.client.HTTPException, ValueError) as fault:  # ValueError: sent on to what is no address
        reason = getattr(fault, "reason", None) or str(fault) or type(fault).__name__
        raise Unreadable(
            f"The address cannot be reached: {reason}", remedy="Check the address and the connection.", place=place
        ) from fault
    return input_of(path, mapping, address=address, name=text)


def _as_ascii(address: str) -> str:
    """Return the URI of an IRI (RFC 3987 §3.1): the host in Punycode, the rest percent-encoded UTF-8."""
    parts = urlsplit(address)
    if not parts.hostname:
        raise ValueError("it names no host")
    before, at, _ = parts.netloc.rpartition("@")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.encode("idna").decode()
    port = f":{parts.port}" if parts.port is not None else ""
    safe = "".join(map(chr, range(0x21, 0x7F)))
    path, query = quote(parts.path, safe=safe), quote(parts.query, safe=safe)
    return urlunsplit((parts.scheme, quote(before, safe=safe) + at + host + port, path, query, ""))


def _copy(answer: IO[bytes], file: IO[bytes], place: Place) -> None:
    size = 0
    while piece := answer.read(_CHUNK):
        size += len(piece)
        if size > MAX_DOWNLOAD:
            raise Unreadable(
                f"The answer is larger than {MAX_DOWNLOAD >> 20} MiB", remedy="Fetch it and load the file.",
                place=place,
            )  # fmt: skip
        file.write(piece)


def _format_of(head: bytes, suffix: str, place: Place) -> ox.RdfFormat:
    if not head.strip():
        raise Unreadable("The file is empty", remedy="Load a file that states something.", place=place)
    kind = _foreign(head)
    if kind:
        raise Unreadable(f"This is {kind}, not RDF", remedy=f"Load {_FORMATS_TOLD}.", place=place)
    if suffix not in _UNSURE and suffix in _EXTENSIONS:
        return _EXTENSIONS[suffix]
    guess = _sniff(head)
    if guess is None:
        told = ", ".join(sorted(_EXTENSIONS))
        raise Unreadable(
            f"Nothing shows that this is RDF{f' (the extension {suffix} is not known)' if suffix else ''}",
            remedy=f"Load {_FORMATS_TOLD} with one of the extensions {told}.",
            place=place,
        )
    return guess


def _foreign(head: bytes) -> str:
    """Name what the first bytes are when they are clearly no RDF, else nothing."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text in UTF-16 (save it as UTF-8)"
    if b"\x00" in head:
        return "a binary file"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:600].lower()
    if start.startswith((b"<!doctype html", b"<html")) or (start.startswith(b"<?xml") and b"<html" in start):
        return "a web page"
    return ""


def _sniff(head: bytes) -> ox.RdfFormat | None:
    text = head.removeprefix(b"\xef\xbb\xbf")
    for line in islice(text.splitlines(), 200):
        line = line.strip()
        if not line or line.startswith(b"#"):
            continue
        low = line.lower()
        if low.startswith((b"<?xml", b"<rdf:rdf", b"<!--", b"<!doctype rdf")):
            return ox.RdfFormat.RDF_XML if b"rdf" in text.lower() else None
        if line.startswith((b"{", b"[")) and b'"@' in text:
            return ox.RdfFormat.JSON_LD
        if low.startswith((b"@prefix", b"@base", b"prefix ", b"base ")):
            return ox.RdfFormat.TRIG
        if _STATEMENT_LINE.match(line):
            return ox.RdfFormat.N_QUADS if line.endswith(b".") else ox.RdfFormat.TRIG
        return None
    return None


def _syntax(source: Input, fault: SyntaxError) -> Malformed:
    """Turn the parser's complaint into one with the file's name, an excerpt and something to do."""
    message = _PARSER_PLACE.sub("", fault.msg or "the syntax is broken")
    if "LoadDocumentCallback" in message:
        return Malformed(
            "The file needs a JSON-LD context from another address, which is not fetched",
            remedy="Write the context into the file, or convert it to Turtle or N-Triples first.",
            place=Place(source.name),
        )
    place = Place(source.name, fault.lineno, fault.offset)
    if len(message) > 200:
        message = message[:200] + "…"
    if fault.lineno is not None:
        near = excerpt_of(source, fault.lineno, fault.offset)
        if near.strip() and near not in message:
            message = f"{message.rstrip('. ')}, near: {near.strip()}"
    return Malformed(f"The syntax is broken: {message}", remedy="Mend the file here and load it again.", place=place)


def _broken_xml(source: Input, fault: expat.ExpatError) -> Malformed:
    cut = fault.code in _UNFINISHED
    return Malformed(
        "The file is cut off: its XML does not come to an end" if cut
        else f"The syntax is broken: {expat.ErrorString(fault.code)}",
        remedy="Fetch it again, then load it." if cut else "Mend the file here and load it again.",
        place=Place(source.name, fault.lineno, fault.offset + 1),
    )  # fmt: skip


def _long_line(source: Input, line: int) -> Malformed:
    return Malformed(
        f"The line is longer than {MAX_LINE >> 20} MiB (it begins: {excerpt_of(source, line)})",
        remedy="Break it into lines, and keep long texts elsewhere.",
        place=Place(source.name, line),
    )


def _no_statement(source: Input) -> Malformed:
    remedy = (
        "Write the document as a list of things, [{…}, {…}], or convert it to N-Triples."
        if source.format == ox.RdfFormat.JSON_LD else "Keep long texts elsewhere and state where they are."
    )  # fmt: skip
    return Malformed(f"More than {MAX_SILENCE >> 20} MiB make no statement", remedy=remedy, place=Place(source.name))


def _no_address(fault: ValueError, place: Place) -> Unreadable:
    return Unreadable(f"This is no address: {fault}", remedy="Check how it is written.", place=place)


def _no_file(fault: OSError, place: Place) -> Unreadable:
    return Unreadable(
        f"The file cannot be read: {fault.strerror or fault}", remedy="Check the path and your rights.", place=place
    )


def _cut_off(place: Place) -> Unreadable:
    return Unreadable(
        "The gzipped file is broken, cut off, or followed by something else",
        remedy="Fetch or pack it again, then load it.",
        place=place,
    )
