"""Turn names into words that can be found: without accents, in short and in long, whole and begun.

A Vietnamese name is written with accents or without, ``Hòa`` or ``Hoà``, ``CSDL`` or ``cơ sở dữ liệu``. All of them are
one name to a reader, so all of them have to be one name to the search index. This module only computes: it reads no
file and knows no country. Which abbreviations exist is told by the table of the country pack.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b

#: longest word that is told from another one, in characters; what is longer is cut on both sides alike
LONGEST_WORD = 40
#: longest beginning of a word that is indexed, in characters
LONGEST_BEGINNING = 12

#: combining marks of the Latin scripts; vowel signs of other scripts stay, as words are made of them
_MARKS = re.compile("[\u0300-\u036f\u1dc0-\u1dff]")
#: letters that Unicode does not take apart; the stroke is kept as the mark U+0335, so that đ stays known from d
_LETTERS = str.maketrans(
    {"đ": "d\u0335", "ð": "d\u0335", "ł": "l\u0335", "ø": "o\u0335", "æ": "ae", "œ": "oe", "ı": "i"}
)
_WORD = re.compile("[^\\W_](?:[^\\W_]|[\u0300-\u036f\u1dc0-\u1dff])*")
_SIGNS = re.compile(r"[\W_]+")
_JOINED = re.compile(r"[&.\-]")


@dataclass(frozen=True, slots=True)
class Word:
    """Hold one word: ``plain`` without accents, ``marked`` with them in a form that does not depend on their place."""

    plain: str
    marked: str

    @property
    def accented(self) -> bool:
        """Tell whether the word carries an accent at all."""
        return self.plain != self.marked


@lru_cache(maxsize=65536)
def word(text: str) -> Word:
    """Fold one word: lower case, accents off; ``marked`` keeps them behind the letters, sorted (``hòa`` = ``hoà``)."""
    letters = unicodedata.normalize("NFD", text.casefold()).translate(_LETTERS)
    plain = _MARKS.sub("", letters)[:LONGEST_WORD]
    marks = "".join(sorted(_MARKS.findall(letters)))
    return Word(plain, plain + marks)


def fold(text: str) -> str:
    """Return the words of a text in lower case, without accents, one space apart."""
    return " ".join(part.plain for part in split(text))


def split(text: str) -> list[Word]:
    """Cut a text into words at everything that is neither letter nor digit."""
    found = [word(part) for part in _WORD.findall(unicodedata.normalize("NFC", text))]
    return [part for part in found if part.plain]


@dataclass(frozen=True, slots=True)
class Abbreviations:
    """Know what is written in short, both ways.

    ``long_forms`` maps a short form as it is written (``CSDL``, ``TN&MT``) to the words of its meanings;
    ``short_forms`` maps the folded words of a meaning to its folded short forms; ``joined`` holds the folded short
    forms, ``signs`` the words that a sign such as ``&`` stands for, which initials leave out.
    """

    long_forms: Mapping[str, tuple[tuple[Word, ...], ...]] = field(default_factory=dict)
    short_forms: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    joined: frozenset[str] = frozenset()
    signs: frozenset[str] = frozenset()
    #: changes when the table does: an index built with another table has to be built again
    mark: str = ""
    _begun: frozenset[tuple[str, ...]] = frozenset()
    _openings: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str]]) -> Abbreviations:
        """Build the table from pairs of short form and meaning; a short form may have several meanings."""
        pairs = [(_tidy(short), _tidy(meaning)) for short, meaning in rows]
        long_forms: dict[str, dict[tuple[Word, ...], None]] = {}
        short_forms: dict[tuple[str, ...], dict[str, None]] = {}
        signs: set[str] = set()
        for short, meaning in pairs:
            phrase = tuple(split(meaning))
            together = "".join(part.plain for part in split(short))
            if not phrase:
                continue
            if not together:
                signs.update(part.plain for part in phrase)
                continue
            # TN&MT is also written TNMT and TN-MT
            for spelling in (short, _SIGNS.sub("", short)):
                long_forms.setdefault(spelling, {})[phrase] = None
            short_forms.setdefault(tuple(part.plain for part in phrase), {})[together] = None
        return cls(
            long_forms={short: tuple(meanings) for short, meanings in long_forms.items()},
            short_forms={phrase: tuple(shorts) for phrase, shorts in short_forms.items()},
            joined=frozenset(short for shorts in short_forms.values() for short in shorts),
            signs=frozenset(signs),
            mark=blake2b(repr(sorted(pairs)).encode(), digest_size=8).hexdigest(),
            _begun=frozenset(phrase[:size] for phrase in short_forms for size in range(1, len(phrase) + 1)),
            _openings=frozenset(phrase[0] for phrase in short_forms),
        )

    def opens(self, plain: str) -> bool:
        """Tell whether some meaning begins with this word."""
        return plain in self._openings

    def begins(self, phrase: tuple[str, ...]) -> bool:
        """Tell whether some meaning begins with these words."""
        return phrase in self._begun


NO_ABBREVIATIONS = Abbreviations()


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


@dataclass(frozen=True, slots=True)
class Spelling:
    """Hold all ways to write one name that a search may come by.

    ``words``, ``marked`` and ``pairs`` hold the words, the accented words and each two neighbours (joined, ``^`` before
    the first and ``$`` after the last) of the name as it stands, with its abbreviations written out, and with
    its phrases abbreviated, in any mixture. ``size`` counts the words of the shortest way.
    """

    words: tuple[str, ...]
    marked: tuple[str, ...]
    pairs: tuple[str, ...]
    size: int


def spell(text: str, abbreviations: Abbreviations = NO_ABBREVIATIONS, *, initials: bool = False) -> Spelling:
    """Spell a name in every way its abbreviations allow; with ``initials`` also by the first letters of its words."""
    lattice = _Lattice(text, abbreviations)
    if not lattice.size:
        return Spelling((), (), (), 0)
    words, pairs = lattice.words(), lattice.pairs()
    if initials:
        for letters in _initials(lattice.base, abbreviations):
            words.setdefault(letters)
            pairs.setdefault("^" + letters)
            pairs.setdefault(letters + "$")
    return Spelling(tuple(words), tuple(lattice.marked), tuple(pairs), lattice.shortest())


def _initials(words: list[Word], abbreviations: Abbreviations) -> list[str]:
    """Return the first letters of a name of three words or more, with and without its connecting words."""
    full = [part.plain for part in words]
    telling = [plain for plain in full if plain not in abbreviations.signs]
    return ["".join(plain[0] for plain in part) for part in (full, telling) if 3 <= len(part) <= LONGEST_BEGINNING]


class _Lattice:
    """Hold the ways to read a name as a small graph: a word leads from one place between words to another."""

    def __init__(self, text: str, abbreviations: Abbreviations) -> None:
        text = unicodedata.normalize("NFC", text)
        self._edges: list[list[tuple[str, int]]] = []
        self.base: list[Word] = []
        self.marked: dict[str, None] = {}
        written: list[tuple[int, int, str]] = []
        for run in text.split():
            start = len(self.base)
            found = list(_WORD.finditer(run))
            for part in found:
                one = word(part.group())
                if one.plain:
                    if part.group() in abbreviations.long_forms:
                        written.append((len(self.base), len(self.base) + 1, part.group()))
                    self.base.append(one)
            if len(self.base) - start > 1 and _JOINED.search(run):
                whole = run[found[0].start() : found[-1].end()]
                spelling = next(
                    (one for one in (whole, _SIGNS.sub("", whole)) if one in abbreviations.long_forms), None
                )
                if spelling is not None:
                    written.append((start, len(self.base), spelling))
        self.size = len(self.base)
        for place, one in enumerate(self.base):
            self._edges.append([(one.plain, place + 1)])
            if one.accented:
                self.marked.setdefault(one.marked)
        self._edges.append([])
        for start, end, short in written:
            self._write_out(start, end, short, abbreviations)
        self._shorten(abbreviations)

    def _write_out(self, start: int, end: int, short: str, abbreviations: Abbreviations) -> None:
        together = "".join(part.plain for part in split(short))
        if (together, end) not in self._edges[start]:
            self._edges[start].append((together, end))
        for meaning in abbreviations.long_forms[short]:
            place = start
            for number, one in enumerate(meaning, 1):
                if number < len(meaning):
                    self._edges.append([])
                    following = len(self._edges) - 1
                else:
                    following = end
                self._edges[place].append((one.plain, following))
                if one.accented:
                    self.marked.setdefault(one.marked)
                place = following

    def _shorten(self, abbreviations: Abbreviations) -> None:
        found: list[tuple[int, str, int]] = []
        for start, edges in enumerate(self._edges):
            for plain, end in edges:
                if abbreviations.opens(plain):
                    self._follow(start, (plain,), end, abbreviations, found)
        for start, short, end in found:
            if (short, end) not in self._edges[start]:
                self._edges[start].append((short, end))

    def _follow(
        self, start: int, phrase: tuple[str, ...], place: int, abbreviations: Abbreviations,
        found: list[tuple[int, str, int]],
    ) -> None:  # fmt: skip
        found.extend((start, short, place) for short in abbreviations.short_forms.get(phrase, ()))
        for plain, end in self._edges[place]:
            longer = (*phrase, plain)
            if abbreviations.begins(longer):
                self._follow(start, longer, end, abbreviations, found)

    def words(self) -> dict[str, None]:
        return {plain: None for edges in self._edges for plain, _ in edges}

    def pairs(self) -> dict[str, None]:
        pairs = dict.fromkeys("^" + plain for plain, _ in self._edges[0])
        for edges in self._edges:
            for plain, end in edges:
                if end == self.size:
                    pairs.setdefault(plain + "$")
                else:
                    for following, _ in self._edges[end]:
                        pairs.setdefault(plain + following)
        return pairs

    def shortest(self) -> int:
        """Count the words of the shortest way through."""
        reached = {0}
        for count in range(1, self.size + 1):
            reached = {end for place in reached for _, end in self._edges[place]}
            if self.size in reached:
                return count
        return self.size


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold the words of a question; the last one may be unfinished."""

    words: tuple[Word, ...]

    @property
    def plain(self) -> tuple[str, ...]:
        return tuple(part.plain for part in self.words)

    @property
    def accented(self) -> bool:
        """Tell whether any word carries an accent: whoever types accents means them."""
        return any(part.accented for part in self.words)


def ask(text: str, abbreviations: Abbreviations = NO_ABBREVIATIONS, *, longest: int = 1000, most: int = 64) -> Asked:
    """Cut a question into words, at most ``most`` of its first ``longest`` characters.

    Words that signs join are taken together when the table knows them so (``TN&MT``, ``LĐ-TB&XH``, also begun,
    ``TN&M``), apart otherwise (``47/2020/NĐ-CP``).
    """
    found: list[Word] = []
    runs = unicodedata.normalize("NFC", text[:longest]).split()
    for number, run in enumerate(runs, 1):
        parts = split(run)
        if len(parts) > 1 and _JOINED.search(run):
            together = "".join(part.plain for part in parts)
            known = together in abbreviations.joined
            begun = number == len(runs) and any(short.startswith(together) for short in abbreviations.joined)
            if known or begun:
                parts = [Word(together, together)]
        found.extend(parts)
    return Asked(tuple(found[:most]))


@lru_cache(maxsize=65536)
def beginnings(plain: str) -> str:
    """Return all beginnings of a word up to ``LONGEST_BEGINNING`` characters, one space apart."""
    return " ".join(plain[:size] for size in range(1, min(len(plain), LONGEST_BEGINNING) + 1))
