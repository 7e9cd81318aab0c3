"""Give each scope of fields and areas its keys, so that a resource finds the scopes it lies in by exact look-ups."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import product

from graph.terms import scope_key


def keys_of(fields: Collection[str], areas: Collection[str]) -> list[str]:
    """Return the keys of a responsibility for these fields and areas, sorted; a missing part counts as everything.

    One key per exact field and area. A record without either is no scope and has no key.
    """
    if not fields and not areas:
        return []
    pairs: Iterable[tuple[str | None, str | None]] = product(fields or (None,), areas or (None,))
    return sorted(scope_key(field, area) for field, area in pairs)


def keys_around(fields: Iterable[str], areas: Iterable[str]) -> list[str]:
    """Return the keys of every scope that could contain a resource with these fields and areas (broader included)."""
    pairs = product([*fields, None], [*areas, None])
    return sorted(scope_key(field, area) for field, area in pairs if field is not None or area is not None)
