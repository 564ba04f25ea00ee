"""What the work of every task is done with: settings, models, knowledge base."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from assistant.engines import Engines
from assistant.lazy import Lazy
from assistant.settings import Settings
from knowledge.base import KnowledgeBase
from serving.chat_model import EngineChatModel
from serving.engine import Engine, EngineError, EngineUnavailable

if TYPE_CHECKING:
    from assistant.store.attachments import Attachments
    from assistant.store.conversations import Conversations

Made = TypeVar("Made")


class KnowledgeUnavailable(EngineError):
    """The knowledge base is not built."""


class Resources:
    """One for a process; tasks keep in it what takes long to open."""

    def __init__(
        self,
        settings: Settings,
        engines: Engines,
        knowledge: KnowledgeBase | None,
        attachments: Attachments | None = None,
        conversations: Conversations | None = None,
    ) -> None:
        self.settings = settings
        self.engines = engines
        self._attachments = attachments
        self._conversations = conversations
        self._knowledge = knowledge
        self._shared: dict[str, Lazy[Any]] = {}
        self._lock = threading.Lock()

    @property
    def knowledge(self) -> KnowledgeBase:
        """The knowledge base.  Raises `KnowledgeUnavailable` while there is none."""
        if self._knowledge is None:
            raise KnowledgeUnavailable(
                "知识库尚未建立，请运行 bedside kb build。"
                " (No knowledge base yet: run `bedside kb build`.)"
            )
        return self._knowledge

    @property
    def attachments(self) -> Attachments:
        """The attachments of the store: tasks read images and keep pictures in the context of a
        request.  Raises `EngineError` where there is no store."""
        if self._attachments is None:
            raise EngineError("附件不可用。(There is no store of attachments.)")
        return self._attachments

    @property
    def conversations(self) -> Conversations:
        """The conversations of the store.  Raises `EngineError` where there is no store."""
        if self._conversations is None:
            raise EngineError("对话不可用。(There is no store of conversations.)")
        return self._conversations

    @property
    def has_knowledge(self) -> bool:
        """Whether a knowledge base is open."""
        return self._knowledge is not None

    def of(self, settings: Settings) -> Resources:
        """The same with other settings, as a task or a department has them."""
        if settings is self.settings:
            return self
        made = copy.copy(self)
        made.settings = settings
        return made

    def shared(self, name: str, make: Callable[[], Made]) -> Made:
        """What ``make`` makes, made once for the process.  It may block for seconds."""
        with self._lock:
            lazy = self._shared.setdefault(name, Lazy(make))
        return cast(Made, lazy())

    def close(self) -> None:
        """Let go of the knowledge base and of what was made from it, with their open files."""
        base, self._knowledge = self._knowledge, None
        with self._lock:
            self._shared.clear()
        if base is not None:
            base.close()

    async def default_model(self) -> tuple[Engine | None, EngineChatModel | None]:
        """The default engine; nothing where it cannot be had, which a draft then says."""
        try:
            return await self.engines.ready(self.settings.default_engine)
        except EngineUnavailable:
            return None, None
