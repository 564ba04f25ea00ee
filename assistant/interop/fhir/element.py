"""One element of a resource that came from elsewhere, where any field may be of any type.

Reading never raises: a field of a wrong type reads as absent and is named among the problems.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from assistant.interop.fhir.problem import Problems, Severity

MOST_CHILDREN = 10_000
_SPACE = re.compile(r"\s+")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_MOST_DIGITS = 30


def one_line(text: str) -> str:
    """The text in one line, without characters that nothing prints."""
    return _SPACE.sub(" ", _UNPRINTABLE.sub("", text)).strip()


def printable(text: str) -> str:
    """The text with its lines, without characters that nothing prints or stores."""
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


class Element:
    """A JSON object of a resource; false when it is absent or empty."""

    __slots__ = ("data", "path", "problems", "resource")

    def __init__(self, data: Any, problems: Problems, resource: str = "", path: str = "") -> None:
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}
        self.problems = problems
        self.resource = resource
        self.path = path

    def __bool__(self) -> bool:
        return bool(self.data)

    @property
    def identity(self) -> tuple[str, str]:
        """(type, id) of the resource that it is of."""
        kind, _, identifier = self.resource.partition("/")
        return kind, identifier

    def has(self, name: str) -> bool:
        """Whether the field is there, whatever it holds."""
        return self.data.get(name) is not None

    def text(self, name: str) -> str:
        """A string in one line; "" where there is none."""
        value = self.data.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._bad(name)
            return ""
        return one_line(value)

    def long_text(self, name: str) -> str:
        """A string with its lines; "" where there is none."""
        value = self.data.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._bad(name)
            return ""
        return printable(value)

    def flag(self, name: str) -> bool | None:
        """A boolean."""
        value = self.data.get(name)
        if value is None or isinstance(value, bool):
            return value
        self._bad(name)
        return None

    def number(self, name: str) -> Decimal | None:
        """A number, with the digits that it was written with where the JSON reader kept them."""
        value = self.data.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            self._bad(name)
            return None
        try:
            number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        except InvalidOperation:
            self._bad(name)
            return None
        if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
            self._bad(name)
            return None
        return number

    def child(self, name: str) -> Element:
        """An object; one without fields where there is none."""
        value = self.data.get(name)
        if value is not None and not isinstance(value, dict):
            self._bad(name)
        return Element(value, self.problems, self.resource, self._at(name))

    def children(self, name: str) -> list[Element]:
        """The objects of a list."""
        value = self.data.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self._bad(name)
            return []
        found = []
        for number, item in enumerate(value[:MOST_CHILDREN]):
            if isinstance(item, dict):
                found.append(Element(item, self.problems, self.resource, self._at(name, number)))
            else:
                self._bad(f"{name}[{number}]")
        return found

    def texts(self, name: str) -> list[str]:
        """The strings of a list."""
        value = self.data.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self._bad(name)
            return []
        return [one_line(item) for item in value[:MOST_CHILDREN] if isinstance(item, str)]

    def say(self, severity: Severity, code: str, detail: str) -> None:
        """Name a problem of the resource."""
        self.problems.add(self.resource, severity, code, detail)

    def _at(self, name: str, number: int | None = None) -> str:
        place = f"{self.path}.{name}" if self.path else name
        return place if number is None else f"{place}[{number}]"

    def _bad(self, name: str) -> None:
        self.say(
            "error",
            "field",
            f"字段 {self._at(name)} 的类型或取值不符合 FHIR R4，未读取。"
            f"(The field {self._at(name)} is not as FHIR R4 has it and was not read.)",
        )


def plain_number(number: Decimal) -> str:
    """``1.20``, ``0.0000001``: as a laboratory prints it, without an exponent."""
    return f"{number:f}"
