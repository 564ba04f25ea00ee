"""A body as JSON that keeps the digits of its numbers: 1.20 is no 1.2 in a laboratory."""

from __future__ import annotations

import json
import re
import secrets
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn


class BodyInvalid(ValueError):
    """The body is no JSON object; the message says what to send."""


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a body in UTF-8.  Raises `BodyInvalid`."""
    try:
        found = json.loads(
            body.decode("utf-8-sig"), parse_float=_number, parse_constant=_no_constant
        )
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BodyInvalid(
            "请求正文不是有效的 JSON：应为 UTF-8 编码的 FHIR 资源。"
            "(The body is not valid JSON: send a FHIR resource in UTF-8.)"
        ) from error
    if not isinstance(found, dict):
        raise BodyInvalid(
            "请求正文应为一个 FHIR 资源，如 Bundle。(Send one FHIR resource, such as a Bundle.)"
        )
    return found


def written(value: Any) -> str:
    """``value`` as JSON with the digits of its numbers, which `json.dumps` would turn to floats."""
    mark = secrets.token_hex(8)
    text = json.dumps(
        value, ensure_ascii=False, sort_keys=True, default=lambda number: f"{mark}{number}"
    )
    return re.sub(rf'"{mark}([0-9eE.+-]+)"', r"\1", text)


def rewritten(text: str) -> Any:
    """What `written` wrote."""
    return json.loads(text, parse_float=_number)


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("no number") from None


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")
