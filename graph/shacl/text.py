"""Read the words of a SPARQL text, names written out in full, and say where in its file something is wrong with it.

https://www.w3.org/TR/sparql11-query/#sparqlGrammar has the words; ``$x`` is read as ``?x``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pyoxigraph as ox

from graph.errors import Place, ShapeFault
from graph.shacl.paths import Path

_ESCAPE: Final = r"\\[_~.\-!$&'()*+,;=/?#@%]"
_PART: Final = rf"(?:[\w:\-]|%[0-9A-Fa-f]{{2}}|{_ESCAPE})"
_TOKEN: Final = re.compile(
    rf"""
    (?P<blank>\s+|\#[^\n]*)
  | (?P<iri><[^<>"{{}}|^`\\\x00-\x20]*>)
  | (?P<text>\"\"\"(?:[^\\]|\\.)*?\"\"\" | '''(?:[^\\]|\\.)*?''' | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*')
  | (?P<variable>[?$]\w+)
  | (?P<label>_:\w(?:[\w.\-]*[\w\-])?)
  | (?P<short>(?:[^\W\d_](?:[\w.\-]*[\w\-])?)?:(?:{_PART}(?:(?:{_PART}|\.)*{_PART})?)?)
  | (?P<tag>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
  | (?P<number>(?:\d+\.\d*[eE][+-]?\d+|\d*\.\d+(?:[eE][+-]?\d+)?|\d+(?:[eE][+-]?\d+)?))
  | (?P<word>[A-Za-z]\w*)
  | (?P<sign>\^\^|\|\||&&|!=|<=|>=|<<|>>|[\[\](){{}}.,;*/|^?!=<>+\-&])
    """,
    re.VERBOSE | re.DOTALL,
)
_TOLD: Final = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
_EMPTY: Final = ox.Store()
CORRECT: Final = "Correct the query at this place or just before it."


@dataclass(frozen=True, slots=True)
class Token:
    """Hold one word of a text as it is to be written, its sort, and where it began."""

    kind: str
    text: str
    offset: int = 0

    @property
    def name(self) -> str:
        """Return the name of a variable."""
        return self.text[1:]


Tokens = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Hold a text with what its names stand for, and say where in its file something is wrong with it.

    ``path`` is written for ``$PATH``. ``place`` is where the text begins, as far as it is known.
    """

    text: str
    prefixes: Mapping[str, str] = field(default_factory=dict)
    path: Path | None = None
    place: Place | None = None
    shape: str = ""

    def fault(self, message: str, remedy: str, offset: int | None = None) -> ShapeFault:
        """Return the fault at an offset of the text."""
        place, line, column = self.place, 1, 1
        if offset is not None:
            before = self.text[:offset]
            line, column = before.count("\n") + 1, offset - before.rfind("\n")
            message = f"{message} (line {line}, column {column} of the query)"
            if place is not None and place.line is not None and place.column is not None:
                first = place.column - 1 if line == 1 else 0
                place = Place(place.file, place.line + line - 1, first + column)
        named = f", in {self.shape}" if self.shape else ""
        return ShapeFault(message + named, shape=self.shape, remedy=remedy, place=place)

    def tokens(self) -> list[Token]:
        """Return the words of the text, names written out; ``PREFIX`` at its beginning is heeded."""
        found: list[Token] = []
        prefixes = dict(self.prefixes)
        at = 0
        while at < len(self.text):
            match = _TOKEN.match(self.text, at)
            if match is None or match.lastgroup is None:
                raise self.fault(f"The query has a sign that SPARQL does not know: {self.text[at]}", CORRECT, at)
            at = match.end()
            kind, text, offset = match.lastgroup, match.group(), match.start()
            if kind == "blank":
                continue
            if kind == "variable":
                text = "?" + text[1:]
            if kind == "short":
                if _declaring(found):
                    found.append(Token("declared", text, offset))
                    continue
                text = self._full(text, prefixes, offset)
                kind = "iri"
            found.append(Token(kind, text, offset))
            if len(found) >= 3 and found[-2].kind == "declared" and kind == "iri":
                prefixes[found[-2].text[:-1]] = text[1:-1]
                del found[-3:]
        return [_pathed(token, self.path) for token in found]

    def _full(self, text: str, prefixes: Mapping[str, str], offset: int) -> str:
        prefix, _, local = text.partition(":")
        if prefix not in prefixes:
            raise self.fault(
                f"The prefix {prefix}: is not declared",
                "Declare it with sh:declare at the node that sh:prefixes names.", offset,
            )  # fmt: skip
        return f"<{prefixes[prefix]}{re.sub(_ESCAPE, lambda found: found.group()[1:], local)}>"

    def check(self) -> None:
        """Raise ``ShapeFault`` where the engine's parser does not understand the text, with the line and column."""
        text = self.text
        if self.path is not None:
            text = re.sub(r"[$?]PATH\b", lambda _: self.path.sparql if self.path else "", text)
        opening = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in self.prefixes.items())
        for token in self.tokens():  # it has better words for a prefix that is missing
            if token.kind == "word" and token.text.upper() == "SERVICE":
                raise self.fault("A body may not use SERVICE", "A shape judges this register only.", token.offset)
        try:
            _EMPTY.query(opening + text)
        except SyntaxError as fault:
            told = _TOLD.match(str(fault))
            if told is None:
                raise self.fault(f"The query is no SPARQL: {fault}", CORRECT) from fault
            line, column = int(told[1]) - len(self.prefixes), int(told[2])
            lines = text.split("\n")
            if 0 < line <= len(lines):
                offset = sum(len(one) + 1 for one in lines[: line - 1]) + column - 1
                near = " ".join(text[offset:].split()[:4])[:40]
                words = f'it breaks off before "{near}"' if near else "it cannot be followed to its end"
                rule = re.search(r"The SELECT [^,\]]+", told[3])
                raise self.fault(
                    f"The query is no SPARQL: {rule.group() if rule else words}",
                    CORRECT, offset if text == self.text else None,
                ) from fault  # fmt: skip

    def check_expressions(self) -> None:
        """Raise ``ShapeFault`` where a regular expression that is written out is none that the engine can run.

        The engine would take each test against it for failed and say nothing.
        """
        tokens = self.tokens()
        for at, token in enumerate(tokens):
            if token.kind != "word" or token.text.upper() not in ("REGEX", "REPLACE"):
                continue
            written = _arguments(tokens, at + 1)
            if len(written) < 2 or not all(len(one) == 1 and one[0].kind == "text" for one in written[1:]):
                continue
            flags = written[2 if token.text.upper() == "REGEX" else 3 :]
            asked = ", ".join(['""', written[1][0].text, *(one[0].text for one in flags)])
            found = _EMPTY.query(f"SELECT (COALESCE(IF(REGEX({asked}), true, true), false) AS ?known) {{}}")
            assert isinstance(found, ox.QuerySolutions)
            if next(found)[0] != ox.Literal(True):
                raise self.fault(
                    f"The engine cannot run the regular expression {written[1][0].text[:60]}",
                    "Write a shorter one that does not look ahead or back.", written[1][0].offset,
                )  # fmt: skip


def _arguments(tokens: Sequence[Token], opening: int) -> list[list[Token]]:
    """Return the words of each argument of a function whose bracket opens at a place."""
    found: list[list[Token]] = [[]]
    depth = 0
    for token in tokens[opening:]:
        if token.kind == "sign":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if depth == 0:
                break
            if depth == 1 and token.text in "(,":
                if token.text == ",":
                    found.append([])
                continue
        found[-1].append(token)
    return found


def _declaring(found: Sequence[Token]) -> bool:
    return bool(found) and found[-1].kind == "word" and found[-1].text.upper() == "PREFIX"


def _pathed(token: Token, path: Path | None) -> Token:
    if token.text == "?PATH" and token.kind == "variable" and path is not None:
        return Token("path", path.sparql, token.offset)
    return token
