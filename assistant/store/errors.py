"""What can go wrong in the store, each with a sentence for the person who sees it.

No message holds patient text: it names ids, counts and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence


class StoreError(Exception):
    """The base of every error that the store raises on purpose."""


class InvalidArgument(StoreError, ValueError):
    """A value that the store cannot keep."""


class PatientNotInSession(StoreError):
    """The session of the call is for another patient."""

    def __init__(self) -> None:
        super().__init__(
            "本会话只能查看启动时的患者；紧急情况请用“紧急访问”并写明理由。"
            "(This session is for one patient; in an emergency use break-glass with a reason.)"
        )


class WrongSecret(StoreError):
    """The database was created with another secret."""


class DatabaseFailed(StoreError):
    """The database refused a statement, or could not be reached."""


class QueueFull(StoreError):
    """As many requests are waiting as may; nothing was kept."""

    def __init__(self) -> None:
        super().__init__("Too many requests are waiting; try again later.")


class RequestNotFound(StoreError):
    """No such request in this patient's context."""

    def __init__(self) -> None:
        super().__init__("No such request for this patient and encounter.")


class DraftNotFound(StoreError):
    """No such draft in this patient's context (whether or not it exists in another)."""

    def __init__(self) -> None:
        super().__init__("No such draft for this patient and encounter.")


class AttachmentNotFound(StoreError):
    """No such attachment in this patient's context, or it is another than was named."""

    def __init__(self) -> None:
        super().__init__(
            "没有这个附件，或它已不是所指的内容。(No such attachment for this patient and "
            "encounter, or it is not as it was named.)"
        )


class AttachmentConflict(StoreError):
    """Another content lies under the UID of this instance, or its series is of another study."""

    def __init__(self) -> None:
        super().__init__(
            "该实例或序列的 UID 已用于另一内容。(The UID of the instance or series is that of "
            "another content.)"
        )


class BillNotFound(StoreError):
    """No such bill in this patient's context."""

    def __init__(self) -> None:
        super().__init__("没有这张票据。(No such bill for this patient and encounter.)")


class ConversationNotFound(StoreError):
    """No such conversation in this patient's context."""

    def __init__(self) -> None:
        super().__init__("没有这个对话。(No such conversation for this patient and encounter.)")


class BillChanged(StoreError):
    """Somebody else has saved the bill since it was read."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(
            f"这张票据已被他人修改（现为第 {version} 版），请重新打开后再改。"
            "(Somebody else has changed this bill; open it again.)"
        )


class CardNotFound(StoreError):
    """No such card in this context, or of this service."""

    def __init__(self) -> None:
        super().__init__("没有这张提示卡片。(No such card for this service and patient.)")


class ApprovalNotFound(StoreError):
    """No such approval, or it is revoked already."""

    def __init__(self) -> None:
        super().__init__(
            "There is no approval in force with this id; `bedside model approvals` lists them."
        )


class UnresolvedStatements(StoreError):
    """A fill-in was asked for while unsupported statements are still open."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(
            f"{count} statement(s) without evidence must be confirmed, edited or deleted before "
            "the text can be filled in."
        )


class RoleRefused(StoreError):
    """The caller's role may not fill in or sign this draft."""

    def __init__(self, roles: Sequence[str]) -> None:
        super().__init__(f"该角色不能回填或签署这份草稿。(Needs one of: {', '.join(roles)}.)")


class AlreadySigned(StoreError):
    """The draft carries a signed text, which does not change any more."""

    def __init__(self) -> None:
        super().__init__("This draft is already signed with another text; make a new draft.")


class IdempotencyConflict(StoreError):
    """The same Idempotency-Key came with another request."""

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was already used for a different request; send a new key."
        )


class IdempotencyInProgress(StoreError):
    """The first request with this Idempotency-Key is still being answered."""

    def __init__(self) -> None:
        super().__init__(
            "The first request with this Idempotency-Key is still being answered; try again soon."
        )


class AuditBroken(StoreError):
    """The audit chain was changed from outside; nothing more is written to it."""

    def __init__(self) -> None:
        super().__init__(
            "The head of the audit chain is missing or was changed from outside. Writing stops "
            "here so that the traces stay; run 'bedside audit verify'."
        )
