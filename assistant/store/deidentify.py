"""Replaces what may tell who a patient is: names, dates, ids, phones, addresses and numbers.

Every digit goes; units stay, so that ``体温38.5℃`` reads ``体温[数值]℃``.  Names are found where
the record's own fields give them, and by the words that stand around them (`person_names`): behind
labels, before titles, after 患者 and after kin and company (其子张伟代诉).  A name that appears in
none of these ways stays: the result is meant for use inside the hospital, and is not anonymous in
the sense of a law.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from assistant.store.identifying_text import replace_identifying
from assistant.store.institutions import replace_institutions
from assistant.store.person_names import find_names, not_names

NAME, NUMBER, IDENTIFIER = "[姓名]", "[数值]", "[编号]"


class Deidentifier:
    """Replaces known names and ids, and what `learn` finds, everywhere in a set of texts."""

    def __init__(self, names: Iterable[str] = (), identifiers: Iterable[str] = ()) -> None:
        self._names = {name.strip() for name in names if len(name.strip()) > 1}
        self._identifiers = {text for text in identifiers if len(text) > 1}

    def learn(self, value: Any) -> None:
        """Collect the names in a text, or in every text of a JSON value."""
        self._names.update(patient_names(value))
        for text in texts_of(value):
            self._names.update(find_names(text))

    def text(self, text: str) -> str:
        """``text`` without names, numbers, dates and ids: no digit is left."""
        for identifier in sorted(self._identifiers, key=len, reverse=True):
            text = text.replace(identifier, IDENTIFIER)
        text = _replace_names(text, self._names | find_names(text))
        return replace_identifying(replace_institutions(text))

    def value(self, value: Any) -> Any:
        """A JSON value with every text and number in it replaced, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            result: dict[str, Any] = {}
            for key, item in value.items():
                new_key = self.text(str(key))
                while new_key in result:
                    new_key += "·"
                result[new_key] = self.value(item)
            return result
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return NUMBER
        return value


def _replace_names(text: str, names: set[str]) -> str:
    """``text`` without the names; a longer word that begins like one (张力性) stays."""
    if not names:
        return text
    words = {word for word in not_names() if any(name in word for name in names)} - names
    choice = "|".join(sorted(map(re.escape, names | words), key=len, reverse=True))
    return re.sub(choice, lambda match: NAME if match[0] in names else match[0], text)


def patient_names(value: Any, in_patient: bool = False) -> Iterator[str]:
    """The names that a record's own fields give: ``patient.name``, ``patient_name``, 姓名."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from patient_names(item, in_patient)
    elif isinstance(value, dict):
        for key, item in value.items():
            named = key in ("patient_name", "姓名", "患者姓名") or (in_patient and key == "name")
            if named and isinstance(item, str) and len(item.strip()) > 1:
                yield item.strip()
            yield from patient_names(item, key in ("patient", "患者"))


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a JSON value, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_of(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_of(item)
