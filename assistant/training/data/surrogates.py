"""What stands in the place of who somebody is: the same person is always the same other person.

A surname becomes a surname and a given name a given name, so that father and son still share one
and 李医生 is still the 李建国 of the line before.  All dates of a patient move by one number of
whole weeks: what lay between two of them, and the day of the week, stay.  Everything follows from
a key; whoever lacks it cannot find the way back.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from assistant.store.rule_table import words
from assistant.training.data import dates
from assistant.training.data.identifying import Place, find

_DOTS = re.compile(r"([·•・‧∙⋅]|\s+)")
_IDENTITY = re.compile(r"(\d{6})(\D*)(\d{8})(\D*)(\d{3})([\dXx])$")
_NO_NAME = ("某", "某某", "xx", "XX", "××")
_PERSONAL = ("name", "id", "phone", "account")
_PASSES = 4
_LEAST_WEEKS, _MOST_WEEKS = 53, 260


class StillNamed(Exception):
    """A text would leave with a name in it; the message says which text, and not which name."""


class Surrogates:
    """The surrogates of one patient's texts."""

    def __init__(self, key: bytes, patient: str = "") -> None:
        """``patient``: whose texts; the same key and patient give the same surrogates."""
        self._key = key
        self._patient = patient
        self._names: set[str] = set()
        self._identifiers: set[str] = set()
        self._given: dict[tuple[str, str], str] = {}
        self._taken: set[tuple[str, str]] = set()
        self._made: set[str] = set()
        self._year: int | None = None
        self._days = 7 * (_LEAST_WEEKS + self._number("days") % (_MOST_WEEKS - _LEAST_WEEKS))

    def know(self, names: Iterable[str] = (), identifiers: Iterable[str] = ()) -> None:
        """Names and ids that the record's own fields give."""
        self._names.update(name.strip() for name in names if len(name.strip()) > 1)
        self._identifiers.update(text for text in identifiers if len(text) > 1)

    def learn(self, texts: Iterable[str]) -> None:
        """Collect the names of all texts first: a name counts in each, wherever it was told."""
        for text in texts:
            self._year = self._year or dates.first_year(text)
            self._names.update(place.text for place in find(text) if place.kind == "name")

    def text(self, text: str) -> str:
        """``text`` with a surrogate at every place.

        Raises:
            StillNamed: one of the names is left all the same.
        """
        self._year = self._year or dates.first_year(text)
        year = dates.first_year(text) or self._year
        places = find(text, self._names, self._identifiers)
        real = {place.text for place in places if place.kind in _PERSONAL}
        for _ in range(_PASSES):
            text = self._replaced(text, places, year)
            # What stands around a place may show another one, once that has changed.
            places = [p for p in find(text) if p.kind in _PERSONAL and p.text not in self._made]
            if not places:
                break
        if places or any(len(one) > 1 and one in text and one not in self._made for one in real):
            raise StillNamed(
                "去标识后仍有姓名或号码，已拒绝导出。(A name or number is still there after "
                "de-identification, so the text was refused.)"
            )
        return text

    def _replaced(self, text: str, places: Iterable[Place], year: int | None) -> str:
        parts, end = [], 0
        for place in places:
            made = self._surrogate(place, year)
            if made != place.text:
                self._made.add(made)
            parts += [text[end : place.start], made]
            end = place.end
        return "".join([*parts, text[end:]])

    @property
    def known_names(self) -> frozenset[str]:
        """The real names that were given or found, for a last look at what is written."""
        return frozenset(self._names)

    def value(self, value: Any) -> Any:
        """A JSON value with every text in it replaced; its keys stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {name: self.value(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value

    def _surrogate(self, place: Place, year: int | None) -> str:
        kind = place.kind
        if kind == "name":
            return self._name(place.text)
        if kind == "date":
            return dates.moved(place.text, -self._days, year) or self._shape(place.text)
        if kind == "id" and (parts := _IDENTITY.fullmatch(place.text)):
            return self._identity(parts)
        if kind in ("address", "hospital"):
            return self._one_of(kind, place.text, _words()[kind])
        return self._shape(place.text)

    def _name(self, name: str) -> str:
        if re.match(r"[A-Za-zÀ-ÿ]", name):
            pieces = _DOTS.split(name)
            made = [p if i % 2 else self._latin(p) for i, p in enumerate(pieces)]
            return "".join(made)
        if any(dot in name for dot in "·•・‧∙⋅"):
            pieces = _DOTS.split(name)
            return "".join(
                p if i % 2 else self._one_of("name", p, _words()["transliterated"])
                for i, p in enumerate(pieces)
            )
        if name[0] in "老小阿大" and len(name) == 2 and name[1] in words("surnames"):
            return name[0] + self._one_of("surname", name[1], _words()["surnames"])
        double = name[:2] in words("double_surnames")
        cut = 2 if double else 1
        surname, given = name[:cut], name[cut:]
        if surname not in words("double_surnames") and surname not in words("surnames"):
            return self._one_of("name", name, _words()["transliterated"])
        if len(name) - cut > 2:
            return self._one_of("name", name, _words()["transliterated"])
        family = self._one_of("surname", surname, _words()["surnames"])
        if not given or given in _NO_NAME:
            return family + given
        other = [g for g in _words()["given"] if len(g) == len(given)]
        return family + self._one_of(f"given of {surname}", given, other)

    def _latin(self, word: str) -> str:
        if len(word.strip(".")) < 2:
            return word
        made = self._one_of("latin", word.casefold(), _words()["latin"])
        return made.upper() if word.isupper() else made

    def _one_of(self, kind: str, text: str, choices: Sequence[str]) -> str:
        """The choice for ``text``: always the same, and no other text's while there are enough."""
        if (kind, text) in self._given:
            return self._given[kind, text]
        start = self._number(kind, text)
        order = (choices[(start + step) % len(choices)] for step in range(len(choices)))
        real = self._names
        fit = [c for c in order if c != text and not any(c == n or n in c for n in real)]
        made = next((c for c in fit if (kind, c) not in self._taken), fit[0] if fit else "某")
        self._given[kind, text] = made
        self._taken.add((kind, made))
        return made

    def _shape(self, text: str) -> str:
        """Digits for digits and letters for letters, so that it still looks like what it was."""
        if text in self._given.values():
            return text
        stream = self._stream("shape", text)
        made = []
        for number, character in zip(stream, text, strict=False):
            if character.isdecimal():
                made.append(str(number % 10))
            elif "a" <= character <= "z":
                made.append(chr(97 + number % 26))
            elif "A" <= character <= "Z":
                made.append(chr(65 + number % 26))
            else:
                made.append(character)
        shaped = "".join(made)
        # No line has numbers that begin with 12.
        mobile = re.search(r"(?<!\d)1[3-9](?=\d[\d\s-]{8,})", text)
        return shaped if mobile is None else f"{shaped[: mobile.start()]}12{shaped[mobile.end() :]}"

    def _identity(self, parts: re.Match[str]) -> str:
        """An identity number with a birth date moved, of no region, its check digit right."""
        born = dates.moved(parts[3], -self._days, None) or "19700101"
        serial = f"{self._number('identity', parts[0]) % 1000:03d}"
        body = f"990000{born}{serial}"
        return f"990000{parts[2]}{born}{parts[4]}{serial}{check_digit(body)}"

    def _number(self, *parts: str) -> int:
        return int.from_bytes(self._digest(*parts)[:8], "big")

    def _stream(self, *parts: str) -> Iterable[int]:
        block = 0
        while True:
            yield from self._digest(*parts, str(block))
            block += 1

    def _digest(self, *parts: str) -> bytes:
        said = "\0".join((self._patient, *parts)).encode()
        return hmac.new(self._key, said, hashlib.sha256).digest()


def check_digit(body: str) -> str:
    """The last character of an identity number of 18 (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(body))
    return "10X98765432"[total % 11]


@cache
def _words() -> dict[str, list[str]]:
    text = (files("assistant.training.data") / "data" / "surrogates.yaml").read_text("utf-8")
    loaded: dict[str, str] = yaml.safe_load(text)
    return {name: listed.split() for name, listed in loaded.items()}
