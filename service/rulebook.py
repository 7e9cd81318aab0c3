"""Tell what each rule asks: why, by which article, on which days, and what is right and wrong by example.

Everything comes from the shape itself and from the example files that tests judge it by; nothing is written twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from graph.labels import labels, tail
from graph.resources import folder
from graph.rules import Judges, Rule, Rules, files_of, read_rules, version_of
from graph.store import Reader
from graph.terms import Confidence, D
from service.reporting import law_of, severity_of, title_of
from service.wording import Wording

_AS_OF = re.compile(r"^# as-of: (\d{4}-\d{2}-\d{2})\s*$", re.MULTILINE)
_HEAD = re.compile(r"\A(?:#[^\n]*\n|@prefix[^\n]*\n|\s*\n)*")


@dataclass(frozen=True, slots=True)
class Example:
    """Hold an example file: whether it is right, the day it is judged on, and what stands in it.

    ``text`` is the whole file, ``body`` what it says after its prefixes.
    """

    good: bool
    file: str
    day: str
    text: str
    body: str


@dataclass(frozen=True, slots=True)
class Basis:
    """Hold a provision or instrument that a rule rests on, as the register describes it."""

    iri: str
    label: str
    since: str
    last: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Page:
    """Hold all that is told of one rule, in one language. ``days`` says in words on which it applies."""

    iri: str
    name: str
    label: str
    why: str
    law: str
    basis: tuple[Basis, ...]
    severity: str
    judges: str
    inferred: bool
    confidence: str
    identifier: str
    message: str
    days: str
    applies_from: str
    applies_until: str
    applicable: bool
    count: int
    examples: tuple[Example, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@lru_cache(maxsize=8)
def _read(files: tuple[Path, ...], version: str) -> Rules:
    return read_rules(files=files)


def rules_of(pack: str | None, extra: Sequence[Path] = (), *, own: bool = True) -> Rules:
    """Return the rules of a register made of this pack and those of further folders; without ``own`` only the latter.

    They are read anew only when a file has changed.
    """
    files = tuple(files_of(pack or None, extra))
    if not own:
        files = tuple(path for path in files if path not in set(files_of(pack or None)))
    return _read(files, version_of(files))


def page_of(
    rule: Rule, reader: Reader, day: date, counts: Mapping[str, int], languages: Sequence[str], say: Wording
) -> Page:
    """Return what is told of a rule on a day; ``counts`` says by IRI how many findings there are."""
    order = (say.language, "en", "")

    def spoken(texts: Mapping[str, str]) -> str:
        return next((texts[language] for language in order if language in texts), "")

    messages = {message.language or "": message.value for message in rule.messages}
    return Page(
        iri=rule.iri,
        name=rule.name,
        label=title_of(rule, say),
        why=spoken(rule.comment),
        law=law_of(rule, say),
        basis=tuple(_bases(rule, reader, day, languages, say)),
        severity=severity_of(rule.severity),
        judges="act" if rule.judges is Judges.act else "state",
        inferred=rule.inferred,
        confidence=tail(rule.confidence) if rule.confidence.startswith(Confidence.NS) else "",
        identifier=rule.identifier,
        message=_readable(spoken(messages)),
        days=days_of(rule, say),
        applies_from=rule.applies.start.isoformat() if rule.applies.start else "",
        applies_until=rule.applies.end.isoformat() if rule.applies.end else "",
        applicable=rule.applicable(day),
        count=counts.get(rule.iri, 0),
        examples=examples_of(rule),
    )


def days_of(rule: Rule, say: Wording) -> str:
    """Return on which days a rule applies, in words."""
    since = say.day(rule.applies.start) if rule.applies.start else ""
    last = say.last_day(rule.applies.end) if rule.applies.end else ""
    if since and last:
        return say("rules.between", since=since, last=last)
    if since:
        return say("rules.from", since=since)
    return say("rules.until", last=last) if last else say("rules.always")


def _bases(rule: Rule, reader: Reader, day: date, languages: Sequence[str], say: Wording) -> Iterable[Basis]:
    names = labels(reader, rule.basis, day, languages)
    said: dict[str, dict[str, str]] = {iri: {} for iri in rule.basis}
    for subject, predicate, value, _ in reader.outgoing(rule.basis, (D.from_, D.until, D.confidence)):
        said[subject.value][predicate.value] = value.value
    for iri in rule.basis:
        facts = said[iri]
        yield Basis(
            iri,
            names[iri],
            say.day(facts[D.from_]) if D.from_ in facts else "",
            say.last_day(facts[D.until]) if D.until in facts else "",
            tail(facts[D.confidence]) if D.confidence in facts else "",
        )


def _readable(template: str) -> str:
    """Return the words of a message with dots where the register puts in what it found."""
    return re.sub(r"\{[?$]\w+\}", "…", template)


def examples_of(rule: Rule) -> tuple[Example, ...]:
    """Return the example files of a rule, the bad ones first."""
    return _examples().get(rule.name, ())


@lru_cache(maxsize=1)
def _examples() -> dict[str, tuple[Example, ...]]:
    found: dict[str, list[tuple[bool, str, Example]]] = {}
    for path in sorted(folder("examples").rglob("*.ttl")):
        kind, _, rest = path.stem.partition("-")
        if kind in ("good", "bad") and rest:
            text = path.read_text(encoding="utf-8")
            day = _AS_OF.search(text)
            example = Example(kind == "good", path.name, day[1] if day else "", text, _HEAD.sub("", text).strip())
            found.setdefault(rest.split("--")[0], []).append((kind == "good", path.name, example))
    return {name: tuple(example for _, _, example in sorted(several, key=lambda one: one[:2]))
            for name, several in found.items()}  # fmt: skip
