"""A draft's or a signed text as a DocumentReference with the text in it."""

from __future__ import annotations

import base64
import hashlib

from assistant.interop.fhir.outgoing import label
from assistant.interop.fhir.outgoing.composition import device, document_type, plain
from assistant.interop.fhir.outgoing.kept import Kept, instant
from assistant.interop.fhir.terminology import Resource


def document(kept: Kept) -> Resource:
    """The text in UTF-8, its label in its first line; ``docStatus`` says whether it was signed."""
    data = plain(kept).encode()
    row = kept.row
    made: Resource = {
        "resourceType": "DocumentReference",
        "id": row.id,
        "meta": label.meta(kept),
        "text": label.narrative(label.notice(kept), label.title(kept)),
        "status": "current",
        "docStatus": "final" if kept.is_signed else "preliminary",
        "type": document_type(kept),
        "subject": label.subject(kept),
        "date": instant(kept.last_changed),
        "author": [device(kept)],
        "description": label.title(kept),
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain; charset=utf-8",
                    "language": "zh-CN",
                    "data": base64.b64encode(data).decode(),
                    "size": len(data),
                    "hash": base64.b64encode(hashlib.sha1(data).digest()).decode(),  # noqa: S324
                    "title": label.title(kept),
                    "creation": instant(row.created_at),
                }
            }
        ],
    }
    if row.signed_by:
        made["authenticator"] = label.practitioner(row.signed_by)
    if encounter := label.stay(kept):
        made["context"] = {"encounter": [encounter]}
    return made
