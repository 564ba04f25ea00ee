"""An error as an OperationOutcome."""

from __future__ import annotations

from assistant.interop.fhir.terminology import Resource

_CODES = {
    400: "invalid", 401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported",
    409: "conflict", 413: "too-long", 415: "not-supported", 422: "processing", 503: "transient",
}  # fmt: skip


def outcome(status: int, detail: str) -> Resource:
    """What is said of an answer with this status."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "fatal" if status >= 500 else "error",
                "code": _CODES.get(status, "exception"),
                "details": {"text": detail},
                "diagnostics": detail,
            }
        ],
    }
