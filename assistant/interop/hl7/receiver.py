"""From bytes to an acknowledgement: read, check, keep, and only then say that it was accepted."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from assistant.interop.hl7.acknowledgement import (
    ACCEPTED,
    DUPLICATE,
    FIELD_MISSING,
    INTERNAL,
    NOT_THIS_EVENT,
    NOT_THIS_MODE,
    NOT_THIS_TYPE,
    SEGMENT_MISSING,
    Answer,
    acknowledgement,
)
from assistant.interop.hl7.identity import Identity, IdentityMissing, identity
from assistant.interop.hl7.message import Message, MessageInvalid, read
from assistant.interop.hl7.table import event_of, rows
from assistant.record.fields import ZONE
from assistant.store import Context, InvalidArgument, Store, StoreError
from assistant.store.messages import MessageConflict, NewMessage

logger = logging.getLogger("bedside.assistant.interop.hl7")

ACTOR = "hl7"
ROLE = "system"
_MODES = ("", "P")


@dataclass(frozen=True)
class Receiver:
    """Takes messages into the store.

    ``senders``: the applications (MSH-3, or ``MSH-3|MSH-4``) that are taken; empty: all.
    ``default``: the encoding of messages that name none.
    """

    store: Store
    default: str = ""
    senders: Collection[str] = ()

    def receive(self, data: bytes) -> bytes:
        """The ACK of a message; what is accepted is on the disk before this returns.

        Blocks on the store.  Never raises: what cannot be read is rejected, what cannot be kept
        now is an error that may be sent again.
        """
        message: Message | None = None
        try:
            message = read(data, self.default)
            answer = self._answer(message)
        except MessageInvalid as error:
            answer = Answer("reject", SEGMENT_MISSING, str(error))
        except (StoreError, OSError) as error:
            logger.error("a message was not kept: %s", type(error).__name__)
            answer = Answer("error", INTERNAL, "暂时无法保存，请重发。(Not kept; send it again.)")
        except Exception as error:
            logger.error("a message was not read: %s", type(error).__name__)
            answer = Answer("error", INTERNAL, "消息无法处理。(The message cannot be handled.)")
        return acknowledgement(message, answer, datetime.now(ZONE))

    def _answer(self, message: Message) -> Answer:
        if refusal := self._refusal(message):
            return refusal
        try:
            who = identity(message)
        except IdentityMissing as error:
            return Answer("error", FIELD_MISSING, str(error))
        return self._kept(message, who)

    def _refusal(self, message: Message) -> Answer | None:
        """Why a message is none that is taken; None for one that is."""
        if self.senders and not {message.header.text(3), message.sender} & set(self.senders):
            return Answer(
                "reject", NOT_THIS_TYPE, "未登记的发送方。(The sender is not registered.)"
            )
        if not event_of(message.kind):
            known = any(kind.startswith(f"{message.code}^") for kind in rows()["messages"])
            code = NOT_THIS_EVENT if known else NOT_THIS_TYPE
            return Answer("reject", code, "不接收这类消息。(Messages of this type are not taken.)")
        if message.header.text(11) not in _MODES:
            return Answer(
                "reject", NOT_THIS_MODE, "只接收生产消息（MSH-11 为 P）。(Only MSH-11 P is taken.)"
            )
        if not message.control_id or len(message.control_id) > 128:
            return Answer("reject", FIELD_MISSING, "缺少 MSH-10 控制号。(MSH-10 is missing.)")
        if message.written_at is None:
            return Answer("reject", FIELD_MISSING, "MSH-7 不是有效的时间。(MSH-7 is no time.)")
        return None

    def _kept(self, message: Message, who: Identity) -> Answer:
        assert message.written_at is not None
        application = message.header.text(3)[:60] or "-"
        context = Context(f"{ACTOR}:{application}", ROLE, who.patient_id, who.encounter_id)
        new = NewMessage(
            sender=message.sender[:128],
            control_id=message.control_id,
            stamp=message.header.text(7)[:64],
            kind=message.kind,
            happened_at=message.written_at,
            content=message.content,
            compared=message.without_time,
        )
        try:
            _, is_new = self.store.messages.keep(context, new)
            if is_new and who.prior_id:
                self.store.messages.merge(context, who.prior_id)
        except MessageConflict as error:
            return Answer("error", DUPLICATE, str(error))
        except InvalidArgument as error:
            return Answer("reject", FIELD_MISSING, str(error))
        return ACCEPTED
