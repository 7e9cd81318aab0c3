"""Read a country pack: a folder of files and tables that a manifest ``pack.toml`` lists.

The manifest is the only place that knows what the pack holds; a second country is another folder. The comment at the
top of ``ontology/vn/pack.toml`` documents every key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyoxigraph as ox

from graph.errors import Malformed, Place, Unreadable
from graph.files import input_of, parse
from graph.terms import Confidence

MANIFEST: Final = "pack.toml"

_PACK_KEYS: Final = frozenset({"name", "version", "title", "timezone", "languages", "part"})
_PART_KEYS: Final = frozenset({"file", "mapping", "source", "title", "confidence", "licence"})
_CONFIDENCES: Final = frozenset({"V1", "V2", "V3", "V3-mock", "R"})


@dataclass(frozen=True, slots=True)
class Part:
    """Describe one source of the pack: a file, what maps it (``None``: it is RDF in our words), and its standing.

    ``title`` maps a language to a text; ``confidence`` is the full IRI; ``licence`` is an IRI or empty.
    """

    file: Path
    mapping: Path | None
    source: str
    title: dict[str, str]
    confidence: str
    licence: str


@dataclass(frozen=True, slots=True)
class Pack:
    """Describe a pack: what it is called, whose day counts, which languages come first, and its parts in load order."""

    folder: Path
    name: str
    version: str
    title: dict[str, str]
    timezone: ZoneInfo
    languages: tuple[str, ...]
    parts: tuple[Part, ...]


def read_pack(folder: Path) -> Pack:
    """Read and check the manifest of the pack in ``folder``; raise ``Unreadable`` or ``Malformed`` saying which key."""
    path = folder / MANIFEST
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as fault:
        raise Unreadable(
            f"There is no pack here: {fault.strerror}", remedy=f"Name a folder with a {MANIFEST}.",
            place=Place(str(path)),
        ) from fault  # fmt: skip
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise Malformed(f"The manifest is no TOML: {fault}", remedy="Mend it.", place=Place(str(path))) from fault
    _check_keys(raw, _PACK_KEYS, "the pack", path)
    parts = tuple(_part(folder, entry, path) for entry in raw["part"])
    sources = [part.source for part in parts]
    twice = sorted({source for source in sources if sources.count(source) > 1})
    if twice:
        raise Malformed(
            "Two parts have the same source: " + ", ".join(twice), remedy="Give every part its own.",
            place=Place(str(path)),
        )  # fmt: skip
    try:
        timezone = ZoneInfo(raw["timezone"])
    except (ZoneInfoNotFoundError, ValueError) as fault:
        raise Malformed(
            f'There is no time zone "{raw["timezone"]}"', remedy='Use a name such as "Asia/Ho_Chi_Minh".',
            place=Place(str(path)),
        ) from fault  # fmt: skip
    return Pack(folder, raw["name"], raw["version"], raw["title"], timezone, tuple(raw["languages"]), parts)


def quads_of(part: Part) -> Iterator[ox.Quad]:
    """Yield the statements of a part, mapped if it says so; only TriG and N-Quads have graphs of their own.

    Raises ``Malformed`` or ``Unreadable`` with the place.
    """
    return parse(input_of(part.file, part.mapping), part.source)


def _part(folder: Path, entry: dict[str, Any], manifest: Path) -> Part:
    _check_keys(entry, _PART_KEYS, f'the part "{entry.get("file", "?")}"', manifest, frozenset({"mapping", "licence"}))
    if entry["confidence"] not in _CONFIDENCES:
        raise Malformed(
            f'The part "{entry["file"]}" has the unknown confidence "{entry["confidence"]}"',
            remedy="Use one of " + ", ".join(sorted(_CONFIDENCES)) + ".",
            place=Place(str(manifest)),
        )
    for key in ("file", "mapping"):
        if key in entry and not (folder / entry[key]).is_file():
            raise Unreadable(
                f"The manifest names {entry[key]}, which is not there", remedy="Install the pack again.",
                place=Place(str(manifest)),
            )  # fmt: skip
    return Part(
        file=folder / entry["file"],
        mapping=folder / entry["mapping"] if "mapping" in entry else None,
        source=entry["source"],
        title=entry["title"],
        confidence=Confidence.NS + entry["confidence"],
        licence=entry.get("licence", ""),
    )


def _check_keys(
    entry: dict[str, Any], known: frozenset[str], what: str, manifest: Path, optional: frozenset[str] = frozenset()
) -> None:
    for wrong, say, do in (
        (sorted(set(entry) - known), "has unknown keys", "Remove them"),
        (sorted(known - optional - set(entry)), "lacks keys", "Add them"),
    ):
        if wrong:
            raise Malformed(
                f"In the manifest {what} {say}: {', '.join(wrong)}", remedy=f"{do}.", place=Place(str(manifest))
            )
