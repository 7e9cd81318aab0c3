"""Read a plan from a spreadsheet and write the template that people fill in.

A sheet per part of the plan: ``plan`` (word and value), ``basis``, ``bodies``, ``areas``, ``changes``,
``responsibilities``, ``decisions``. Several names in one cell are parted by ``;``. Rows of ``changes`` with the same
number are one change, such as a split with a row for each heir.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from graph.errors import Malformed, Place

_Path = tuple[str | int, ...]

#: sheet → its columns, in the order of the template
SHEETS: Final[dict[str, tuple[str, ...]]] = {
    "plan": ("word", "value"),
    "basis": ("iri", "number", "title", "type", "issuer", "issued", "gazetted", "in-force"),
    "bodies": ("key", "name", "name (en)", "kind", "under", "jurisdiction", "scheme", "code", "iri"),
    "areas": ("key", "name", "name (en)", "level", "under", "scheme", "code", "iri"),
    "changes": (
        "no", "change", "of", "to", "fields", "areas", "under", "name", "name (en)", "scheme", "code", "effective",
    ),
    "responsibilities": (
        "duty", "role", "from", "to", "kind", "lead", "data", "members-of", "fields", "areas", "until", "condition",
        "effective",
    ),
    "decisions": ("data", "role", "to", "effective"),
}  # fmt: skip

_WORDS: Final = ("plan", "title", "title (en)", "effective", "confidence", "source")
_LISTS: Final = frozenset({"fields", "areas", "jurisdiction", "data", "members-of"})
_EXAMPLE: Final = {
    "plan": (
        ("plan", "merge-two-departments"), ("title", "Hợp nhất hai sở"), ("title (en)", "Merge two departments"),
        ("effective", "2027-01-01"), ("confidence", "V2"), ("source", ""),
    ),
    "basis": (("", "12/2026/NQ-HĐND", "Nghị quyết về tổ chức các sở", "", "", "2026-12-10", "", ""),),
}  # fmt: skip


def template() -> bytes:
    """Return an empty plan as ``.xlsx``: a sheet per part, a heading per column, the plan's own words to overwrite."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, columns in SHEETS.items():
        sheet = book.create_sheet(name)
        sheet.append(list(columns))
        for row in _EXAMPLE.get(name, ()):
            sheet.append(list(row))
        for column in range(1, len(columns) + 1):
            cell = sheet.cell(1, column)
            cell.font, cell.fill = Font(bold=True), PatternFill("solid", start_color="DDE7EE")
            sheet.column_dimensions[get_column_letter(column)].width = 26
            for line in range(2, 200):
                sheet.cell(line, column).number_format = "@"  # days and codes stay as they are typed
                sheet.cell(line, column).alignment = Alignment(wrap_text=True, vertical="top")
        sheet.freeze_panes = "A2"
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def read_sheets(content: bytes, name: str) -> tuple[dict[str, Any], dict[_Path, Place]]:
    """Return the plan of a spreadsheet in the words of the schema, and where each word stands (``file[sheet]``)."""
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    places: dict[_Path, Place] = {}
    data: dict[str, Any] = {}
    for row, at in _rows(book, "plan", name):
        word = row.get("word", "")
        if word not in _WORDS:
            raise Malformed(
                f"There is no word “{word}” for a plan", remedy=f"Use {', '.join(_WORDS)}.", place=at
            )
        if "value" in row:
            data[word], places[(word,)] = row["value"], at
    data = _worded(data, "title")
    _read_basis(book, name, data, places)
    new = {part: dict(_things(book, part, name, places)) for part in ("bodies", "areas")}
    if any(new.values()):
        data["new"] = {part: things for part, things in new.items() if things}
    _read_changes(book, name, data, places)
    for row, at in _rows(book, "responsibilities", name):
        duty = {key: value for key, value in row.items() if key not in ("duty", "effective")}
        _listed(duty, "to")
        if row.get("duty") == "end":
            duty = {"of": duty["from"]} if "from" in duty else {}
        _enter(data, places, "responsibilities", at, {row.get("duty", ""): duty, **_day(row)})
    for row, at in _rows(book, "decisions", name):
        _listed(row, "to")
        _enter(data, places, "decisions", at, row)
    return data, places


def _read_basis(book: Any, name: str, data: dict[str, Any], places: dict[_Path, Place]) -> None:
    for row, at in _rows(book, "basis", name):
        _enter(data, places, "basis", at, row)


def _things(book: Any, part: str, name: str, places: dict[_Path, Place]) -> Iterator[tuple[str, dict[str, Any]]]:
    for row, at in _rows(book, part, name):
        thing = _worded(row, "name")
        key = thing.pop("key", "")
        if "scheme" in thing or "code" in thing:
            code = {word: thing.pop(word) for word in ("scheme", "code") if word in thing}
            thing["codes"] = [code]
        places[("new", part, key)] = at
        yield key, thing


def _read_changes(book: Any, name: str, data: dict[str, Any], places: dict[_Path, Place]) -> None:
    changes: dict[str, list[tuple[dict[str, Any], Place]]] = {}
    for number, (row, at) in enumerate(_rows(book, "changes", name)):
        changes.setdefault(str(row.get("no", f"row {number}")), []).append((_worded(row, "name"), at))
    for rows in changes.values():
        first, at = rows[0]
        kinds = {row["change"] for row, _ in rows if "change" in row}
        if len(kinds) != 1:
            raise Malformed(
                f"The rows of one change say {' and '.join(sorted(kinds)) or 'no kind'}",
                remedy="Give rows with one number the same kind.", place=at,
            )  # fmt: skip
        kind = kinds.pop()
        _enter(data, places, "changes", at, {kind: _change(kind, [row for row, _ in rows]), **_day(first)})


def _change(kind: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one change in the words of the schema from its rows."""
    said = {key: value for row in rows for key, value in row.items() if key not in ("no", "change", "effective")}
    of = [name for row in rows for name in _parted(row.get("of", ""))]
    of = list(dict.fromkeys(of))
    shares = [{key: row[key] for key in ("to", "fields", "areas") if key in row} for row in rows if "to" in row]
    if kind in ("merger", "absorption"):
        return {"of": of, "into": said.get("to", "")}
    if kind in ("split", "split-off"):
        return {"of": of[0] if of else "", "into": shares}
    if kind == "abolition":
        nobody = [share for share in shares if share["to"] in ("nobody", "không ai")]
        rest = {"nobody": True} if nobody else {"to": shares} if shares else {}
        return {"of": of[0] if of else "", **rest}
    if kind == "transfer":
        said["from"] = of[0] if of else ""
        said.pop("of", None)
    if kind == "new-level":
        said["into"] = said.pop("to", "")
    return said


def _rows(book: Any, sheet: str, name: str) -> Iterator[tuple[dict[str, Any], Place]]:
    """Yield the rows of a sheet that hold anything: column → text, lists where a column holds several."""
    if sheet not in book.sheetnames:
        if sheet == "plan":
            raise Malformed("There is no sheet “plan”", remedy="Begin with the template.", place=Place(name))
        return
    rows = book[sheet].iter_rows(values_only=True)
    columns = [_text(cell) for cell in next(rows, ())]
    place = f"{name}[{sheet}]"
    unknown = sorted({column for column in columns if column and column not in SHEETS[sheet]})
    if unknown:
        raise Malformed(
            f"There is no column “{unknown[0]}” in the sheet {sheet}",
            remedy=f"Use {', '.join(SHEETS[sheet])}.", place=Place(place, 1, columns.index(unknown[0]) + 1),
        )  # fmt: skip
    for number, cells in enumerate(rows, 2):
        row: dict[str, Any] = {}
        for column, cell in zip(columns, cells, strict=False):
            text = _text(cell)
            if column and text:
                row[column] = _parted(text) if column in _LISTS else text
        if row:
            yield row, Place(place, number)


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime | date):
        return cell.isoformat()[:10]
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _parted(text: str) -> list[str]:
    return [part for part in (piece.strip() for piece in text.split(";")) if part]


def _worded(row: Mapping[str, Any], word: str) -> dict[str, Any]:
    """Join a text and its English into words by language."""
    rest = {key: value for key, value in row.items() if key not in (word, f"{word} (en)")}
    texts = {tag: row[key] for tag, key in (("vi", word), ("en", f"{word} (en)")) if key in row}
    return {**rest, word: texts} if texts else rest


def _listed(row: dict[str, Any], column: str) -> None:
    if column in row:
        row[column] = _parted(row[column])


def _day(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"effective": row["effective"]} if "effective" in row else {}


def _enter(data: dict[str, Any], places: dict[_Path, Place], part: str, at: Place, entry: dict[str, Any]) -> None:
    entries = data.setdefault(part, [])
    places[(part, len(entries))] = at
    entries.append(entry)
