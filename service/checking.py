"""Find gaps from a terminal: the verbs ``check``, ``gaps`` and ``rules``.

Exit codes of ``check``: 0 when nothing as grave as ``--fail-on`` was found, 1 when something was; the others are those
of every verb. ``service/docs/checking.md`` and ``gaps.md`` describe what each prints.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from graph.archive import journal_of
from graph.errors import BadQuestion
from graph.gaps import gaps as read_gaps
from graph.inspecting import Inspector, judge, routes_by_rule
from graph.judging import is_limited, limited
from graph.labels import tail
from graph.register import pack_in, pack_of
from graph.reporting import write_report
from graph.rules import Rule, Rules
from service import asking, terminal, writing
from service import gaps as asked
from service.captions import captions
from service.clocks import parse_day, today_in
from service.faults import NOTHING
from service.gaps import BYS, LEVELS, Number, Question
from service.reporting import SEVERITIES, Row, counted, gravest_first, rows_of_found, severity_of, title_of
from service.rulebook import Page, page_of, rules_of
from service.shell import (
    ARGUMENTS,
    WRITTEN,
    answered,
    common,
    data_of,
    is_empty,
    opened,
    print_json,
    settings_of,
    tell,
    wants_json,
    wording_of,
)
from service.wording import Wording

FORMATS = ("text", "json", "csv", "xlsx", "turtle", "html", "sarif")
_NAMES = tuple(SEVERITIES.values())
_STYLES = {"error": "red", "warning": "yellow", "info": "cyan"}

as_of_option = click.option("--as-of", default="", metavar="DAY", help="The day asked about, YYYY-MM-DD; today.")
out_option = click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file instead of printing."
)
shapes_option = click.option(
    "--shapes", "shapes", multiple=True, type=click.Path(path_type=Path, exists=True), metavar="DIR",
    help="A folder (or file) of SHACL shapes of your own; repeat it.",
)  # fmt: skip


# --- check ----------------------------------------------------------------------------------------------------------


@click.command()
@click.argument("files", nargs=-1, type=WRITTEN, metavar="[FILE]...")
@as_of_option
@shapes_option
@click.option("--own-rules/--no-own-rules", default=True, help="Whether to run the rules that come with diaba.")
@click.option("--with", "beside", multiple=True, type=WRITTEN, metavar="FILE", help="Read beside them, not judged.")
@click.option("--pack", metavar="NAME", help="The pack that files are held against; none for none.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="What to write; text.")
@click.option("--severity", type=click.Choice(_NAMES), default="info", show_default=True, help="The least to show.")
@click.option(
    "--fail-on", type=click.Choice([*_NAMES, "never"]), default="error", show_default=True,
    help="The least grave that ends with exit code 1.",
)
@click.option("--rule", "only", multiple=True, type=WRITTEN, metavar="NAME", help="Only this rule; repeat it.")
@click.option("--explain", is_flag=True, help="Say which way each rule was run.")
@out_option
@common
@click.pass_context
def check(
    ctx: click.Context, files: tuple[str, ...], as_of: str, shapes: tuple[Path, ...], own_rules: bool,
    beside: tuple[str, ...], pack: str | None, form: str | None, severity: str, fail_on: str, only: tuple[str, ...],
    explain: bool, out: Path | None,
) -> None:  # fmt: skip
    """Check FILEs as they are, before they are loaded; without any, the register."""
    say = wording_of(ctx)
    form = form or ("json" if wants_json(ctx) else "text")
    if not own_rules and not shapes:
        raise BadQuestion(say("check.no_rules"), remedy=say("check.give_shapes"))
    if shapes and not is_limited():
        ctx.exit(_limited(ctx))
    report = _of_files if files else _of_register
    rows, found, rules, more, label = report(
        ctx, say, as_of=as_of, files=files, shapes=shapes, own=own_rules, beside=beside, pack=pack, only=only,
        explain=explain,
    )  # fmt: skip
    shown = [number for number, row in enumerate(rows) if _NAMES.index(row.severity) <= _NAMES.index(severity)]
    rows, found = [rows[number] for number in shown], [found[number] for number in shown]
    _write(ctx, form, out, rows, found, rules, say, more, label, files=bool(files))
    failing = [row for row in rows if fail_on != "never" and _NAMES.index(row.severity) <= _NAMES.index(fail_on)]
    ctx.exit(NOTHING if failing else 0)


def _limited(ctx: click.Context) -> int:
    """Run this line again in a process that can be stopped: shapes that anybody wrote may ask for anything."""
    code, out, err = limited("service", ctx.meta[ARGUMENTS])
    for stream, written in ((sys.stdout, out), (sys.stderr, err)):
        stream.write(written.decode("utf-8", "replace"))
    return code


def _of_files(
    ctx: click.Context, say: Wording, *, as_of: str, files: Sequence[str], shapes: Sequence[Path], own: bool,
    beside: Sequence[str], pack: str | None, only: Sequence[str], explain: bool,
) -> tuple[list[Row], list[Any], Rules, dict[str, Any], str]:  # fmt: skip
    context = _pack(ctx, pack)
    rules = _rules(context.name, shapes, own)
    day = parse_day(as_of, say) if as_of else today_in(context.timezone)
    inspection = Inspector(rules, context, beside).inspect(files, day)
    wanted = {_named_rule(name, rules, say).iri for name in only}
    found = [one for one in gravest_first(inspection.found) if not wanted or one.rule in wanted]
    languages = _languages(say, context.languages)
    rows = rows_of_found(inspection.reader, found, rules, day, languages, say)
    more: dict[str, Any] = {
        "as_of": day.isoformat(), "files": list(inspection.files), "not_read": list(inspection.unread),
        "statements": inspection.statements,
        "rules": {
            "applied": sum(rule.applicable(day) for rule in rules),
            "not_applicable": [rule.name for rule in rules if not rule.applicable(day)],
        },
    }  # fmt: skip
    if explain:
        more["routes"] = _routes(rules, inspection.routes)
    label = say("check.files", count=say.number(len(inspection.files)), day=say.day(day))
    return rows, found, rules, more, label


def _of_register(
    ctx: click.Context, say: Wording, *, as_of: str, files: Sequence[str], shapes: Sequence[Path], own: bool,
    beside: Sequence[str], pack: str | None, only: Sequence[str], explain: bool,
) -> tuple[list[Row], list[Any], Rules, dict[str, Any], str]:  # fmt: skip
    if beside or pack:
        raise BadQuestion(say("check.of_files"), remedy=say("check.name_files"))
    with opened(ctx) as reader:
        rules = rules_of(reader.pack.name, shapes, own=own)
        wanted = [_named_rule(name, rules, say).iri for name in only]
        question = asked.read_question(reader, rules, say, as_of=as_of, rule=wanted)
        rows: list[Row] = []
        found: list[Any] = []
        if own:
            found = [gap.finding for gap in read_gaps(reader.graph, question.day, question.wanted, limit=None).gaps]
            rows, _ = asked.page(reader, rules, question, say, limit=None)
        more: dict[str, Any] = {
            "as_of": question.day.isoformat(), "revision": reader.revision,
            "rules": {
                "applied": sum(rule.applicable(question.day) for rule in rules),
                "not_applicable": [rule.name for rule in rules if not rule.applicable(question.day)],
            },
        }  # fmt: skip
        if shapes:
            theirs = rules_of(reader.pack.name, shapes, own=False)
            judged, routes = judge(theirs, reader.graph, question.day)
            judged = gravest_first(one for one in judged if not wanted or one.rule in wanted)
            found += judged
            languages = asking.languages_of(say, reader)
            rows += rows_of_found(reader.graph, judged, theirs, question.day, languages, say)
            if explain:
                more["routes"] = _routes(theirs, routes)
    return rows, found, rules, more, say("check.register", day=say.day(question.day))


def _routes(rules: Rules, routes: Mapping[Any, Any]) -> list[dict[str, str]]:
    return [
        {"rule": tail(iri), "way": route.way.value, "why": route.why}
        for iri, several in sorted(routes_by_rule(rules, routes).items())
        for route in several
    ]


def _pack(ctx: click.Context, name: str | None) -> Any:
    """Return the pack that files are held against: the one named, else the data directory's, else Vietnam's."""
    if name is not None:
        return pack_of(None if name == "none" else name)
    data = settings_of(ctx).data
    return pack_of("vn") if is_empty(data) else pack_in(data)


def _rules(pack: str, shapes: Sequence[Path], own: bool) -> Rules:
    return rules_of(pack, shapes, own=own)


def _languages(say: Wording, of_pack: Sequence[str]) -> tuple[str, ...]:
    first = tuple(of_pack) if say.own_names else (say.language,)
    return (*first, *(language for language in ("vi", "en") if language not in first))


def _named_rule(name: str, rules: Rules, say: Wording) -> Rule:
    if name in rules.by_name:
        return rules.by_name[name]
    near = difflib.get_close_matches(name, rules.by_name, n=3, cutoff=0.4)
    remedy = say("rules.did_you_mean", names=", ".join(near)) if near else say("rules.list")
    raise BadQuestion(say("rules.unknown", name=name), remedy=remedy)


def _write(
    ctx: click.Context, form: str, out: Path | None, rows: Sequence[Row], found: Sequence[Any], rules: Rules,
    say: Wording, more: Mapping[str, Any], label: str, *, files: bool,
) -> None:  # fmt: skip
    if form == "text":
        lines = [writing.line_of(row, say) for row in rows]
        lines += _explained(more.get("routes", ()), say)
        if out is None:
            terminal.lines(lines, [_STYLES[row.severity] for row in rows])
            tell(f"{label} {_summary(rows, say)}")
        else:
            _save(out, "".join(f"{line}\n" for line in [*lines, f"{label} {_summary(rows, say)}"]).encode(), say)
        if files:
            for name in more["not_read"]:
                tell(say("check.not_read", file=name))
        return
    if form == "json":
        body = {"summary": counted(rows), **more, "findings": [row.as_json() for row in rows]}
        if out is None:
            print_json(body)
            return
        data = json.dumps(body, ensure_ascii=False, indent=2).encode() + b"\n"
    else:
        notes = [label, _summary(rows, say)]
        data = _as_file(form, rows, found, rules, say, label, notes, files=files)
    _save(out, data, say) if out is not None else _print(ctx, data)


def _as_file(
    form: str, rows: Sequence[Row], found: Sequence[Any], rules: Rules, say: Wording, title: str,
    notes: Sequence[str], *, files: bool,
) -> bytes:  # fmt: skip
    if form == "turtle":
        return write_report(found, rules)
    if form == "sarif":
        return json.dumps(writing.write_sarif(rows, rules, say), ensure_ascii=False, indent=2).encode() + b"\n"
    if form == "html":
        return writing.write_html(rows, say, title, notes).encode()
    headings, cells = writing.table_of(rows, say, files=files)
    if form == "csv":
        return writing.write_csv(headings, cells).encode()
    by_rule: dict[str, int] = {}
    for row in rows:
        by_rule[row.rule.iri] = by_rule.get(row.rule.iri, 0) + 1
    return writing.write_xlsx(
        {say("gaps.findings"): (headings, cells), say("gaps.rules"): writing.rules_table(rules, by_rule, say)}
    )


def _explained(routes: Sequence[Mapping[str, str]], say: Wording) -> list[str]:
    return [f"{one['rule']}: {one['way']}" + (f" ({one['why']})" if one["why"] else "") for one in routes]


def _summary(rows: Sequence[Row], say: Wording) -> str:
    numbers = counted(rows)
    return say("check.summary", **{f"{name}s": say.number(numbers[name]) for name in _NAMES})


def _save(out: Path, data: bytes, say: Wording) -> None:
    out.write_bytes(data)
    tell(say("check.written", path=out))


def _print(ctx: click.Context, data: bytes) -> None:
    answered(ctx)
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


# --- gaps -----------------------------------------------------------------------------------------------------------


@click.command()
@click.option("--by", type=click.Choice(list(BYS)), help="Count by this; by rule when nothing else is asked.")
@as_of_option
@click.option("--since", default="", metavar="DAY", help="What opened and closed since this day.")
@click.option("--since-change", type=click.IntRange(0), metavar="N", help="What changes after number N brought.")
@click.option("--rule", multiple=True, type=WRITTEN, metavar="NAME", help="Only of this rule; repeat it.")
@click.option("--body", multiple=True, type=WRITTEN, metavar="BODY", help="Only of what this body answers for.")
@click.option("--level", multiple=True, type=click.Choice(LEVELS), help="Only of this level of government.")
@click.option("--area", multiple=True, type=WRITTEN, metavar="AREA", help="Only in this area.")
@click.option("--field", multiple=True, type=WRITTEN, metavar="FIELD", help="Only in this field.")
@click.option("--severity", multiple=True, type=click.Choice(_NAMES), help="Only of this severity; repeat it.")
@click.option("--list", "listing", is_flag=True, help="List the findings instead of counting them.")
@click.option("--limit", type=click.IntRange(1), help="How many at most.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="What to write; text.")
@out_option
@common
@click.pass_context
def gaps(
    ctx: click.Context, by: str | None, as_of: str, since: str, since_change: int | None, rule: tuple[str, ...],
    body: tuple[str, ...], level: tuple[str, ...], area: tuple[str, ...], field: tuple[str, ...],
    severity: tuple[str, ...], listing: bool, limit: int | None, form: str | None, out: Path | None,
) -> None:  # fmt: skip
    """Count and list what the rules find in the register on a day."""
    say = wording_of(ctx)
    form = form or ("json" if wants_json(ctx) else "text")
    listing = listing or (by is None and form not in ("text", "json"))
    if by and form not in ("text", "json", "csv", "xlsx"):
        raise BadQuestion(say("gaps.no_numbers", form=form), remedy=say("gaps.numbers_in"))
    with opened(ctx) as reader:
        rules = rules_of(reader.pack.name)
        question = asked.read_question(
            reader, rules, say, as_of=as_of, since=since, rule=rule, body=body, level=level, area=area, field=field,
            severity=severity,
        )  # fmt: skip
        numbers = asked.numbers(reader, rules, question, by or "rule", say)
        totals = asked.severities(reader, question)
        rows, total = asked.page(reader, rules, question, say, limit=limit) if listing or form == "json" else ([], 0)
        moved = asked.moves(reader, rules, question, say)
        found = read_gaps(reader.graph, question.day, question.wanted, limit=limit).gaps if form == "turtle" else ()
        brought = _brought(ctx, reader, rules, question, since_change, say) if since_change is not None else {}
    label = say("gaps.on", day=say.day(question.day))
    if form == "json":
        answer = {
            "as_of": question.day.isoformat(), "revision": reader.revision, "total": sum(totals.values()), **totals,
            "by": by or "rule", "counts": [number.as_json() for number in numbers],
            "findings": [row.as_json() for row in rows],
        }  # fmt: skip
        if question.since:
            answer["since"] = question.since.isoformat()
            answer |= {way: [row.as_json() for row in several] for way, several in moved.items()}
        if since_change is not None:
            answer |= {"since_change": since_change, "brought": brought}
        data = json.dumps(answer, ensure_ascii=False, indent=2).encode() + b"\n"
        print_json(answer) if out is None else _save(out, data, say)
        return
    if form != "text":
        if by:
            headings, cells = _numbers_table(numbers, by, question, say)
            named = {say("gaps.title"): (headings, cells)}
            data = writing.write_csv(headings, cells).encode() if form == "csv" else writing.write_xlsx(named)
        else:
            notes = [say("gaps.total", **{f"{name}s": say.number(count) for name, count in totals.items()})]
            data = _as_file(form, rows, [gap.finding for gap in found], rules, say, label, notes, files=False)
        _save(out, data, say) if out is not None else _print(ctx, data)
        return
    said = say("gaps.total", **{f"{name}s": say.number(count) for name, count in totals.items()})
    if listing:
        terminal.show(terminal.heading(label, said), Text())
        terminal.lines([writing.line_of(row, say) for row in rows], [_STYLES[row.severity] for row in rows])
        if limit is not None and total > len(rows):
            tell(say("gaps.more", shown=say.number(len(rows)), total=say.number(total)))
    else:
        terminal.show(terminal.heading(label, said), Text(), _numbers(numbers, by or "rule", question, say))
        quiet = [number for number in numbers if not number.applicable]
        if quiet:
            tell(say("gaps.not_applicable", count=say.number(len(quiet))))
    for way in ("opened", "closed"):
        if moved.get(way):
            terminal.show(Text(), Text(say(f"gaps.{way}", count=say.number(len(moved[way])), since=say.day(since)),
                                       style="bold"))  # fmt: skip
            terminal.lines(
                [writing.line_of(row, say) for row in moved[way][: limit or _SHOWN]],
                [_STYLES[row.severity] for row in moved[way][: limit or _SHOWN]],
            )


    for way, several in brought.items():
        if several:
            count = say.number(len(several))
            title = say(f"gaps.{way}", count=count, since=say("gaps.change", number=since_change))
            terminal.show(Text(), Text(title, style="bold"))
            terminal.lines(
                [f"{say('severity.' + one['severity'])} {one['name']}: {one['about']['label']}" for one in several],
                [_STYLES[one["severity"]] for one in several],
            )


def _brought(
    ctx: click.Context, reader: Any, rules: Rules, question: Question, since: int, say: Wording
) -> dict[str, list[dict[str, Any]]]:
    """Return what the register reports on the day and did not before some change, and the other way round."""
    with journal_of(data_of(ctx)) as journal:
        moved = journal.ledger.difference(since, reader.revision, question.day)
    both = {"opened": moved.opened, "closed": moved.resolved}
    things = {told.line.about for several in both.values() for told in several}
    names = captions(reader.graph, things, question.day, asking.languages_of(say, reader), say)
    wanted = set(question.wanted.rules)
    return {
        way: [
            {
                "name": tail(told.line.rule),
                "rule": {"iri": told.line.rule, "label": title_of(rules.by_iri[told.line.rule], say)
                         if told.line.rule in rules.by_iri else tail(told.line.rule)},
                "about": {"iri": told.line.about, "label": names[told.line.about]},
                "severity": severity_of(told.line.severity),
                "first_seen": {"change": told.seen.revision, "at": told.seen.at},
                "resolved": {"change": told.resolved.revision, "at": told.resolved.at} if told.resolved else None,
            }
            for told in several
            if not wanted or told.line.rule in wanted
        ]
        for way, several in both.items()
    }  # fmt: skip


#: how many of what opened or closed are shown where nobody says how many
_SHOWN = 20


def _numbers(numbers: Sequence[Number], by: str, question: Question, say: Wording) -> Any:
    headings = [say(f"by.{by}"), *(say(f"severity.{name}s") for name in _NAMES)]
    if question.since:
        headings += [say("column.opened"), say("column.closed")]
    rows = []
    for one in numbers:
        cells = [one.errors, one.warnings, one.infos] + ([one.opened, one.closed] if question.since else [])
        if any(cells):
            note = tail(one.key.iri) if by == "rule" else ""
            rows.append((one.key.label, note, [say.number(cell) if cell else "–" for cell in cells]))
    return terminal.counted(headings, rows)


def _numbers_table(
    numbers: Sequence[Number], by: str, question: Question, say: Wording
) -> tuple[list[str], list[list[Any]]]:
    headings = [say(f"by.{by}"), *([say("column.name")] if by == "rule" else []), say("column.count"),
                say("severity.errors"), say("severity.warnings"), say("severity.infos")]  # fmt: skip
    if question.since:
        headings += [say("column.opened"), say("column.closed")]
    cells = []
    for one in numbers:
        row: list[Any] = [one.key.label, *([tail(one.key.iri)] if by == "rule" else []), one.total, one.errors,
                          one.warnings, one.infos]  # fmt: skip
        cells.append(row + ([one.opened, one.closed] if question.since else []))
    return headings, cells


# --- rules ----------------------------------------------------------------------------------------------------------


@click.command()
@click.argument("name", required=False, type=WRITTEN)
@as_of_option
@shapes_option
@click.option("--format", "form", type=click.Choice(["text", "json", "csv", "xlsx", "markdown"]), help="What to write.")
@common
@click.pass_context
def rules(ctx: click.Context, name: str | None, as_of: str, shapes: tuple[Path, ...], form: str | None) -> None:
    """List the rules with their law and what each finds on a day; with a NAME, all about one."""
    say = wording_of(ctx)
    form = form or ("json" if wants_json(ctx) else "text")
    with opened(ctx) as reader:
        book = rules_of(reader.pack.name, shapes)
        day = parse_day(as_of, say) if as_of else today_in(reader.pack.timezone)
        found = asked.found_by_rule(reader, day)
        languages = asking.languages_of(say, reader)
        chosen = [_named_rule(name, book, say)] if name else list(book)
        pages = [page_of(rule, reader.graph, day, found, languages, say) for rule in chosen]
    if form == "json":
        told = [page.as_json() for page in pages]
        print_json(told[0] if name else {"as_of": day.isoformat(), "rules": told})
    elif form in ("csv", "xlsx"):
        headings, cells = writing.rules_table(chosen, found, say)
        data = writing.write_csv(headings, cells).encode() if form == "csv" else writing.write_xlsx(
            {say("gaps.rules"): (headings, cells)}
        )  # fmt: skip
        _print(ctx, data)
    elif form == "markdown":
        click.echo(markdown(chosen, say), nl=False)
    elif name:
        terminal.show(*_about(pages[0], say))
    else:
        headings = [say("column.fault"), say("column.severity"), say("column.count")]
        rows = [
            (page.label, " · ".join(part for part in (page.name, page.law) if part),
             [say(f"severity.{page.severity}"), say.number(page.count) if page.applicable else say("rules.off")])
            for page in pages
        ]  # fmt: skip
        heading = terminal.heading(say("rules.title"), say("rules.on", count=len(pages), day=say.day(day)))
        terminal.show(heading, Text(), terminal.counted(headings, rows))


def _about(page: Page, say: Wording) -> list[Any]:
    facts = [
        (say("column.rule"), page.name),
        (say("column.severity"), say(f"severity.{page.severity}")),
        (say("rules.judges"), say(f"judges.{page.judges}")),
        (say("column.law"), page.law),
        (say("rules.days"), page.days),
        (say("rules.inference"), say("rules.inferred") if page.inferred else ""),
        (say("column.count"), say.number(page.count) if page.applicable else say("rules.not_applicable")),
    ]
    parts = [
        terminal.heading(page.label, page.iri), Text(), Text(page.why), Text(),
        terminal.listing([""] * 2, [[title, words] for title, words in facts if words]), Text(),
        Text(say("rules.message"), style="bold"), Text(page.message),
    ]  # fmt: skip
    for example in page.examples:
        title = say("rules.good") if example.good else say("rules.bad")
        parts += [Text(), Text(f"{title}: {example.file}", style="bold"), Text(example.body)]
    return parts


def markdown(chosen: Sequence[Rule], say: Wording) -> str:
    """Return a table of rules for the documentation."""
    lines = [f"| {say('column.rule')} | {say('column.fault')} | {say('column.severity')} | {say('column.law')} |",
             "|---|---|---|---|"]  # fmt: skip
    for rule in chosen:
        law = rule.citation.get(say.language) or ""
        inferred = f" ({say('rules.inferred_short')})" if rule.inferred else ""
        severity = say(f"severity.{severity_of(rule.severity)}")
        lines.append(f"| `{rule.name}` | {title_of(rule, say)} | {severity}{inferred} | {law} |")
    return "\n".join(lines) + "\n"
