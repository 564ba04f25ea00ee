"""CodeableConcepts and Quantities in the words of a Chinese record."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.interop.fhir.element import Element, plain_number
from assistant.interop.fhir.mapping import Mapping

_CHINESE = re.compile(r"[\u3400-\u9fff]")
COMPARATORS = ("<", "<=", ">=", ">")


def codings(concept: Element) -> Iterator[tuple[str, str, str]]:
    """(system, code, display) of each coding."""
    for coding in concept.children("coding"):
        yield coding.text("system"), coding.text("code"), coding.text("display")


def words(concept: Element, mapping: Mapping) -> str:
    """What the concept is called: its text or a display in Chinese, the table's name for its code,
    else what there is; "" for nothing."""
    text = concept.text("text")
    coded = list(codings(concept))
    displays = [display for _, _, display in coded if display]
    named = [name for system, code, _ in coded if (name := mapping.name(system, code))]
    said = [text] if text else []
    chinese = [one for one in (*said, *displays) if _CHINESE.search(one)]
    codes = [code for _, code, _ in coded if code]
    return next(iter((*chinese, *named, *said, *displays, *codes)), "")


def mapped(concept: Element, mapping: Mapping, table: str) -> str:
    """What a table has for the first of the concept's codes that it knows; "" for none."""
    for system, code, _ in codings(concept):
        if found := mapping.word(table, system, code) or mapping.word(table, "", code.upper()):
            return found
    return ""


def is_among(concept: Element, mapping: Mapping, table: str) -> bool:
    """Whether a list of the table names one of the concept's codes, or its text."""
    coded = any(mapping.is_among(table, system, code) for system, code, _ in codings(concept))
    return coded or concept.text("text") in mapping.rows[table]


def code_of(concept: Element) -> str:
    """The first code of the concept, such as that of a clinicalStatus; "" for none."""
    return next((code for _, code, _ in codings(concept) if code), "")


def icd10(concept: Element, mapping: Mapping) -> str:
    """The ICD-10 code of the concept; "" where no coding is of a system of ICD-10."""
    found = (code for system, code, _ in codings(concept) if code and mapping.is_icd10(system))
    return next(found, "")


def amount(quantity: Element, mapping: Mapping) -> tuple[str, str]:
    """(value with its comparator, unit) of a Quantity; ("", "") where there is no number."""
    number = quantity.number("value")
    if number is None:
        return "", ""
    comparator = quantity.text("comparator")
    if comparator and comparator not in COMPARATORS:
        quantity.say(
            "error",
            "comparator",
            "数值的比较符不是 FHIR R4 的取值，该值未读取。"
            "(The comparator is none of FHIR R4; the value was not read.)",
        )
        return "", ""
    return f"{comparator}{plain_number(number)}", unit_of(quantity, mapping)


def unit_of(quantity: Element, mapping: Mapping) -> str:
    """The unit as it is printed here."""
    written, code = quantity.text("unit"), quantity.text("code")
    if written:
        return mapping.unit(written)
    return mapping.unit(code) if code else ""


def amount_words(quantity: Element, mapping: Mapping) -> str:
    """``100mg``; "" for none."""
    value, unit = amount(quantity, mapping)
    return f"{value}{unit}"


def range_words(limits: Element, mapping: Mapping) -> tuple[str, str]:
    """(``3.5-9.5``, unit) of a Range, ``≥3.5`` or ``≤9.5`` of half of one."""
    low, unit = amount(limits.child("low"), mapping)
    high, high_unit = amount(limits.child("high"), mapping)
    if low and high:
        return f"{low}-{high}", unit or high_unit
    return (f"≥{low}", unit) if low else ((f"≤{high}", high_unit) if high else ("", ""))
