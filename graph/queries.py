"""Read the canned questions of ``queries/*.rq`` and ask them: one question, one file, one name.

A file opens with a header in comments that says what the question is for, what it takes and what it gives, and is a
SPARQL 1.1 query that runs as it stands, because the sample values of its parameters stand in a ``VALUES`` line first
in ``WHERE``. Binding writes that one line anew with checked terms and touches nothing else, so no value can become
syntax. A file that does not keep to this is refused with its line, never half understood.

The header, line by line (``service/docs/queries.md`` describes it for writers)::

    # title                          problem and solution are written likewise
    #   vi: …                        three blanks, language, colon, text
    #       goes on here             seven blanks or more continue the text
    # parameter day date = today     sorts: iri, date, integer, text; a default is optional
    #   en: Day | the day asked for  label | meaning
    # column holder
    #   en: Holder | …
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path

import pyoxigraph as ox

from graph.errors import BadQuestion, Malformed, Place, Unreadable
from graph.store import Reader
from graph.terms import XSD

#: the language that every text of a header has, whatever others it has
FALLBACK = "en"

#: longest value of a parameter, in characters
LONGEST = 2000

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_ENTRY = re.compile(r"# (\S.*)")
_TEXT = re.compile(r"#   ([a-z]{2,3}): (\S.*)")
_MORE = re.compile(r"#       +(\S.*)")
_PARAMETER = re.compile(r"parameter ([a-z][A-Za-z0-9]*) (\S+)(?: = (\S.*))?")
_COLUMN = re.compile(r"column ([a-z][A-Za-z0-9]*)")
_DEFAULT = re.compile(r"language|today(?:\+([0-9]{1,5}))?")
_VALUES = re.compile(r"(\s*)VALUES \(((?:\?[A-Za-z0-9]+ ?)+)\) \{ \((.*)\) \}\s*")
_OPENING = re.compile(r"\bWHERE \{\s*$")
_SAMPLE = re.compile(r'<([^<>\s]*)>|"([^"\\]*)"(\^\^xsd:date)?|(-?[0-9]+)')
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
#: what may hide a keyword: IRIs, strings, comments and variables
_OPAQUE = re.compile(r"""<[^<>\s]*>|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|#[^\n]*|[?$]\w+|\w*:\w+""")
_Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
_REFUSED = re.compile(r"\b(SERVICE|LATERAL)\b", re.IGNORECASE)


class Sort(StrEnum):
    """Tell what a parameter takes."""

    iri = "iri"
    date = "date"
    integer = "integer"
    text = "text"


class Form(StrEnum):
    """Tell what a query gives: rows, a yes or no, or statements."""

    select = "select"
    ask = "ask"
    construct = "construct"


@dataclass(frozen=True, slots=True)
class Parameter:
    """Describe one value that a query takes; ``sample`` is the value that stands in its file.

    ``default`` is ``today``, ``today+N`` (days) or ``language``, to be filled by whoever knows the clock and the
    reader's language; ``None`` means that the value must be given.
    """

    name: str
    sort: Sort
    sample: str
    default: str | None
    label: Mapping[str, str]
    meaning: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """Describe one column of what a query gives."""

    name: str
    label: Mapping[str, str]
    meaning: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CannedQuery:
    """Hold one question: what it is for, in each language of its header, and its text, which runs as it stands."""

    name: str
    title: Mapping[str, str]
    problem: Mapping[str, str]
    solution: Mapping[str, str]
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    form: Form
    text: str
    place: Place
    line: int = field(repr=False)

    @property
    def description(self) -> dict[str, str]:
        """Return problem and solution in one text per language."""
        return {language: f"{self.problem[language]} {self.solution[language]}" for language in self.problem}

    @property
    def samples(self) -> dict[str, str]:
        """Return the values with which the text stands in its file."""
        return {parameter.name: parameter.sample for parameter in self.parameters}

    def bind(self, values: Mapping[str, str], *, today: date | None = None, language: str | None = None) -> str:
        """Return the text with these values in place of the samples.

        What is not given is taken from its default: ``today`` and ``language`` are the caller's. Raises
        ``BadQuestion`` for a name that the query does not know, a value missing or of the wrong sort.
        """
        known = [parameter.name for parameter in self.parameters]
        strange = sorted(set(values) - set(known))
        if strange:
            raise BadQuestion(
                f"The query {self.name} takes no parameter {', '.join(strange)}",
                remedy=f"It takes {', '.join(known)}." if known else "It takes none.",
            )
        if not self.parameters:
            return self.text
        terms = []
        for parameter in self.parameters:
            value = values.get(parameter.name)
            if value is None:
                value = _default(self.name, parameter, today, language)
            terms.append(_term(self.name, parameter, value))
        lines = self.text.split("\n")
        variables = " ".join("?" + name for name in known)
        indent = lines[self.line][: len(lines[self.line]) - len(lines[self.line].lstrip())]
        lines[self.line] = f"{indent}VALUES ({variables}) {{ ({' '.join(str(term) for term in terms)}) }}"
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Table:
    """Hold what a query gave: ``kinds`` mirrors ``rows`` and says of each value what it is.

    A kind is ``iri``, ``node`` (blank), ``text`` or the last part of the literal's datatype (``date``, ``integer`` …);
    a value that is missing is ``None`` in both.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    kinds: tuple[tuple[str | None, ...], ...]


def load_queries(folders: Iterable[Path]) -> dict[str, CannedQuery]:
    """Return the queries of all ``*.rq`` files under these folders by name, sorted.

    Raises ``Unreadable`` for a folder or file that cannot be read and ``Malformed`` (file, line) for a header or query
    that does not keep to the form, or for a name that two files share.
    """
    found: dict[str, CannedQuery] = {}
    for folder in folders:
        if not folder.is_dir():
            raise Unreadable(f"There is no folder of queries {folder}", remedy="Name a folder that holds .rq files.")
        for path in sorted(folder.rglob("*.rq")):
            query = read_query(path)
            if query.name in found:
                raise Malformed(
                    f"The query {query.name} is there twice, the other one is {found[query.name].place.file}",
                    remedy="Rename one of the two files.",
                    place=query.place,
                )
            found[query.name] = query
    return dict(sorted(found.items()))


def read_query(path: Path) -> CannedQuery:
    """Return the query that a file holds; the errors are those of ``load_queries``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(
            f"The query cannot be read: {error}",
            remedy="Save it as UTF-8 text that may be read.",
            place=Place(str(path)),
        ) from error
    return parse_query(path.stem, text, str(path))


def parse_query(name: str, text: str, file: str) -> CannedQuery:
    """Return the query in ``text``, named ``name``; ``file`` tells where a fault is."""
    if not _NAME.fullmatch(name):
        raise _wrong(file, None, f"The name {name} is none for a query", "Use lower case letters, digits and hyphens.")
    text = text.replace("\r\n", "\n")
    entries = _entries(text, file)
    once: dict[str, _Entry] = {}
    parameters: list[_Entry] = []
    columns: list[_Entry] = []
    for entry in entries:
        word = entry.words.split(" ")[0]
        if word == "parameter":
            parameters.append(entry)
        elif word == "column":
            columns.append(entry)
        elif entry.words in ("title", "problem", "solution"):
            if entry.words in once:
                raise _wrong(file, entry.line, f"The header gives its {word} twice", "Keep one of them.")
            once[entry.words] = entry
        else:
            raise _wrong(
                file,
                entry.line,
                f'The header line "{entry.words}" is not understood',
                "Write title, problem, solution, parameter NAME SORT [= DEFAULT] or column NAME.",
            )
    for word in ("title", "problem", "solution"):
        if word not in once:
            raise _wrong(file, 1, f"The header gives no {word}", f"Add it: # {word}, then #   en: …")
    languages = set(once["title"].says)
    for entry in entries:
        if set(entry.says) != languages or FALLBACK not in languages:
            raise _wrong(
                file,
                entry.line,
                f"The header says {entry.words} in {', '.join(sorted(entry.says)) or 'no language'}, "
                f"and its title in {', '.join(sorted(languages)) or 'no language'}",
                f"Say every entry in the same languages, {FALLBACK} among them.",
            )
    line, variables, samples = _values(text, file, bool(parameters))
    takes = _parameters(parameters, line, variables, samples, file)
    form, projected = _projection(text, file)
    query = CannedQuery(
        name,
        once["title"].says,
        once["problem"].says,
        once["solution"].says,
        takes,
        _columns(columns, file),
        form,
        text,
        Place(file),
        line,
    )
    given = [column.name for column in query.columns]
    if given != projected:
        raise _wrong(
            file,
            columns[0].line if columns else 1,
            f"The header describes the columns {', '.join(given) or 'none'}; "
            f"the query gives {', '.join(projected) or 'none'}",
            "Describe each column, in the order of SELECT; ASK and CONSTRUCT have none.",
        )
    return query


def run(
    reader: Reader,
    query: CannedQuery,
    values: Mapping[str, str],
    *,
    today: date | None = None,
    language: str | None = None,
    limit: int | None = None,
) -> Table:
    """Ask the reader's union of all graphs and return the rows, at most ``limit`` of them.

    A yes or no comes as one row of one column ``answer``, statements as ``subject``, ``predicate``, ``object``. Raises
    ``BadQuestion`` as ``bind`` does.
    """
    result = reader.query(query.bind(values, today=today, language=language))
    columns: tuple[str, ...]
    terms: Iterator[tuple[_Term | None, ...]]
    if isinstance(result, ox.QueryBoolean):
        columns, terms = ("answer",), iter([(ox.Literal(bool(result)),)])
    elif isinstance(result, ox.QuerySolutions):
        columns = tuple(variable.value for variable in result.variables)
        terms = (tuple(solution[name] for name in columns) for solution in result)
    else:
        columns = ("subject", "predicate", "object")
        terms = ((triple.subject, triple.predicate, triple.object) for triple in result)
    rows = list(islice(terms, limit))
    return Table(
        columns,
        tuple(tuple(_written(term) for term in row) for row in rows),
        tuple(tuple(_kind(term) for term in row) for row in rows),
    )


def _written(term: _Term | None) -> str | None:
    if term is None:
        return None
    return str(term) if isinstance(term, ox.Triple) else term.value


def _kind(term: _Term | None) -> str | None:
    if term is None:
        return None
    if isinstance(term, ox.NamedNode):
        return "iri"
    if not isinstance(term, ox.Literal):
        return "node"
    if term.language or term.datatype.value == XSD.string:
        return "text"
    return re.split("[#/]", term.datatype.value)[-1]


# --- values ------------------------------------------------------------------------------------------------------


def _default(query: str, parameter: Parameter, today: date | None, language: str | None) -> str:
    rule = _DEFAULT.fullmatch(parameter.default or "")
    if rule and rule.group() == "language" and language is not None:
        return language
    if rule and rule.group() != "language" and today is not None:
        try:
            return (today + timedelta(days=int(rule.group(1) or 0))).isoformat()
        except OverflowError:
            raise BadQuestion(
                f"The query {query} would ask for a day after the end of the calendar",
                remedy=f"Give {parameter.name} yourself, or ask for an earlier day.",
            ) from None
    raise BadQuestion(
        f"The query {query} needs {parameter.name}, {parameter.meaning[FALLBACK]}",
        remedy=f"Give it, for example {parameter.name}={parameter.sample}.",
    )


def _term(query: str, parameter: Parameter, value: str) -> ox.NamedNode | ox.Literal:
    """Return the value as a term of the parameter's sort, or say why it is none.

    Texts with a backslash are refused, because SPARQL 1.1 §19.2 has engines expand ``\\uXXXX`` before they parse.
    """
    fault = None
    if len(value) > LONGEST:
        fault = f"is longer than {LONGEST} characters"
    elif any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        fault = "holds a control character or half a character"
    elif parameter.sort is Sort.iri:
        try:
            return ox.NamedNode(value)
        except ValueError as error:
            fault = f"is no absolute IRI ({error})"
    elif parameter.sort is Sort.date:
        if _is_day(value):
            return ox.Literal(value, datatype=ox.NamedNode(XSD.date))
        fault = "is no day written YYYY-MM-DD"
    elif parameter.sort is Sort.integer:
        if _INTEGER.fullmatch(value):
            return ox.Literal(value, datatype=ox.NamedNode(XSD.integer))
        fault = "is no whole number of up to 18 digits"
    elif not value.strip():
        fault = "is empty"
    elif "\\" in value:
        fault = "holds a backslash"
    else:
        return ox.Literal(value)
    shown = ascii(value if len(value) <= 80 else value[:80] + "…")
    raise BadQuestion(
        f"The value {shown} of {parameter.name} in the query {query} {fault}",
        remedy=f"Give it like {parameter.name}={parameter.sample}.",
    )


def _is_day(value: str) -> bool:
    if not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


# --- files -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Entry:
    """Hold one entry of a header while it is read."""

    words: str
    line: int
    says: dict[str, str] = field(default_factory=dict)


def _wrong(file: str, line: int | None, message: str, remedy: str) -> Malformed:
    return Malformed(message, remedy=remedy, place=Place(file, line))


def _entries(text: str, file: str) -> list[_Entry]:
    entries: list[_Entry] = []
    language = None
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip()
        if line == "#":
            language = None
        elif not line.startswith("#"):
            break
        elif found := _ENTRY.fullmatch(line):
            entries.append(_Entry(found[1], number))
            language = None
        elif (found := _TEXT.fullmatch(line)) and entries and found[1] not in entries[-1].says:
            language = found[1]
            entries[-1].says[language] = found[2]
        elif (found := _MORE.fullmatch(line)) and entries and language:
            entries[-1].says[language] += " " + found[1]
        else:
            raise _wrong(
                file,
                number,
                f'The header line "{line}" is not understood',
                'Write "# entry", "#   en: text" once per language, or seven blanks to continue a text.',
            )
    return entries


def _projection(text: str, file: str) -> tuple[Form, list[str]]:
    """Return the form and the projected variables; an empty store tells both, and whether the text is a query."""
    refused = _REFUSED.search(_OPAQUE.sub(" ", text))
    if refused:
        raise _wrong(
            file,
            None,
            f"The query uses {refused[0].upper()}",
            "Keep to SPARQL 1.1 over this register: no other service, no extension of an engine.",
        )
    try:
        result = ox.Store().query(text)
    except SyntaxError as error:
        place = re.search(r"at (\d+):", str(error))
        line = int(place[1]) if place else None
        raise _wrong(file, line, f"The query is no SPARQL: {error}", "Correct the query.") from error
    if isinstance(result, ox.QuerySolutions):
        return Form.select, [variable.value for variable in result.variables]
    return (Form.ask if isinstance(result, ox.QueryBoolean) else Form.construct), []


def _values(text: str, file: str, wanted: bool) -> tuple[int, list[str], list[tuple[Sort, str]]]:
    """Return the index of the line of samples, the variables and the samples with their sorts."""
    if not wanted:
        return 0, [], []
    lines = text.split("\n")
    opened = [at for at, line in enumerate(lines) if not line.startswith("#") and _OPENING.search(line)]
    if not opened:
        raise _wrong(file, None, 'No line ends in "WHERE {"', "Open the pattern so, and put VALUES on the next line.")
    number = opened[0] + 1
    found = _VALUES.fullmatch(lines[number]) if number < len(lines) else None
    samples = list(_SAMPLE.finditer(found[3])) if found else []
    if not found or _SAMPLE.sub("", found[3]).strip():
        raise _wrong(
            file,
            number + 1,
            "The line after WHERE { does not hold the samples",
            'Write VALUES (?a ?b) { (<https://…> "2025-02-28"^^xsd:date) } on one line, with an IRI, a date, '
            "a whole number or a plain text for each parameter.",
        )
    return number, [name.lstrip("?") for name in found[2].split()], [_sample(sample) for sample in samples]


def _sample(found: re.Match[str]) -> tuple[Sort, str]:
    iri, text, day, number = found.groups()
    if iri is not None:
        return Sort.iri, iri
    if number is not None:
        return Sort.integer, number
    return (Sort.date if day else Sort.text), text


def _parameters(
    entries: list[_Entry], line: int, variables: list[str], samples: list[tuple[Sort, str]], file: str
) -> tuple[Parameter, ...]:
    heads = []
    for entry in entries:
        head = _PARAMETER.fullmatch(entry.words)
        if not head or head[2] not in Sort.__members__ or (head[3] and not _DEFAULT.fullmatch(head[3])):
            raise _wrong(
                file,
                entry.line,
                f'The header line "{entry.words}" is no parameter',
                "Write parameter NAME SORT [= DEFAULT]: sorts iri, date, integer, text; defaults today, today+N "
                "(days), language.",
            )
        if head[3] and Sort(head[2]) is not (Sort.text if head[3] == "language" else Sort.date):
            raise _wrong(file, entry.line, f"{head[3]} is no {head[2]}", "Give a default of the parameter's sort.")
        heads.append(head)
    named = [head[1] for head in heads]
    if named != variables or len(samples) != len(variables) or len(set(named)) != len(named):
        raise _wrong(
            file,
            line + 1,
            f"The header describes the parameters {', '.join(named)}; VALUES has {', '.join(variables)} "
            f"with {len(samples)} values",
            "Name each parameter once in both, in the same order, with one sample value each.",
        )
    found = []
    for entry, head, (sort, sample) in zip(entries, heads, samples, strict=True):
        label, meaning = _described(entry, file)
        parameter = Parameter(head[1], Sort(head[2]), sample, head[3], label, meaning)
        if sort is not parameter.sort:
            raise _wrong(
                file, line + 1, f"The sample of {head[1]} is no {head[2]}", "Give a sample of the parameter's sort."
            )
        try:
            _term(Path(file).stem, parameter, sample)
        except BadQuestion as error:
            raise _wrong(file, line + 1, error.message, error.remedy) from error
        found.append(parameter)
    return tuple(found)


def _columns(entries: list[_Entry], file: str) -> tuple[Column, ...]:
    found = []
    for entry in entries:
        head = _COLUMN.fullmatch(entry.words)
        if not head:
            raise _wrong(file, entry.line, f'The header line "{entry.words}" is no column', "Write column NAME.")
        label, meaning = _described(entry, file)
        found.append(Column(head[1], label, meaning))
    return tuple(found)


def _described(entry: _Entry, file: str) -> tuple[dict[str, str], dict[str, str]]:
    label, meaning = {}, {}
    for language, text in entry.says.items():
        parts = [part.strip() for part in text.split(" | ")]
        if len(parts) != 2 or not all(parts):
            raise _wrong(
                file, entry.line, f"The {language} text of {entry.words} is not in two parts", "Write label | meaning."
            )
        label[language], meaning[language] = parts
    return label, meaning
