"""Read a plan from YAML, JSON or a spreadsheet and hold it to the published schema, with the place of every word.

The schema is ``ontology/plan.schema.json``; ``service/docs/plans.md`` is the manual.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from graph.errors import Malformed, Place, Unreadable
from graph.plans.sheets import read_sheets
from graph.resources import folder

MOST: Final = 1_000_000
"""Most words, lists and mappings in one plan; more is no plan but an attack on whoever reads it."""

LARGEST: Final = 50 * 1024 * 1024
"""Bytes of the largest plan file that is read."""

SPREADSHEETS: Final = (".xlsx", ".xlsm")

Path_ = tuple[str | int, ...]
"""How to come to a word of a plan: keys and positions from the top."""


class _Texts(RoundTripConstructor):
    """Leave days as they are written: the schema says what a day is, with its place."""


_Texts.add_constructor("tag:yaml.org,2002:timestamp", lambda constructor, node: constructor.construct_scalar(node))


@dataclass(frozen=True, slots=True)
class Document:
    """Hold a plan as written: plain mappings, lists and texts that fit the schema, and where each stands."""

    name: str
    data: Mapping[str, Any]
    _places: Callable[[Path_], Place]

    def place(self, *path: str | int) -> Place:
        """Return where a word stands; of one that is not there, where what should hold it stands."""
        return self._places(path)


def read_plan(path: Path, name: str | None = None) -> Document:
    """Read a plan file, told from its ending: ``.xlsx``, ``.json``, else YAML.

    Raises ``Unreadable`` for a file that is none of these, ``Malformed`` with the line for what the schema refuses.
    """
    name = name or str(path)
    try:
        if path.stat().st_size > LARGEST:
            raise Unreadable(f"The plan is larger than {LARGEST >> 20} MiB", remedy="Part it.", place=Place(name))
        content = path.read_bytes()
    except OSError as fault:
        raise Unreadable(
            f"The plan cannot be read: {fault.strerror or fault}", remedy="Check the path and your rights.",
            place=Place(name),
        ) from fault  # fmt: skip
    if path.suffix.lower() in SPREADSHEETS:
        try:
            data, places = read_sheets(content, name)
        except (zipfile.BadZipFile, KeyError, ValueError) as fault:
            raise Unreadable(
                f"This is no spreadsheet: {fault}", remedy="Save it as .xlsx, from the template.", place=Place(name)
            ) from fault
        return _checked(Document(name, data, lambda at: _nearest(places, at, name)))
    if path.suffix.lower() == ".json":
        return _read_json(content, name)
    return read_text(content, name)


def _read_json(content: bytes, name: str) -> Document:
    """Read a plan that a program wrote: quickly, with JSON Pointers (RFC 6901) instead of lines."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as fault:
        line, column = getattr(fault, "lineno", None), getattr(fault, "colno", None)
        raise Malformed(f"This is no JSON: {fault}", remedy="Correct it.", place=Place(name, line, column)) from fault
    if not isinstance(data, dict):
        raise Malformed("A plan is an object", remedy="Begin with {“plan”: “short-name”.", place=Place(name))
    return _checked(Document(name, data, lambda at: Place(f"{name}#" + "".join(f"/{step}" for step in at))))


def read_text(content: bytes, name: str) -> Document:
    """Read a plan in YAML or JSON; see ``read_plan``."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content[: fault.start].count(b"\n") + 1
        raise Unreadable("This is no UTF-8", remedy="Save the plan as UTF-8.", place=Place(name, line)) from fault
    try:
        yaml = YAML(typ="rt", pure=True)
        yaml.Constructor = _Texts
        tree = yaml.load(text)
    except MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
        raise Malformed(
            f"This is no YAML: {fault.problem or fault.context}", remedy="Correct it there, or before.", place=place
        ) from fault
    except (YAMLError, ValueError, RecursionError) as fault:
        raise Malformed(f"This is no YAML: {fault}", remedy="Correct it.", place=Place(name)) from fault
    if not isinstance(tree, CommentedMap):
        raise Malformed(
            "A plan is a list of words with their values", remedy="Begin with “plan: short-name”.", place=Place(name, 1)
        )
    data = _plain(tree, name)
    return _checked(Document(name, data, lambda at: _place_in(tree, at, name)))


def _plain(tree: Any, name: str) -> Any:
    """Return a tree of YAML as plain values; days become texts again. Aliases that unfold without end are refused."""
    left = MOST

    def plain(node: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise Malformed(f"The plan has more than {MOST} words", remedy="Part it.", place=Place(name))
        if isinstance(node, CommentedMap):
            return {str(key): plain(value) for key, value in node.items()}
        if isinstance(node, CommentedSeq):
            return [plain(value) for value in node]
        if node is None or isinstance(node, bool):
            return node
        return str(node) if isinstance(node, str) else node

    try:
        return plain(tree)
    except RecursionError as fault:
        raise Malformed("The plan is nested too deeply", remedy="Write it flat.", place=Place(name)) from fault


def _place_in(tree: CommentedMap, path: Path_, name: str) -> Place:
    line, column = tree.lc.line, tree.lc.col
    node: Any = tree
    for step in path:
        try:
            line, column = node.lc.key(step) if isinstance(node, CommentedMap) else node.lc.item(step)
            node = node[step]
        except (KeyError, IndexError, AttributeError, TypeError):
            break
    return Place(name, line + 1, column + 1)


def _nearest(places: Mapping[Path_, Place], path: Path_, name: str) -> Place:
    for length in range(len(path), -1, -1):
        if path[:length] in places:
            return places[path[:length]]
    return Place(name)


@cache
def schema() -> dict[str, Any]:
    """Return the published schema of plans."""
    found: dict[str, Any] = json.loads((folder("ontology") / "plan.schema.json").read_text(encoding="utf-8"))
    return found


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema(), format_checker=FormatChecker(["date"]))


def _checked(document: Document) -> Document:
    """Return the document; raise ``Malformed`` for the first thing in it that the schema refuses."""
    faults = sorted(_faults(document.data), key=lambda fault: (list(map(str, fault[0])), fault[1]))
    if faults:
        places = [(document.place(*path), message) for path, message in faults]
        # a word that does not exist explains the one that is missing beside it
        place, message = min(places, key=lambda one: (one[0].line or 0, " lacks " in one[1], one[0].column or 0))
        more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
        raise Malformed(f"{message}{more}", remedy="Write it as service/docs/plans.md says.", place=place)
    for number, change in enumerate(document.data.get("changes", ())):
        _one_kind(document, ("changes", number), change)
    for number, duty in enumerate(document.data.get("responsibilities", ())):
        _one_kind(document, ("responsibilities", number), duty)
    return document


def _one_kind(document: Document, path: Path_, entry: Mapping[str, Any]) -> None:
    kinds = [key for key in entry if key not in ("effective", "basis")]
    if len(kinds) != 1:
        told = " and ".join(kinds) or "nothing"
        raise Malformed(
            f"One entry says one thing, and this says {told}", remedy="Begin a new entry with “- ” for each.",
            place=document.place(*path, *kinds[1:2]),
        )  # fmt: skip


def _faults(data: Mapping[str, Any]) -> Iterator[tuple[Path_, str]]:
    for error in _validator().iter_errors(data):
        yield from _told(error)


def _told(error: ValidationError) -> Iterator[tuple[Path_, str]]:
    """Say what is wrong in words about the plan instead of about the schema."""
    path: Path_ = tuple(error.absolute_path)
    name = _named(path)
    match error.validator:
        case "additionalProperties":
            known = set(error.schema.get("properties", ()))
            for key in sorted(set(error.instance) - known):
                yield (*path, key), f"{name} has no “{key}”; it has {', '.join(sorted(known))}"
        case "required":
            missing = [key for key in error.validator_value if key not in error.instance]
            yield path, f"{name} lacks “{'”, “'.join(missing)}”"
        case "anyOf" | "oneOf":
            needed = [set(one.get("required", ())) for one in error.validator_value]
            words = sorted({word for one in needed for word in one})
            if not words:
                yield path, f"{name} is {_short(error.instance)}, which is no text"
            elif isinstance(error.instance, dict) and sum(one <= set(error.instance) for one in needed) > 1:
                yield path, f"{name} has more than one of “{'”, “'.join(words)}”"
            else:
                yield path, f"{name} needs one of “{'”, “'.join(words)}”"
        case "not":
            yield path, f"{name} says both who takes over and that nobody does"
        case "type":
            kinds = {"object": "words with values", "array": "a list", "string": "a text"}
            kind = kinds.get(str(error.validator_value), str(error.validator_value))
            yield path, f"{name} is {_short(error.instance)}, and must be {kind}"
        case "pattern" | "format" if error.validator_value == "date" or "[0-9]{4}" in str(error.validator_value):
            yield path, f"{name} is {_short(error.instance)}, which is no day (YYYY-MM-DD)"
        case "pattern" | "propertyNames":
            yield path, f"{name} is {_short(error.instance)}: use lower-case letters, digits and hyphens"
        case "minItems":
            yield path, f"{name} has fewer than {error.validator_value} entries"
        case "enum":
            yield path, f"{name} is {_short(error.instance)}, and must be one of {', '.join(error.validator_value)}"
        case _:
            yield path, f"{name}: {error.message}"


def _named(path: Sequence[str | int]) -> str:
    words = [str(step) for step in path if isinstance(step, str)]
    return f"“{words[-1]}”" if words else "The plan"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:60] + "…"
