"""Write findings as files for other programs: CSV, XLSX, SARIF, and a page that stands alone.

What comes from data must not act in the program that opens it: a cell that would begin a formula is written as text.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from graph.rules import Rule, Rules
from service.reporting import Named, Row, law_of, severity_of, title_of
from service.wording import Wording

#: what a spreadsheet would take for the beginning of a formula (OWASP, CSV injection)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LONGEST_CELL = 32_000
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_HOME = "https://w3id.org/diaba"

#: key of the heading → what of a row stands in the column
COLUMNS = {
    "severity": lambda row, say: say(f"severity.{row.severity}"),
    "rule": lambda row, say: row.name,
    "fault": lambda row, say: row.rule.label,
    "about": lambda row, say: row.about.label if row.about else "",
    "message": lambda row, say: row.message,
    "value": lambda row, say: row.value.label if row.value else "",
    "law": lambda row, say: row.law,
    "bodies": lambda row, say: _joined(row.bodies),
    "level": lambda row, say: _joined(row.levels),
    "area": lambda row, say: _joined(row.areas),
    "field": lambda row, say: _joined(row.fields),
    "since": lambda row, say: row.since,
    "until": lambda row, say: row.until,
    "first_seen": lambda row, say: row.first_seen,
    "file": lambda row, say: row.file,
    "line": lambda row, say: row.line,
    "iri": lambda row, say: row.about.iri if row.about else "",
    "value_iri": lambda row, say: row.value.iri if row.value else "",
}
_OF_FILES = ("file", "line")
_OF_REGISTER = ("since", "until", "first_seen")
_WIDTHS = {"message": 70, "about": 40, "fault": 32, "law": 32, "bodies": 32, "iri": 40, "value_iri": 40, "value": 32}


def _joined(named: Sequence[Named]) -> str:
    return "; ".join(one.label for one in named)


def columns_for(rows: Sequence[Row], *, files: bool) -> list[str]:
    """Return the columns that rows of this sort have."""
    left_out = _OF_REGISTER if files else _OF_FILES
    return [name for name in COLUMNS if name not in left_out]


# --- tables ---------------------------------------------------------------------------------------------------------


def table_of(rows: Sequence[Row], say: Wording, *, files: bool) -> tuple[list[str], list[list[Any]]]:
    """Return headings and cells."""
    names = columns_for(rows, files=files)
    return [say(f"column.{name}") for name in names], [[COLUMNS[name](row, say) for name in names] for row in rows]


def write_csv(headings: Sequence[str], cells: Iterable[Sequence[Any]]) -> str:
    """Write a table as CSV (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(headings)
    for row in cells:
        writer.writerow([_harmless(cell) for cell in row])
    return out.getvalue()


def _harmless(cell: Any) -> Any:
    """Keep a spreadsheet from taking words for a formula."""
    return "'" + cell if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def write_xlsx(sheets: Mapping[str, tuple[Sequence[str], Iterable[Sequence[Any]]]]) -> bytes:
    """Write tables as a workbook: a sheet each, with a heading that stays, filters, and widths that suit."""
    book = Workbook(write_only=True)
    for title, (headings, cells) in sheets.items():
        rows = [list(row) for row in cells]
        sheet = book.create_sheet(_sheet_name(title))
        sheet.freeze_panes = "A2"
        for number, heading in enumerate(headings, 1):
            longest = max([len(heading), *(len(str(row[number - 1] or "")) for row in rows[:200])])
            sheet.column_dimensions[get_column_letter(number)].width = min(max(longest + 2, 10), 60)
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(headings))}{len(rows) + 1}"
        sheet.append([_heading(sheet, heading) for heading in headings])
        for row in rows:
            sheet.append([_cell(sheet, value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _heading(sheet: Any, words: str) -> Any:
    cell = WriteOnlyCell(sheet, words)
    cell.font = Font(bold=True, color="FFFFFF")
    cell.fill = PatternFill("solid", fgColor="1F4E45")
    return cell


def _cell(sheet: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, _CONTROL.sub(" ", value)[:_LONGEST_CELL])
    cell.data_type = "s"  # never a formula
    cell.alignment = Alignment(vertical="top", wrap_text=len(value) > 40)
    return cell


def _sheet_name(title: str) -> str:
    return re.sub(r"[\[\]:*?/\\]", " ", title)[:31]


def rules_table(rules: Iterable[Rule], counts: Mapping[str, int], say: Wording) -> tuple[list[str], list[list[Any]]]:
    """Return headings and cells of a table of rules."""
    headings = [say(f"column.{name}") for name in ("rule", "fault", "severity", "law", "from", "last", "count")]
    cells = [
        [
            rule.name, title_of(rule, say), say(f"severity.{severity_of(rule.severity)}"), law_of(rule, say),
            rule.applies.start.isoformat() if rule.applies.start else "",
            say.last_day(rule.applies.end) if rule.applies.end else "",
            counts.get(rule.iri, 0),
        ]
        for rule in rules
    ]  # fmt: skip
    return headings, cells


# --- SARIF ----------------------------------------------------------------------------------------------------------


def write_sarif(rows: Sequence[Row], rules: Rules, say: Wording) -> dict[str, Any]:
    """Return findings as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), as code hosts read it.

    A finding whose file or line is not known has none: it is placed by the IRI of what it is about.
    """
    names = sorted({row.rule.iri for row in rows})
    numbers = {iri: number for number, iri in enumerate(names)}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Diaba",
                        "version": version("diaba"),
                        "informationUri": _HOME,
                        "rules": [_sarif_rule(iri, rules.by_iri.get(iri), rows, say) for iri in names],
                    }
                },
                "language": say.language,
                "columnKind": "unicodeCodePoints",
                "results": [_sarif_result(row, numbers) for row in rows],
            }
        ],
    }


def _sarif_rule(iri: str, rule: Rule | None, rows: Sequence[Row], say: Wording) -> dict[str, Any]:
    row = next(row for row in rows if row.rule.iri == iri)
    described: dict[str, Any] = {
        "id": row.name,
        "name": "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", row.name)),
        "shortDescription": {"text": row.rule.label},
        "defaultConfiguration": {"level": _LEVELS[severity_of(rule.severity) if rule else row.severity]},
        "properties": {"tags": ["responsibility"]},
    }
    if iri.startswith(("http://", "https://")):
        described["helpUri"] = iri
    if rule:
        why = rule.comment.get(say.language) or rule.comment.get("en") or ""
        text = " ".join(part for part in (why, row.law) if part)
        if text:
            described["fullDescription"] = {"text": text}
            described["help"] = {"text": text}
    return described


def _sarif_result(row: Row, numbers: Mapping[str, int]) -> dict[str, Any]:
    about = (row.about.iri or row.about.label) if row.about else ""
    location: dict[str, Any] = {}
    if row.file:
        location["physicalLocation"] = {"artifactLocation": {"uri": _address(row.file)}}
        if row.line:
            location["physicalLocation"]["region"] = {"startLine": row.line}
    if about:
        location["logicalLocations"] = [{"fullyQualifiedName": about, "kind": "resource"}]
    key = "\n".join((row.rule.iri, about, row.path, (row.value.iri or row.value.label) if row.value else ""))
    told = {
        "ruleId": row.name,
        "ruleIndex": numbers[row.rule.iri],
        "level": _LEVELS[row.severity],
        "message": {"text": told_of(row)},
        "partialFingerprints": {"diaba/v1": hashlib.sha256(key.encode()).hexdigest()},
    }
    return {**told, "locations": [location]} if location else told


def _address(file: str) -> str:
    """Return a file as a relative address, as code hosts want it; an absolute one as it is."""
    if re.match(r"[a-z][a-z0-9+.-]+:", file, re.I):
        return file
    path = Path(file)
    if path.is_absolute():
        try:
            path = path.relative_to(Path.cwd())
        except ValueError:
            return path.as_uri()
    return quote(path.as_posix())


def told_of(row: Row) -> str:
    """Return what is wrong and with what, in one sentence after the other on one line."""
    about = row.about.label if row.about else ""
    return " ".join((f"{about}: {row.message}" if about else row.message or row.rule.label).split())


def line_of(row: Row, say: Wording) -> str:
    """Return a finding as one line: ``file:line: severity rule: message``, without a place where none is known."""
    place = f"{row.file}:{row.line}: " if row.line else f"{row.file}: " if row.file else ""
    return f"{place}{say(f'severity.{row.severity}')} {row.name}: {told_of(row)}"


# --- a page that stands alone ---------------------------------------------------------------------------------------


def write_html(rows: Sequence[Row], say: Wording, title: str, notes: Sequence[str]) -> str:
    """Write findings as one page with its style in it, to send or to keep."""
    here = Path(__file__).parent
    environment = Environment(
        loader=FileSystemLoader(here / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html").render(
        t=say, rows=rows, title=title, notes=notes, style=(here / "static" / "report.css").read_text("utf-8")
    )
