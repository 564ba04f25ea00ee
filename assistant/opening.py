"""Opening what the settings name: the knowledge base, the secret, the store.

Libraries are imported by what is opened, so that a command pays only for what it opens.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from typing import TYPE_CHECKING

from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.store import Store
    from knowledge.base import KnowledgeBase
    from serving.encoder.text_encoder import Encoder

logger = logging.getLogger("bedside.assistant")


def open_knowledge(settings: Settings) -> tuple[KnowledgeBase | None, Encoder | None]:
    """The knowledge base, if one is built; without an encoder it searches by words alone."""
    from serving.encoder.text_encoder import EncoderUnavailable, open_encoder

    encoder: Encoder | None = None
    try:
        encoder = open_encoder(settings.encoder)
    except EncoderUnavailable as error:
        logger.warning("encoder %s: %s", settings.encoder, error)
    return open_terms(settings, encoder), encoder


def open_terms(settings: Settings, encoder: Encoder | None = None) -> KnowledgeBase | None:
    """The knowledge base, if one is built, for what does not search by meaning."""
    from knowledge.base import KnowledgeBase, KnowledgeMissing

    try:
        return KnowledgeBase.open(settings.knowledge_folder, encoder)
    except KnowledgeMissing as error:
        logger.warning("%s", error)
        return None


def open_secret(settings: Settings) -> bytes:
    """The secret of the audit's keyed hashes: from the settings, else a file made once."""
    if given := settings.secret.get_secret_value():
        return given.encode()
    path = settings.home / "secret"
    settings.home.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
    return path.read_bytes()


def open_store(settings: Settings) -> Store:
    """The store of these settings, brought up to date."""
    from assistant.store import Store

    settings.home.mkdir(parents=True, exist_ok=True)
    return Store.open(
        settings.database,
        open_secret(settings),
        contents=settings.home / "attachments",
        outgoing=settings.outgoing_folder,
    )
