"""Tell what a plan would do, in words: one plain structure for the terminal, JSON, a page to print and a workbook."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.console import Group, RenderableType
from rich.text import Text

from graph.labels import labels, tail
from graph.plans.foreseeing import Foresight, Move, State
from graph.rules import Rules
from graph.store import Reader
from graph.terms import SKOS, D, Role, Status
from service import terminal
from service.captions import captions, mentioned, spoken
from service.reporting import severity_of, texts_of, title_of
from service.wording import Wording
from service.writing import write_xlsx

#: statuses that somebody has to do something about, in the order in which they are told
UNCLEAR = (Status.needs_decision, Status.disputed, Status.vacant, Status.expired, Status.not_yet, Status.unknown)

_WHY = re.compile(r"(event|succession|responsibility|transfer|decision|ending)/(\d+)")
_PART = {"event": "changes", "succession": "changes", "decision": "decisions"}


def describe(
    foresight: Foresight, reader: Reader, rules: Rules, languages: Sequence[str], say: Wording
) -> dict[str, Any]:
    """Return what the plan does as plain values with labels; ``reader`` shows the register without it."""
    names = _names(foresight, reader, languages, say)
    moves = [_move(move, names, say) for move in foresight.moves]
    findings = [_finding(one.finding, one.opens, rules, names, say) for one in foresight.findings]
    draft = foresight.draft
    return {
        "plan": {
            "iri": draft.source,
            "name": draft.slug,
            "title": draft.title.get(say.language) or next(iter(draft.title.values())),
            "effective": draft.effective.isoformat(),
        },
        "revision": foresight.revision,
        "days": [day.isoformat() for day in foresight.days],
        "reached": foresight.reached,
        "summary": {
            "moves": len({move.resource for move in foresight.moves}),
            **{
                status.removeprefix(Status.NS): len({move.resource for move in foresight.with_status(status)})
                for status in UNCLEAR
            },
            "lapses": len(foresight.lapses),
            "opened": sum(one["opens"] for one in findings),
            "closed": sum(not one["opens"] for one in findings),
            "tell": len(foresight.tell),
        },
        "moves": moves,
        "lapses": [
            {
                "transfer": lapse.transfer,
                "holder": _thing(lapse.holder, names),
                "ends": _thing(lapse.ended, names),
                "day": lapse.day.isoformat(),
            }
            for lapse in foresight.lapses
        ],
        "codes": [
            {
                "scheme": _thing(one.scheme, names),
                "code": one.code,
                "day": one.day.isoformat(),
                "before": one.before and _thing(one.before, names),
                "after": one.after and _thing(one.after, names),
            }
            for one in foresight.meanings
        ],
        "findings": findings,
        "staying": {rules.by_iri[iri].name: count for iri, count in sorted(foresight.staying.items())},
        "tell": [
            {"body": _thing(body, names), "resources": [_thing(iri, names) for iri in resources]}
            for body, resources in foresight.tell.items()
        ],
    }


def _names(foresight: Foresight, reader: Reader, languages: Sequence[str], say: Wording) -> dict[str, str]:
    """Return what to call everything; what the plan makes is called as the plan says."""
    wanted: set[str] = set(foresight.tell)
    for move in foresight.moves:
        wanted |= {move.resource, *move.before.holders, *move.after.holders}
    for lapse in foresight.lapses:
        wanted |= {lapse.holder, lapse.ended}
    for one in foresight.meanings:
        wanted |= {iri for iri in (one.scheme, one.before, one.after) if iri}
    told: set[str] = set()
    for opened in foresight.findings:
        told.add(getattr(opened.finding.about, "value", ""))
        told |= {iri for text in opened.finding.messages for iri in mentioned(text.value)}
    wanted |= {iri for resources in foresight.tell.values() for iri in resources}
    wanted.discard("")
    day = foresight.draft.effective
    names = {**captions(reader, told - {""}, day, languages, say), **labels(reader, wanted, day, languages)}
    made: dict[str, dict[str, str]] = {}
    for subject, said, value in foresight.draft.facts:
        if said == SKOS.prefLabel:
            made.setdefault(subject, {})[getattr(value, "language", None) or ""] = value.value
    for iri, texts in made.items():
        names[iri] = next((texts[tag] for tag in (*languages, "") if tag in texts), next(iter(texts.values())))
    return names


def _thing(iri: str, names: Mapping[str, str]) -> dict[str, str]:
    return {"iri": iri, "label": names.get(iri) or tail(iri)}


def _move(move: Move, names: Mapping[str, str], say: Wording) -> dict[str, Any]:
    role = move.role.removeprefix(Role.NS)
    return {
        "resource": _thing(move.resource, names),
        "role": role,
        "role_label": say.coded("role", role),
        "day": move.day.isoformat(),
        "until": move.until and move.until.isoformat(),
        "before": _state(move.before, names, say),
        "after": _state(move.after, names, say),
        "why": [{"iri": iri, "label": _reason(iri, say)} for iri in move.why],
    }


def _state(state: State, names: Mapping[str, str], say: Wording) -> dict[str, Any]:
    status = state.status.removeprefix(Status.NS)
    holders = [_thing(holder, names) for holder in state.holders if holder != D.nobody]
    return {"status": status, "state": say.coded("status", status), "holders": holders}


def _reason(iri: str, say: Wording) -> str:
    """Name the entry of the plan that a record comes from."""
    found = _WHY.search(iri)
    if not found:
        return tail(iri)
    return say(f"plan.entry.{_PART.get(found[1], 'responsibilities')}", number=found[2])


def _finding(finding: Any, opens: bool, rules: Rules, names: Mapping[str, str], say: Wording) -> dict[str, Any]:
    texts = texts_of(finding.messages)
    about = getattr(finding.about, "value", str(finding.about))
    return {
        "opens": opens,
        "rule": rules.by_iri[finding.rule].name,
        "rule_label": title_of(rules.by_iri[finding.rule], say),
        "severity": severity_of(finding.severity),
        "about": _thing(about, names),
        "message": spoken(texts.get(say.language) or next(iter(texts.values()), ""), names, say),
        "from": finding.span.start and finding.span.start.isoformat(),
        "until": finding.span.end and finding.span.end.isoformat(),
    }


# --- for people -----------------------------------------------------------------------------------------------------


def as_text(told: Mapping[str, Any], say: Wording) -> Group:
    """Return the preview for a terminal."""
    parts: list[RenderableType] = [
        terminal.heading(told["plan"]["title"], told["plan"]["iri"], *notes(told, say)),
        Text(),
        Text(say("plan.summary"), style="bold"),
        *(Text(f"  {count:>6}  {words}") for count, words in summary(told, say)),
    ]
    for title, headings, rows in tables(told, say):
        if rows:
            parts += [Text(), Text(f"{title} ({len(rows)})", style="bold"), terminal.listing(headings, rows[:50])]
            if len(rows) > 50:
                parts.append(Text(say("plan.more", count=len(rows) - 50), style="dim"))
    return Group(*parts)


def notes(told: Mapping[str, Any], say: Wording) -> list[str]:
    """Return what the preview stands on: the day, the revision that it saw, the days compared."""
    days = ", ".join(say.day(day) for day in told["days"][:8]) + (" …" if len(told["days"]) > 8 else "")
    return [
        say("plan.effective", day=say.day(told["plan"]["effective"])),
        say("plan.saw", revision=told["revision"], reached=told["reached"]),
        say("plan.days", days=days),
    ]


def summary(told: Mapping[str, Any], say: Wording) -> list[tuple[int, str]]:
    """Return the counts that are not nothing, in words; the moves always."""
    counts = told["summary"]
    return [(count, say(f"plan.count.{name}")) for name, count in counts.items() if count or name == "moves"]


def tables(told: Mapping[str, Any], say: Wording) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Yield the parts of a preview as tables: title, headings, rows; what is unclear before what is plain."""
    moves = told["moves"]
    plain = {"held", "shared"}
    order = {status.removeprefix(Status.NS): number for number, status in enumerate(UNCLEAR)}
    unclear = sorted((m for m in moves if m["after"]["status"] not in plain), key=lambda m: order[m["after"]["status"]])
    headings = [say(f"plan.column.{name}") for name in ("data", "before", "after", "why")]
    first = told["plan"]["effective"]
    yield say("plan.part.unclear"), headings, [_row(move, first, say) for move in unclear]
    yield say("plan.part.moves"), headings, [_row(m, first, say) for m in moves if m["after"]["status"] in plain]
    yield (
        say("plan.part.lapses"), [say(f"plan.column.{name}") for name in ("holder", "ends", "day")],
        [[one["holder"]["label"], one["ends"]["label"], say.day(one["day"])] for one in told["lapses"]],
    )  # fmt: skip
    columns = [say(f"plan.column.{name}") for name in ("rule", "severity", "about", "message")]
    for opens, part in ((True, "opened"), (False, "closed")):
        yield (
            say(f"plan.part.{part}"), columns,
            [
                [one["rule_label"], say.coded("severity", one["severity"]), one["about"]["label"], one["message"]]
                for one in told["findings"] if one["opens"] is opens
            ],
        )  # fmt: skip
    yield (
        say("plan.part.codes"),
        [say(f"plan.column.{name}") for name in ("scheme", "code", "day", "before", "after")],
        [
            [
                one["scheme"]["label"], one["code"], say.day(one["day"]),
                one["before"]["label"] if one["before"] else "–", one["after"]["label"] if one["after"] else "–",
            ]
            for one in told["codes"]
        ],
    )  # fmt: skip
    yield (
        say("plan.part.tell"), [say("plan.column.body"), say("plan.column.about_data")],
        [[one["body"]["label"], _some(thing["label"] for thing in one["resources"])] for one in told["tell"]],
    )  # fmt: skip


def _row(move: Mapping[str, Any], first: str, say: Wording) -> list[str]:
    """Return a move as a row: the role is told where it is another than accountable, the days where they are others."""
    data, after = move["resource"]["label"], _told(move["after"])
    if move["role"] != "accountable":
        data = f"{data} ({move['role_label']})"
    days = [say("bodies.since", day=say.day(move["day"]))] if move["day"] > first else []
    days += [say("bodies.until", day=say.last_day(move["until"]))] if move["until"] else []
    why = "; ".join(dict.fromkeys(one["label"] for one in move["why"]))
    return [data, _told(move["before"]), f"{after}, {', '.join(days)}" if days else after, why]


def _told(state: Mapping[str, Any]) -> str:
    names = ", ".join(holder["label"] for holder in state["holders"])
    return names if state["status"] == "held" else f"{names} ({state['state']})" if names else state["state"]


def _some(words: Iterable[str]) -> str:
    found = list(words)
    return ", ".join(found[:5]) + (f" … ({len(found)})" if len(found) > 5 else "")


def as_html(told: Mapping[str, Any], say: Wording) -> str:
    """Return the preview as one page with its style in it, to print or to send."""
    here = Path(__file__).parent
    environment = Environment(
        loader=FileSystemLoader(here / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    style = (here / "static" / "preview.css").read_text("utf-8")
    parts = [(title, headings, rows) for title, headings, rows in tables(told, say) if rows]
    return environment.get_template("preview.html").render(
        t=say, told=told, notes=notes(told, say), summary=summary(told, say), parts=parts, style=style
    )


def as_xlsx(told: Mapping[str, Any], say: Wording) -> bytes:
    """Return the preview as a workbook, a sheet for each part that says anything."""
    sheets: dict[str, tuple[Sequence[str], list[list[Any]]]] = {
        say("plan.summary"): (
            [say("plan.column.what"), say("plan.column.count")],
            [*([note, ""] for note in notes(told, say)), *([words, count] for count, words in summary(told, say))],
        )
    }
    sheets.update({title: (headings, rows) for title, headings, rows in tables(told, say) if rows})
    return write_xlsx(sheets)


def gravities(told: Mapping[str, Any]) -> Counter[str]:
    """Count the findings that would open, by severity."""
    return Counter(one["severity"] for one in told["findings"] if one["opens"])
