"""Put findings into rows that people and programs read: of the register on a day, or of files that were checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pyoxigraph as ox

from graph.findings import GRAVITY
from graph.gaps import Gap
from graph.inspecting import MALFORMED, Found
from graph.labels import labels, tail
from graph.rules import Rule, Rules
from graph.store import Reader
from service.captions import captions, mentioned, spoken
from service.wording import Wording

#: severity of SHACL → what we call it, the gravest first
SEVERITIES = dict(zip(GRAVITY, ("error", "warning", "info"), strict=True))


@dataclass(frozen=True, slots=True)
class Named:
    """Hold a thing and what it is called."""

    iri: str
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one finding in the words of one language. Days are ``YYYY-MM-DD``, ``until`` exclusive, "" for none."""

    severity: str
    rule: Named
    message: str
    about: Named | None
    value: Named | None
    path: str
    law: str
    inferred: bool
    since: str = ""
    until: str = ""
    first_seen: str = ""
    bodies: tuple[Named, ...] = ()
    levels: tuple[Named, ...] = ()
    areas: tuple[Named, ...] = ()
    fields: tuple[Named, ...] = ()
    file: str = ""
    line: int | None = None
    finding: str = ""
    component: str = ""

    @property
    def name(self) -> str:
        """Return the name of the rule, the last part of its IRI."""
        return tail(self.rule.iri)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "name": self.name}


def severity_of(iri: str) -> str:
    """Return our word for a severity; one of another's making counts as an error, as SHACL has it by default."""
    return SEVERITIES.get(iri, "error")


def rows_of_gaps(
    reader: Reader, gaps: Sequence[Gap], rules: Rules, day: date, languages: Sequence[str], say: Wording
) -> list[Row]:
    """Return the rows of findings of the register."""
    filed = {iri for gap in gaps for iri in (*gap.bodies, *gap.levels, *gap.areas, *gap.fields)}
    terms = [term for gap in gaps for term in (gap.finding.about, gap.finding.value)]
    messages = [_spoken_in(texts_of(gap.finding.messages), say) for gap in gaps]
    names = _names(reader, filed, terms, messages, day, languages, say)
    rows = []
    for gap, message in zip(gaps, messages, strict=True):
        finding = gap.finding
        rule = rules.by_iri.get(finding.rule)
        rows.append(
            Row(
                severity_of(finding.severity),
                Named(finding.rule, title_of(rule, say) if rule else tail(finding.rule)),
                spoken(message, names, say),
                _named(finding.about, names),
                _named(finding.value, names),
                finding.path,
                law_of(rule, say),
                bool(rule and rule.inferred),
                gap.since.isoformat() if gap.since else "",
                finding.span.end.isoformat() if finding.span.end else "",
                gap.seen.isoformat(),
                _several(gap.bodies, names), _several(gap.levels, names),
                _several(gap.areas, names), _several(gap.fields, names),
                finding=gap.iri,
                component=finding.component,
            )
        )  # fmt: skip
    return rows


def texts_of(messages: Iterable[ox.Literal]) -> dict[str, str]:
    """Return words by language; of several in one language all, as one text."""
    found: dict[str, list[str]] = {}
    for message in messages:
        said = found.setdefault(message.language or "", [])
        if message.value not in said:
            said.append(message.value)
    return {language: " ".join(sorted(said)) for language, said in found.items()}


def rows_of_found(
    reader: Reader, found: Sequence[Found], rules: Rules, day: date, languages: Sequence[str], say: Wording
) -> list[Row]:
    """Return the rows of what a check found that no register keeps: of files, or by somebody's own shapes."""
    concerns = [one.concern for one in found if one.concern]
    filed = {iri for one in concerns for iri in (*one.holders, *one.levels, *one.areas, *one.fields)}
    terms = [term for one in found for term in (one.about, one.value)]
    messages = [_spoken_in(one.messages, say) for one in found]
    names = _names(reader, filed, terms, messages, day, languages, say)
    rows = []
    for one, message in zip(found, messages, strict=True):
        rule = rules.by_iri.get(one.rule)
        label = say("check.malformed") if one.rule == MALFORMED else title_of(rule, say) if rule else tail(one.rule)
        concern = one.concern
        rows.append(
            Row(
                severity_of(one.severity),
                Named(one.rule, label),
                spoken(message, names, say),
                _named(one.about, names),
                _named(one.value, names),
                one.path,
                law_of(rule, say),
                bool(rule and rule.inferred),
                bodies=_several(concern.holders, names) if concern else (),
                levels=_several(concern.levels, names) if concern else (),
                areas=_several(concern.areas, names) if concern else (),
                fields=_several(concern.fields, names) if concern else (),
                file=one.place.file if one.place else "",
                line=one.place.line if one.place else None,
                component=one.component,
            )
        )
    return rows


def title_of(rule: Rule, say: Wording) -> str:
    """Return what the fault is called, in few words."""
    return _spoken_in(rule.label, say) or rule.name


def law_of(rule: Rule | None, say: Wording) -> str:
    """Return the article a rule rests on, as people write it."""
    return _spoken_in(rule.citation, say) if rule else ""


def counted(rows: Iterable[Row]) -> dict[str, int]:
    """Count by severity, each of ours named."""
    found = Counter(row.severity for row in rows)
    return {severity: found[severity] for severity in SEVERITIES.values()}


def gravest_first(found: Iterable[Found]) -> list[Found]:
    """Order findings of files by file, line and gravity."""
    return sorted(
        found,
        key=lambda one: (
            one.place.file if one.place else "", (one.place.line if one.place else 0) or 0,
            GRAVITY.get(one.severity, 0), one.rule, str(one.about), str(one.value),
        ),
    )  # fmt: skip


def _names(
    reader: Reader, filed: Iterable[str], terms: Iterable[ox.NamedNode | ox.BlankNode | ox.Literal | None],
    messages: Iterable[str], day: date, languages: Sequence[str], say: Wording,
) -> dict[str, str]:  # fmt: skip
    """Return what to call everything that the rows mention."""
    wanted = {term.value for term in terms if isinstance(term, ox.NamedNode)}
    wanted |= {iri for message in messages for iri in mentioned(message)}
    return {**captions(reader, wanted, day, languages, say), **labels(reader, set(filed), day, languages)}


def _named(term: ox.NamedNode | ox.BlankNode | ox.Literal | None, names: Mapping[str, str]) -> Named | None:
    if term is None:
        return None
    if isinstance(term, ox.NamedNode):
        return Named(term.value, names.get(term.value, tail(term.value)))
    return Named("", f"_:{term.value}" if isinstance(term, ox.BlankNode) else term.value)


def _several(iris: Iterable[str], names: Mapping[str, str]) -> tuple[Named, ...]:
    return tuple(Named(iri, names.get(iri, tail(iri))) for iri in iris)


def _spoken_in(texts: Mapping[str, str], say: Wording) -> str:
    """Return a text in the reader's language, else in English, else in none or any."""
    order = (say.language, "en", "", *sorted(texts))
    return next((texts[language] for language in order if language in texts), "")
