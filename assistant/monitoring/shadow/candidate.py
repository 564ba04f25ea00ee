"""A candidate as it runs: the settings in which it stands in the place of the model in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.approval.fingerprint import of_engine, prompts_in_use
from assistant.approval.model_files import (
    NotIdentified,
    digest_of,
    model_folders,
    plain_digest,
)
from assistant.monitoring.settings import ShadowCandidate
from assistant.settings import PanelMember, Settings
from assistant.work.registry import Registry
from assistant.work.resources import Resources

if TYPE_CHECKING:
    from assistant.api.context import Services

SEAT = "候选"


def settings_of(settings: Settings, candidate: ShadowCandidate) -> Settings:
    """The settings with the candidate as the default engine and the panel's only member."""
    first = settings.panel[0] if settings.panel else PanelMember(name=SEAT)
    seat = first.model_copy(
        update={
            "name": SEAT,
            "engine": candidate.engine,
            "prompt": candidate.prompt or first.prompt,
        }
    )
    return settings.model_copy(update={"default_engine": candidate.engine, "panel": [seat]})


def resources_of(parts: Services, candidate: ShadowCandidate) -> Resources:
    """What its work is done with: no attachments and no conversations, so it can keep nothing."""
    base = parts.knowledge if parts.has_knowledge else None
    return Resources(settings_of(parts.settings, candidate), parts.engines, base)


def identity(settings: Settings, candidate: ShadowCandidate, tasks: Registry) -> dict[str, Any]:
    """What it is: its files and options where they lie here, and the prompts that it is given.

    Blocks while the files are hashed, which takes seconds for a large model.
    """
    chosen = settings.engines[candidate.engine]
    found: dict[str, Any] = {
        "engine_kind": chosen.kind,
        "model": chosen.title,
        "prompts": prompts_in_use(settings_of(settings, candidate), candidate.engine, tasks),
    }
    try:
        folders = model_folders(chosen, settings.home)
        runs = of_engine(chosen, folders[0], digest_of(folders))
    except (NotIdentified, OSError):
        # Of a remote one no more is known than its name.
        return found
    return found | {
        "files_sha256": runs.files_sha256,
        "precision": runs.precision,
        "kv_cache": runs.kv_cache,
        "options": dict(runs.options),
    }


def fingerprint(known: dict[str, Any]) -> str:
    """SHA-256 of an `identity`."""
    return plain_digest(known)
