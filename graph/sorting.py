"""Compare more lines than fit into memory: sort them on disk, walk old and new side by side, write what differs.

Lines are N-Quads without their final stop. A subject's lines come together, since sorting puts them so.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from graph.journal import SECTIONS, Section

RUN: Final = 300_000
"""Lines that are sorted in memory at a time."""


class Sections:
    """Collect the three sections of a payload beside one another, on disk."""

    def __init__(self, folder: Path) -> None:
        self._files = {name: (folder / name).open("w+b") for name in SECTIONS}
        self.counts: dict[Section, int] = dict.fromkeys(SECTIONS, 0)

    def write(self, section: Section, lines: Iterable[str]) -> None:
        file = self._files[section]
        for line in lines:
            file.write(f"{line} .\n".encode())
            self.counts[section] += 1

    def pieces(self, section: Section) -> Iterator[bytes]:
        file = self._files[section]
        file.seek(0)
        while piece := file.read(1 << 18):
            yield piece

    def __enter__(self) -> Sections:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()


class Lines:
    """Sort any number of lines, those that do not fit into memory on disk; iterating gives each line once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs: list[Path] = []
        self._ready: list[str] = []

    def add(self, line: str) -> None:
        self._ready.append(line)
        if len(self._ready) >= RUN:
            self._ready.sort()
            path = self._folder / f"{id(self)}-{len(self._runs)}"
            with path.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(f"{line}\n" for line in self._ready)
            self._runs.append(path)
            self._ready = []

    def __iter__(self) -> Iterator[str]:
        self._ready.sort()
        merged = heapq.merge(*map(_lines_in, self._runs), self._ready) if self._runs else iter(self._ready)
        last = ""
        for line in merged:
            if line != last:
                yield line
            last = line


def _lines_in(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield line[:-1]


def groups(lines: Iterable[str]) -> Iterator[tuple[str, set[str]]]:
    """Yield the lines of each subject, which sorting has put together, with the text they begin with."""
    for token, group in groupby(lines, key=lambda line: line[: line.index("> ") + 2]):
        yield token, set(group)


def paired(
    old: Iterator[tuple[str, set[str]]], new: Iterator[tuple[str, set[str]]]
) -> Iterator[tuple[str, set[str], set[str]]]:
    """Join two sorted streams of groups: each subject once, with its lines on either side."""
    nothing: tuple[str, set[str]] = ("", set())
    left, right = next(old, nothing), next(new, nothing)
    while left[0] or right[0]:
        if left[0] == right[0]:
            yield left[0], left[1], right[1]
            left, right = next(old, nothing), next(new, nothing)
        elif not right[0] or (left[0] and left[0] < right[0]):
            yield left[0], left[1], set()
            left = next(old, nothing)
        else:
            yield right[0], set(), right[1]
            right = next(new, nothing)
