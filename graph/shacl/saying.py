"""Say what is wrong in words: the shape's own, with what was found filled in, or else ours, in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import pyoxigraph as ox

from graph.shacl.paths import SH
from graph.shacl.shapes import Constraint, Row, Shape, SparqlConstraint, Term

_PLACE: Final = re.compile(r"\{[?$](\w+)\}")

#: what each component says where the shape says nothing: Vietnamese, English
_OWN: Final[Mapping[str, tuple[str, str]]] = {
    "Class": ("Giá trị không thuộc lớp {what}.", "The value is no instance of {what}."),
    "Datatype": ("Giá trị không đúng kiểu {what}.", "The value is not of datatype {what}."),
    "NodeKind": ("Giá trị không thuộc loại {what}.", "The value is not of kind {what}."),
    "MinCount": ("Có ít hơn {count} giá trị.", "There are fewer than {count} values."),
    "MaxCount": ("Có nhiều hơn {count} giá trị.", "There are more than {count} values."),
    "MinExclusive": ("Giá trị phải lớn hơn {what}.", "The value must be greater than {what}."),
    "MinInclusive": ("Giá trị không được nhỏ hơn {what}.", "The value must not be less than {what}."),
    "MaxExclusive": ("Giá trị phải nhỏ hơn {what}.", "The value must be less than {what}."),
    "MaxInclusive": ("Giá trị không được lớn hơn {what}.", "The value must not be greater than {what}."),
    "MinLength": ("Giá trị ngắn hơn {count} ký tự.", "The value is shorter than {count} characters."),
    "MaxLength": ("Giá trị dài hơn {count} ký tự.", "The value is longer than {count} characters."),
    "Pattern": ("Giá trị không khớp mẫu {what}.", "The value does not match the pattern {what}."),
    "LanguageIn": ("Ngôn ngữ của giá trị không nằm trong {what}.", "The language of the value is none of {what}."),
    "UniqueLang": ("Có nhiều giá trị cùng ngôn ngữ.", "Several values are in the same language."),
    "Equals": ("Giá trị không trùng với giá trị của {what}.", "The values are not those of {what}."),
    "Disjoint": ("Giá trị cũng là giá trị của {what}.", "The value is also one of {what}."),
    "LessThan": ("Giá trị không nhỏ hơn giá trị của {what}.", "The value is not less than that of {what}."),
    "LessThanOrEquals": ("Giá trị lớn hơn giá trị của {what}.", "The value is greater than that of {what}."),
    "Not": ("Giá trị khớp với dạng bị cấm.", "The value has a shape that it must not have."),
    "And": ("Giá trị không khớp mọi dạng bắt buộc.", "The value lacks one of the shapes that it must have."),
    "Or": ("Giá trị không khớp dạng nào.", "The value has none of the shapes that it may have."),
    "Xone": ("Giá trị phải khớp đúng một dạng.", "The value must have exactly one of the shapes."),
    "Node": ("Giá trị không khớp dạng bắt buộc.", "The value does not have the shape that it must have."),
    "QualifiedMinCount": (
        "Có ít hơn {count} giá trị khớp dạng bắt buộc.", "Fewer than {count} values have the shape that is asked for.",
    ),
    "QualifiedMaxCount": (
        "Có nhiều hơn {count} giá trị khớp dạng được đếm.", "More than {count} values have the shape that is counted.",
    ),
    "Closed": ("Thuộc tính này không được phép ở đây.", "This property is not allowed here."),
    "HasValue": ("Thiếu giá trị {what}.", "The value {what} is missing."),
    "In": ("Giá trị không nằm trong danh sách {what}.", "The value is none of {what}."),
    "SPARQL": ("Không đạt điều kiện.", "The condition is not met."),
}  # fmt: skip
_MOST: Final = 5


def messages_for(shape: Shape, constraint: Constraint | SparqlConstraint, row: Row) -> tuple[ox.Literal, ...]:
    """Return what to say about one violation, in the languages of the shape; never nothing."""
    own = constraint.messages if isinstance(constraint, SparqlConstraint) else ()
    said = row.messages or own or shape.messages
    if not said:
        return _ours(constraint)
    known: dict[str, str] = {name: shown(term) for name, term in row.bindings}
    if isinstance(constraint, SparqlConstraint):
        known.update((name, shown(term)) for name, term in constraint.parameters if name not in known)
    known.setdefault("this", shown(row.focus))
    if row.value is not None:
        known.setdefault("value", shown(row.value))
    return tuple(_filled(one, known) for one in said)


def _filled(message: ox.Literal, known: Mapping[str, str]) -> ox.Literal:
    if "{" not in message.value:
        return message
    text = _PLACE.sub(lambda found: known.get(found[1], found[0]), message.value)
    return ox.Literal(text, language=message.language) if message.language else ox.Literal(text)


def _ours(constraint: Constraint | SparqlConstraint) -> tuple[ox.Literal, ...]:
    word = constraint.component.removeprefix(SH).removesuffix("ConstraintComponent")
    vietnamese, english = _OWN.get(word, _OWN["SPARQL"])
    what, count = "", 0
    if isinstance(constraint, Constraint):
        some = [shown(term) for term in constraint.terms[:_MOST]]
        what = ", ".join(some) + (", …" if len(constraint.terms) > _MOST else "")
        count = constraint.count
    return tuple(
        ox.Literal(text.format(what=what, count=count), language=language)
        for text, language in ((vietnamese, "vi"), (english, "en"))
    )


def shown(term: Term) -> str:
    """Return a term as a reader should see it in a sentence."""
    if isinstance(term, ox.NamedNode):
        return f"<{term.value}>"
    return term.value if isinstance(term, ox.Literal) else f"_:{term.value}"
