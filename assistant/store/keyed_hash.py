"""Keyed hashes: how the audit names a patient or a text without holding either.

HMAC-SHA-256 (RFC 2104) under the installation's secret.  A purpose goes in first, so that equal
values of different kinds never give equal hashes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from assistant.store.errors import InvalidArgument

MIN_SECRET_BYTES = 16


def canonical_json(value: Any) -> str:
    """``value`` as JSON with sorted keys and no spaces: equal values give equal text.

    Raises `InvalidArgument` for what JSON cannot hold (NaN, objects).
    """
    try:
        return json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
    except (TypeError, ValueError):
        raise InvalidArgument("The content holds values that JSON cannot hold.") from None


def content_hash(value: Any) -> str:
    """SHA-256 of the canonical JSON of ``value``, in hex: the hash of a record."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


class KeyedHash:
    """HMACs under one secret of at least 16 bytes (else `InvalidArgument`)."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise InvalidArgument(f"The store secret needs at least {MIN_SECRET_BYTES} bytes.")
        self._secret = secret

    def _of(self, purpose: str, value: str) -> str:
        message = purpose.encode() + b"\x00" + value.encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

    def patient(self, patient_id: str) -> str:
        """The reference of a patient; empty for none."""
        return self._of("patient", patient_id) if patient_id else ""

    def pseudonym(self, patient_id: str) -> str:
        """A name for a patient that tells nothing of who it is, nor which audit rows are theirs."""
        return f"P-{self._of('pseudonym', patient_id)[:16]}"

    def encounter(self, encounter_id: str) -> str:
        """The reference of an encounter; empty for none."""
        return self._of("encounter", encounter_id) if encounter_id else ""

    def content(self, value: Any) -> str:
        """The reference of a text or a JSON value."""
        return self._of("content", canonical_json(value))

    def body(self, body_hash: str) -> str:
        """The reference of a request body, given by its plain hash."""
        return self._of("body", body_hash)

    def head(self, seq: int, row_hash: str) -> str:
        """The signature of the end of the audit chain."""
        return self._of("head", f"{seq}:{row_hash}")

    def embed_key(self) -> bytes:
        """The key that signs the tokens of embedded pages."""
        return bytes.fromhex(self._of("embed", "token"))

    def session_key(self) -> bytes:
        """The key that seals sessions of the hospital's log-in."""
        return bytes.fromhex(self._of("session", "seal"))

    def key_check(self) -> str:
        """A value that tells one secret from another."""
        return self._of("key-check", "bedside")


def same(left: str, right: str) -> bool:
    """Compare two hashes in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())
