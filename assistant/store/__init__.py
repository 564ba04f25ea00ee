"""Where requests, drafts, feedback, approvals and the audit are kept."""

from assistant.store.api_keys import ApiKey
from assistant.store.approvals import Approval
from assistant.store.audit import AuditReport
from assistant.store.context import SYSTEM, Context
from assistant.store.drafts import draft_text, is_current
from assistant.store.errors import (
    AlreadySigned,
    ApprovalNotFound,
    AttachmentConflict,
    AttachmentNotFound,
    AuditBroken,
    CardNotFound,
    DatabaseFailed,
    DraftNotFound,
    IdempotencyConflict,
    IdempotencyInProgress,
    InvalidArgument,
    QueueFull,
    RequestNotFound,
    RoleRefused,
    StoreError,
    UnresolvedStatements,
    WrongSecret,
)
from assistant.store.feedback import MemberSummary
from assistant.store.idempotency import Replay
from assistant.store.keyed_hash import content_hash
from assistant.store.models.audit import AuditRow
from assistant.store.models.draft import DraftRow, ResolutionRow, StatementAction
from assistant.store.models.feedback import FeedbackRow, Verdict
from assistant.store.models.request import RequestRow, RequestStatus
from assistant.store.purge import PurgeCounts
from assistant.store.store import Store

__all__ = [
    "SYSTEM",
    "AlreadySigned",
    "ApiKey",
    "Approval",
    "ApprovalNotFound",
    "AttachmentConflict",
    "AttachmentNotFound",
    "AuditBroken",
    "AuditReport",
    "AuditRow",
    "CardNotFound",
    "Context",
    "DatabaseFailed",
    "DraftNotFound",
    "DraftRow",
    "FeedbackRow",
    "IdempotencyConflict",
    "IdempotencyInProgress",
    "InvalidArgument",
    "MemberSummary",
    "PurgeCounts",
    "QueueFull",
    "Replay",
    "RequestNotFound",
    "RequestRow",
    "RequestStatus",
    "ResolutionRow",
    "RoleRefused",
    "StatementAction",
    "Store",
    "StoreError",
    "UnresolvedStatements",
    "Verdict",
    "WrongSecret",
    "content_hash",
    "draft_text",
    "is_current",
]
