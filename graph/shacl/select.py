"""Read the text of a SPARQL SELECT or ASK into its parts.

The engine's own parser says first whether a text is SPARQL at all; this one then knows what the grammar allows, and
refuses what a shape may not use. A variable that a sub-SELECT keeps to itself gets a name that nothing else has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NoReturn

from graph.shacl import paths
from graph.shacl.paths import Path, Predicate
from graph.shacl.query import (
    Bind,
    Column,
    Element,
    Exists,
    Expression,
    Filter,
    Graph,
    Group,
    Key,
    Optional,
    Pattern,
    Select,
    Union,
    apart,
)
from graph.shacl.text import CORRECT, Text, Token, Tokens
from graph.terms import RDF

_NIL: Final = f"<{RDF.NS}nil>"
_MODIFIERS: Final = frozenset(["GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "VALUES"])


def read(text: Text) -> Select:
    """Return the parts of a query; raises ``ShapeFault`` where it is none, or uses what a shape may not."""
    text.check()
    text.check_expressions()
    select = _Parser(text).query()
    return apart(select)


class _Parser:
    """Walk over the words of a text that is known to be SPARQL."""

    def __init__(self, text: Text) -> None:
        self.source = text
        self.all = text.tokens()
        self.at = 0
        self.made = 0
        self.labels: dict[str, str] = {}

    # looking and taking

    def peek(self, ahead: int = 0) -> Token:
        at = self.at + ahead
        return self.all[at] if at < len(self.all) else Token("end", "", len(self.source.text))

    def take(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def word(self, *words: str) -> bool:
        token = self.peek()
        return token.kind == "word" and token.text.upper() in words

    def sign(self, text: str) -> bool:
        token = self.peek()
        return token.kind == "sign" and token.text == text

    def accept(self, text: str) -> bool:
        if self.sign(text) or self.word(text):
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            self.stop()

    def stop(self, message: str = "", remedy: str = CORRECT) -> NoReturn:
        token = self.peek()
        raise self.source.fault(message or f'The query cannot be followed at "{token.text[:30]}"', remedy, token.offset)

    def fresh(self, label: str = "") -> str:
        """Return a variable of its own for a blank node; the same for the same label."""
        if label and label in self.labels:
            return self.labels[label]
        self.made += 1
        name = f"?blank{self.made}_"
        if label:
            self.labels[label] = name
        return name

    # a query and its parts

    def query(self) -> Select:
        if self.accept("ASK"):
            self.accept("WHERE")
            select = Select((), self.group(), ask=True)
        elif self.word("SELECT"):
            select = self.select()
        else:
            self.stop("A body is a SELECT query", "Begin it with SELECT $this.")
        if self.peek().kind != "end":
            self.stop()
        return select

    def select(self) -> Select:
        self.expect("SELECT")
        distinct = self.accept("DISTINCT") or self.accept("REDUCED")
        columns: list[Column] = []
        if not self.accept("*"):
            while not self.word("WHERE", "FROM") and not self.sign("{"):
                if self.accept("("):
                    computed = self.until("AS")
                    columns.append(Column(self.take().name, computed))
                    self.expect(")")
                else:
                    columns.append(Column(self.take().name))
        if self.word("FROM"):
            self.stop("A body names its own graphs", "Leave FROM out: shapes judge all graphs together.")
        self.accept("WHERE")
        where = self.group()
        keys, having, order, limit = self.modifiers()
        return Select(tuple(columns), where, distinct, keys, having, order if limit else None, limit)

    def modifiers(self) -> tuple[tuple[Key, ...], tuple[Filter, ...], Expression | None, Tokens]:
        keys: list[Key] = []
        having: list[Filter] = []
        order: Expression | None = None
        limit: list[Token] = []
        while self.word(*_MODIFIERS):
            word = self.take().text.upper()
            if word == "VALUES":
                self.at -= 1
                self.refused()
            if word in ("GROUP", "ORDER"):
                self.expect("BY")
            start = self.at
            while not self.word(*_MODIFIERS) and not self.sign("}") and self.peek().kind != "end":
                if word == "GROUP":
                    keys.append(self.key())
                elif word == "HAVING":
                    having.append(Filter(self.condition()))
                else:
                    self.at += 1
            if word == "ORDER":
                order = self.between(start, self.at)
            elif word in ("LIMIT", "OFFSET"):
                limit.extend(self.all[start - 1 : self.at])
        return tuple(keys), tuple(having), order, tuple(limit)

    def key(self) -> Key:
        if self.peek().kind == "variable":
            token = self.take()
            return Key(Expression((token,)), token.name)
        if self.accept("("):
            computed = self.until("AS", ")")
            if self.all[self.at - 1].text == ")":
                return Key(computed)
            key = Key(computed, self.take().name)
            self.expect(")")
            return key
        return Key(self.condition())

    def until(self, *ends: str) -> Expression:
        """Take an expression up to one of these words at its own level, which is taken and left out."""
        start, depth = self.at, 0
        while True:
            token = self.peek()
            if depth == 0 and token.kind in ("word", "sign") and token.text.upper() in ends:
                break
            if token.kind == "end":
                self.stop()
            if token.kind == "sign":
                depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(token.text, 0)
            self.at += 1
        self.at += 1
        return self.between(start, self.at - 1)

    def between(self, start: int, end: int) -> Expression:
        """Return the words between two places as an expression, with the groups in it read too."""
        here = self.at
        tokens: list[Token] = []
        groups: list[Group] = []
        self.at = start
        while self.at < end:
            if self.sign("{"):
                tokens.append(Token("group", str(len(groups)), self.peek().offset))
                groups.append(self.group())
            else:
                tokens.append(self.take())
        self.at = here
        return Expression(tuple(tokens), tuple(groups))

    def condition(self) -> Expression:
        """Take a condition: in brackets, or a call of a function or EXISTS."""
        start = self.at
        if self.word("NOT", "EXISTS"):
            self.accept("NOT")
            self.expect("EXISTS")
            self.group()
        else:
            if not self.sign("("):
                self.take()
            self.expect("(")
            self.until(")")
        return self.between(start, self.at)

    def group(self) -> Group:
        self.expect("{")
        if self.word("SELECT"):
            inner = self.select()
            self.expect("}")
            return Group((inner,))
        found: list[Element] = []
        while not self.accept("}"):
            if self.accept("."):
                continue
            if self.accept("FILTER"):
                found.extend(_split(self.condition()))
            elif self.accept("OPTIONAL"):
                found.append(Optional(self.group()))
            elif self.accept("BIND"):
                self.expect("(")
                computed = self.until("AS")
                found.append(Bind(computed, self.take().name))
                self.expect(")")
            elif self.accept("GRAPH"):
                found.append(Graph(self.take().text, self.group()))
            elif self.word("MINUS", "VALUES", "SERVICE", "LATERAL"):
                self.refused()
            elif self.sign("{"):
                groups = [self.group()]
                while self.accept("UNION"):
                    groups.append(self.group())
                found.append(Union(tuple(groups)) if len(groups) > 1 else groups[0])
            else:
                self.triples(found)
        return Group(tuple(found))

    def refused(self) -> NoReturn:
        word = self.peek().text.upper()
        remedy = {
            "MINUS": "Write FILTER NOT EXISTS { … } instead.",
            "VALUES": "Write FILTER (?x IN (…)) instead.",
            "LATERAL": "Write it without: other engines do not know it.",
        }.get(word, "A shape judges this register only.")
        self.stop(f"A body may not use {word}", remedy)

    # patterns

    def triples(
        self, found: list[Element]
    ) -> None:
        patterns: list[Pattern] = []
        bracketed = self.sign("[") and not (self.peek(1).kind == "sign" and self.peek(1).text == "]")
        listed = self.sign("(")
        subject = self.node(patterns)
        if not ((bracketed or listed) and (self.sign(".") or self.sign("}"))):
            self.properties(subject, patterns)
        found.extend(patterns)

    def properties(self, subject: str, patterns: list[Pattern]) -> None:
        """Take ``verb object, object ; verb …`` of a subject."""
        while True:
            token = self.peek()
            verb: Path | str = self.take().text if token.kind == "variable" else self.path()
            while True:
                inner: list[Pattern] = []
                value = self.node(inner)
                patterns.extend(self.stretched(subject, verb, value))
                patterns.extend(inner)
                if not self.accept(","):
                    break
            if not self.accept(";"):
                return
            while self.accept(";"):
                continue
            if self.sign(".") or self.sign("}") or self.sign("]") or self.peek().kind == "end":
                return
            if self.word("FILTER", "OPTIONAL", "BIND", "GRAPH", "MINUS", "VALUES", "SERVICE") or self.sign("{"):
                return

    def stretched(self, subject: str, verb: Path | str, value: str) -> Iterator[Pattern]:
        """Yield a path as the patterns that it stands for: one for each step, forwards."""
        if isinstance(verb, paths.Inverse):
            yield from self.stretched(value, verb.path, subject)
        elif isinstance(verb, paths.Sequence):
            ends = [subject, *(self.fresh() for _ in verb.parts[1:]), value]
            for part, start, end in zip(verb.parts, ends, ends[1:], strict=False):
                yield from self.stretched(start, part, end)
        else:
            yield Pattern(subject, verb, value)

    def node(self, patterns: list[Pattern]) -> str:
        """Take a term, a bracket or a list; what is said inside of it goes to ``patterns``."""
        token = self.take()
        if token.kind in ("iri", "variable"):
            return token.text
        if token.kind == "label":
            return self.fresh(token.text)
        if token.kind == "number" or (token.kind == "word" and token.text in ("true", "false")):
            return token.text
        if token.kind == "text":
            if self.peek().kind == "tag":
                return token.text + self.take().text
            if self.accept("^^"):
                return f"{token.text}^^{self.take().text}"
            return token.text
        if token.kind == "sign" and token.text in "+-" and self.peek().kind == "number":
            return token.text + self.take().text
        if token.kind == "sign" and token.text == "[":
            name = self.fresh()
            if not self.accept("]"):
                self.properties(name, patterns)
                self.expect("]")
            return name
        if token.kind == "sign" and token.text == "(":
            return self.members(patterns)
        self.at -= 1
        self.stop()

    def members(self, patterns: list[Pattern]) -> str:
        if self.accept(")"):
            return _NIL
        cell = self.fresh()
        patterns.append(Pattern(cell, Predicate(RDF.NS + "first"), self.node(patterns)))
        patterns.append(Pattern(cell, Predicate(RDF.NS + "rest"), self.members(patterns)))
        return cell

    # paths

    def path(self) -> Path:
        parts = [self.sequence()]
        while self.accept("|"):
            parts.append(self.sequence())
        return parts[0] if len(parts) == 1 else paths.Alternative(tuple(parts))

    def sequence(self) -> Path:
        parts = [self.step()]
        while self.accept("/"):
            parts.append(self.step())
        return parts[0] if len(parts) == 1 else paths.Sequence(tuple(parts))

    def step(self) -> Path:
        inverse = self.accept("^")
        path = self.primary()
        for sign, repeated in (("*", paths.ZeroOrMore), ("+", paths.OneOrMore), ("?", paths.ZeroOrOne)):
            if self.accept(sign):
                path = repeated(path)
                break
        return paths.Inverse(path) if inverse else path

    def primary(self) -> Path:
        token = self.take()
        if token.kind == "iri":
            return Predicate(token.text[1:-1])
        if token.kind == "word" and token.text == "a":
            return Predicate(RDF.type)
        if token.kind == "path":
            assert self.source.path is not None
            return self.source.path
        if token.kind == "sign" and token.text == "(":
            path = self.path()
            self.expect(")")
            return path
        self.at -= 1
        if self.sign("!"):
            self.stop(
                "A body may not use a path that names what it does not follow",
                "Write ?x ?p ?y with FILTER (?p NOT IN (…)) instead.",
            )
        self.stop()


def _split(condition: Expression) -> Iterator[Filter | Exists]:
    """Take a condition apart at ``&&``; what is nothing but EXISTS is said to be that."""
    for tokens in _conjuncts(_bare(condition.tokens)):
        negated, rest = False, tokens
        while rest and (rest[0].text == "!" or rest[0].text.upper() == "NOT"):
            negated, rest = not negated, _bare(rest[1:])
        if len(rest) == 2 and rest[0].text.upper() == "EXISTS" and rest[1].kind == "group":
            yield Exists(condition.groups[int(rest[1].text)], negated)
        else:
            yield Filter(condition.part((_OPEN, *tokens, _CLOSE)))


_OPEN, _CLOSE = Token("sign", "("), Token("sign", ")")


def _bare(tokens: Tokens) -> Tokens:
    """Return an expression without the brackets around the whole of it."""
    while tokens and tokens[0].text == "(" and closing(tokens, 0) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


def closing(tokens: Tokens, opening: int) -> int:
    """Return the place of the bracket that closes the one at ``opening``."""
    depth = 0
    for number in range(opening, len(tokens)):
        if tokens[number].kind == "sign":
            depth += {"(": 1, ")": -1}.get(tokens[number].text, 0)
            if depth == 0:
                return number
    return len(tokens)


def _conjuncts(tokens: Tokens) -> Iterator[Tokens]:
    depth, start = 0, 0
    found: list[Tokens] = []
    for number, token in enumerate(tokens):
        if token.kind != "sign":
            continue
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.text == "||":
            yield tokens
            return
        if depth == 0 and token.text == "&&":
            found.append(tokens[start:number])
            start = number + 1
    if not found:
        yield tokens
        return
    for one in (*found, tokens[start:]):
        yield from _conjuncts(_bare(one))
