"""Read the setting that says where the graph is kept: nothing for the data directory, or the addresses of a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from graph.errors import BadSetting, Place
from graph.wire import Patience, shown_address

_WORDS: Final = ("query", "update", "graph-store", "timeout", "at-once")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Hold what the setting says of a service; ``at_once`` is ``None`` where it says nothing of it."""

    query: str
    update: str
    graph_store: str | None
    timeout: float
    at_once: int | None


def read_addresses(setting: str) -> Addresses:
    """Read ``DIABA_STORE``; raise ``BadSetting`` for a setting that cannot work.

    An address without a path is an Oxigraph server (``/query``, ``/update``), one with a path serves both. Otherwise
    ``query=… update=…`` and, if wanted, ``graph-store=… timeout=SECONDS at-once=STATEMENTS``, with blanks between.
    """
    said: dict[str, str] = {}
    for word in setting.split():
        name, equals, value = word.partition("=")
        if not equals or name not in _WORDS:
            name, value = "address", word
        if name in said or not value:
            raise _unclear(f"'{name}' is given twice or empty")
        said[name] = value
    query, update = _both(said)
    timeout, at_once = _number(said, "timeout"), _number(said, "at-once")
    return Addresses(query, update, said.get("graph-store"), float(timeout or Patience().timeout), at_once)


def name_of(setting: str) -> str:
    """Return the name of the store that a setting means, "" for the embedded one; nothing secret is in it."""
    return shown_address(read_addresses(setting).update) if setting.strip() else ""


def _both(said: Mapping[str, str]) -> tuple[str, str]:
    address = said.get("address")
    if address is None:
        if "query" in said and "update" in said:
            return said["query"], said["update"]
        raise _unclear("It needs one address, or both query= and update=")
    if "query" in said or "update" in said:
        raise _unclear("It has one address for all, and query= or update= as well")
    try:
        parts = urlsplit(address)
    except ValueError as fault:
        raise _unclear(f"It is no address ({fault})") from fault
    if parts.path.strip("/"):
        return address, address
    root = parts._replace(path="")
    return root._replace(path="/query").geturl(), root._replace(path="/update").geturl()


def _number(said: Mapping[str, str], name: str) -> int | None:
    text = said.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= 1_000_000):
        raise _unclear(f"'{text}' is no number for {name}")
    return int(text)


def _unclear(message: str) -> BadSetting:
    return BadSetting(
        message,
        remedy="Write DIABA_STORE=https://host:7878 or DIABA_STORE='query=https://… update=https://…'.",
        place=Place("DIABA_STORE"),
    )
