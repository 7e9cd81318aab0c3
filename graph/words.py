"""Turn names into words that can be found: without accents, in short and in long, whole and begun.

A Vietnamese name is written with accents or without, ``Hòa`` or ``Hoà``, ``CSDL`` or ``cơ sở dữ liệu``. All of them are
one name to a reader, so all of them have to be one name to the search index. This module only computes: it reads no
file and knows no country. Which abbreviations exist is told by the table of the country pack.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise

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


@dataclass(slots=True)
class _Branch:
    shorts: tuple[str, ...] = ()
    following: dict[str, _Branch] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Abbreviations:
    """Know what is written in short, both ways.

    ``long_forms`` maps a short form as it is written (``CSDL``, ``TN&MT``) to the words of its meanings;
    ``short_forms`` maps the folded words of a meaning to its folded short forms; ``joined`` holds the folded short
    forms, ``signs`` the words that ``&`` stands for, which initials leave out, ``asking`` the phrases that ``?`` stands
    for, which only ask ("ai chịu trách nhiệm về").
    """

    long_forms: Mapping[str, tuple[tuple[Word, ...], ...]] = field(default_factory=dict)
    short_forms: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    joined: frozenset[str] = frozenset()
    signs: frozenset[str] = frozenset()
    asking: frozenset[tuple[str, ...]] = frozenset()
    #: changes when the table does: an index built with another table has to be built again
    mark: str = ""
    #: the meanings word by word: word → (short forms of what ends here, what may follow)
    meanings: Mapping[str, _Branch] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str]]) -> Abbreviations:
        """Build the table from pairs of short form and meaning; a short form may have several meanings."""
        pairs = [(_tidy(short), _tidy(meaning)) for short, meaning in rows]
        long_forms: dict[str, dict[tuple[Word, ...], None]] = {}
        short_forms: dict[tuple[str, ...], dict[str, None]] = {}
        signs: set[str] = set()
        asking: set[tuple[str, ...]] = set()
        for short, meaning in pairs:
            phrase = tuple(split(meaning))
            together = "".join(part.plain for part in split(short))
            if not phrase:
                continue
            if short == "?":
                asking.add(tuple(part.plain for part in phrase))
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
            asking=frozenset(asking),
            mark=blake2b(repr(sorted(pairs)).encode(), digest_size=8).hexdigest(),
            meanings=_tree(short_forms),
        )


def _tree(short_forms: Mapping[tuple[str, ...], Mapping[str, None]]) -> dict[str, _Branch]:
    root = _Branch()
    for phrase, shorts in short_forms.items():
        branch = root
        for plain in phrase:
            branch = branch.following.setdefault(plain, _Branch())
        branch.shorts = tuple(shorts)
    return root.following


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
    parts, written = _take_apart(text, abbreviations)
    size = len(parts)
    if not size:
        return Spelling((), (), (), 0)
    marked = [one.marked for one in parts if one.plain != one.marked]
    if not (initials or written or _means_something(parts, abbreviations)):
        plain = [one.plain for one in parts]
        pairs = ["^" + plain[0], *map("".join, pairwise(plain)), plain[-1] + "$"]
        return Spelling(tuple(dict.fromkeys(plain)), _each(marked), _each(pairs), size)
    # The ways to read the name: from each place between words, the words that may follow and the place where they end.
    ways: _Ways = [[(one.plain, place)] for place, one in enumerate(parts, 1)]
    ways.append([])
    for start, end, short in written:
        marked.extend(_write_out(ways, start, end, short, abbreviations))
    shorter = _shorten(ways, abbreviations)
    words = dict.fromkeys(plain for following in ways for plain, _ in following)
    found = _pairs(ways, size)
    if initials:
        for letters in _initials(parts, abbreviations):
            words[letters] = None
            found["^" + letters] = found[letters + "$"] = None
    length = _shortest(ways, size) if shorter else size
    return Spelling(tuple(words), _each(marked), tuple(found), length)


def _each(words: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _means_something(parts: list[Word], abbreviations: Abbreviations) -> bool:
    """Tell whether any words that follow one another can be written in short."""
    root = abbreviations.meanings
    for start, one in enumerate(parts):
        branch = root.get(one.plain)
        place = start
        while branch is not None:
            if branch.shorts:
                return True
            place += 1
            branch = branch.following.get(parts[place].plain) if place < len(parts) else None
    return False


_Ways = list[list[tuple[str, int]]]


def _take_apart(text: str, abbreviations: Abbreviations) -> tuple[list[Word], list[tuple[int, int, str]]]:
    """Return the words of a name, and which of them (from, to) are written in short, in the table's spelling."""
    text = unicodedata.normalize("NFC", text)
    parts: list[Word] = []
    written: list[tuple[int, int, str]] = []
    known = abbreviations.long_forms
    if _JOINED.search(text) is None:
        for part in _WORD.findall(text):
            one = word(part)
            if one.plain:
                if part in known:
                    written.append((len(parts), len(parts) + 1, part))
                parts.append(one)
        return parts, written
    for run in text.split():
        start, found = len(parts), list(_WORD.finditer(run))
        for match in found:
            one = word(match.group())
            if one.plain:
                if match.group() in known:
                    written.append((len(parts), len(parts) + 1, match.group()))
                parts.append(one)
        if len(parts) - start > 1 and _JOINED.search(run):
            whole = run[found[0].start() : found[-1].end()]
            spelling = next((one for one in (whole, _SIGNS.sub("", whole)) if one in known), None)
            if spelling is not None:
                written.append((start, len(parts), spelling))
    return parts, written


def _write_out(ways: _Ways, start: int, end: int, short: str, abbreviations: Abbreviations) -> list[str]:
    """Add what a short form from ``start`` to ``end`` means, word by word; return the accented words added."""
    marked: list[str] = []
    together = _SIGNS.sub("", fold(short))
    if (together, end) not in ways[start]:
        ways[start].append((together, end))
    for meaning in abbreviations.long_forms[short]:
        place = start
        for number, one in enumerate(meaning, 1):
            if number < len(meaning):
                ways.append([])
            following = len(ways) - 1 if number < len(meaning) else end
            ways[place].append((one.plain, following))
            place = following
            if one.accented:
                marked.append(one.marked)
    return marked


def _shorten(ways: _Ways, abbreviations: Abbreviations) -> bool:
    """Add the short forms of every meaning that can be read somewhere; tell whether there are any."""
    root = abbreviations.meanings
    found: list[tuple[int, str, int]] = []
    for start, following in enumerate(ways):
        reading = [(root[plain], end) for plain, end in following if plain in root]
        while reading:
            branch, place = reading.pop()
            found.extend((start, short, place) for short in branch.shorts)
            more = branch.following
            if more:
                reading.extend((more[plain], end) for plain, end in ways[place] if plain in more)
    for start, short, end in found:
        if (short, end) not in ways[start]:
            ways[start].append((short, end))
    return bool(found)


def _pairs(ways: _Ways, size: int) -> dict[str, None]:
    pairs = dict.fromkeys("^" + plain for plain, _ in ways[0])
    for following in ways:
        for plain, end in following:
            if end == size:
                pairs[plain + "$"] = None
            else:
                for neighbour, _ in ways[end]:
                    pairs[plain + neighbour] = None
    return pairs


def _shortest(ways: _Ways, size: int) -> int:
    """Count the words of the shortest way through."""
    reached = {0}
    for count in range(1, size + 1):
        reached = {end for place in reached for _, end in ways[place]}
        if size in reached:
            return count
    return size


def _initials(words: Iterable[Word], abbreviations: Abbreviations) -> list[str]:
    """Return the first letters of a name of three words or more, with and without its connecting words."""
    full = [part.plain for part in words]
    telling = [plain for plain in full if plain not in abbreviations.signs]
    return ["".join(plain[0] for plain in part) for part in (full, telling) if 3 <= len(part) <= LONGEST_BEGINNING]


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

    def without(self, phrases: Collection[tuple[str, ...]]) -> Asked:
        """Return the question without some phrases, the longest first; what is left may be empty."""
        longest = max(map(len, phrases), default=0)
        kept: list[Word] = []
        place = 0
        while place < len(self.words):
            sizes = range(min(longest, len(self.words) - place), 0, -1)
            size = next((size for size in sizes if self.plain[place : place + size] in phrases), 0)
            if not size:
                kept.append(self.words[place])
            place += size or 1
        return Asked(tuple(kept))


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
