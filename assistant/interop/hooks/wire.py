"""JSON as it comes and goes: by orjson where it is installed, else by Python's own reader.

What orjson refuses (a lone surrogate, NaN) is left to Python's own, so that both take the same.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

try:
    import orjson
except ImportError:  # pragma: no cover - it comes with other packages, and is asked of none
    orjson = None  # type: ignore[assignment]


def read(body: bytes) -> Any:
    """The value.  Raises `ValueError`, `RecursionError`."""
    if orjson is not None:
        try:
            return orjson.loads(body)
        except ValueError:
            pass
    return json.loads(body)


def digest(value: Any) -> str:
    """The same for equal values, else another."""
    if orjson is not None:
        try:
            return _hash(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))
        except TypeError:
            pass
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return _hash(text.encode("utf-8", "surrogatepass"))


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=24).hexdigest()
