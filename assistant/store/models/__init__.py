"""The tables, one noun a module.

What belongs to a patient carries ``patient_id`` and can be purged.  `audit.AuditRow` holds ids and
keyed hashes only, is never changed, and stays.

All of them are loaded with the package: a table names others by their names, and the metadata that
migrations are checked against must be whole.
"""

from assistant.store.models import (
    api_key,
    approval,
    attachment,
    audit,
    base,
    bill,
    card,
    catalogue,
    conversation,
    draft,
    feedback,
    idempotency,
    message,
    outbox,
    quality_review,
    record_event,
    release,
    request,
    shadow,
    smart_session,
    study,
    token_use,
)

__all__ = [
    "api_key",
    "approval",
    "attachment",
    "audit",
    "base",
    "bill",
    "card",
    "catalogue",
    "conversation",
    "draft",
    "feedback",
    "idempotency",
    "message",
    "outbox",
    "quality_review",
    "record_event",
    "release",
    "request",
    "shadow",
    "smart_session",
    "study",
    "token_use",
]
