"""Which engines, as they run now, are approved for clinical use.

An approval holds for the files, the options and the prompts that it was given for.  Nothing is
hashed while there is no approval, and files are hashed anew only when they have changed; until
that is done, nothing is approved.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from assistant.approval import fingerprint
from assistant.approval.fingerprint import Fingerprint
from assistant.approval.model_files import (
    NotIdentified,
    Signature,
    digest_of,
    folder_digest,
    folder_signature,
    model_folders,
    signature_of,
)
from assistant.engines import Engines
from assistant.settings import Settings
from assistant.store import Approval, Store, StoreError
from assistant.work.registry import Registry

logger = logging.getLogger("bedside.assistant.approvals")


class ApprovalStatus:
    """What is approved, as it was when `refresh` was last called."""

    def __init__(
        self, settings: Settings, store: Store, engines: Engines, tasks: Registry | None = None
    ) -> None:
        self._settings = settings
        self._tasks = tasks
        self._store = store
        self._slots = engines.slots
        self._digests: dict[Path, tuple[Signature, str]] = {}
        self._holding: dict[str, list[Approval]] = {}
        self._prompts: dict[str, dict[str, str]] = {}
        self._alone = asyncio.Lock()

    async def refresh(self) -> None:
        """Look at the approvals, the files and the prompts again."""
        async with self._alone:
            try:
                self._holding = await asyncio.to_thread(self._look)
            except StoreError as error:
                logger.error("approvals cannot be read: %s", type(error).__name__)
                self._holding = {}
            for name, slot in self._slots.items():
                slot.approved = self.approved(name)
                slot.scores = self._scores(name)

    def approved(self, engine: str, version: str = "") -> bool:
        """Whether ``engine`` is approved with every prompt that it is given.

        ``version`` (`prompts.Template.version`) asks about a draft that was made with that one.
        """
        return self._by(engine, self._wanted(engine, version)) is not None

    def engines_of(self, approval_id: str) -> list[str]:
        """The engines that an approval holds for now, at least with some of their prompts."""
        return [
            engine
            for engine, holding in self._holding.items()
            if any(approval.id == approval_id for approval in holding)
        ]

    def runs(self) -> dict[str, str]:
        """Folder of a run → the name of who approved what runs now because of it."""
        return {
            approval.run: approval.approved_by
            for holding in self._holding.values()
            for approval in holding
        }

    def _scores(self, engine: str) -> dict[str, dict[str, float]]:
        """Kind of run → its scores, of the approvals that hold for the engine, the newest."""
        found: dict[str, dict[str, float]] = {}
        for approval in sorted(self._holding.get(engine, ()), key=lambda a: a.created_at):
            found[str(approval.evidence.get("kind", ""))] = approval.scores
        return found

    def _wanted(self, engine: str, version: str) -> Mapping[str, str]:
        in_use = self._prompts.get(engine, {})
        if not version:
            return in_use
        wanted = fingerprint.prompts_of(version, in_use)
        # A prompt that is not in use any more is approved for nobody.
        return wanted or {version: ""}

    def _by(self, engine: str, wanted: Mapping[str, str]) -> Approval | None:
        return next(
            (a for a in self._holding.get(engine, ()) if wanted.items() <= a.prompts.items()), None
        )

    def _look(self) -> dict[str, list[Approval]]:
        in_force = self._store.approvals.in_force()
        if not in_force:
            return {}
        found: dict[str, list[Approval]] = {}
        for engine, chosen in self._settings.engines.items():
            self._prompts[engine] = fingerprint.prompts_in_use(self._settings, engine, self._tasks)
            runs = None if chosen.demo_only else self._running(engine)
            if runs is not None:
                found[engine] = self._holding_for(runs, self._prompts[engine], in_force)
        return found

    def _holding_for(
        self, runs: Fingerprint, in_use: Mapping[str, str], in_force: Sequence[Approval]
    ) -> list[Approval]:
        """The approvals of this model that are of at least one prompt in use."""
        return [
            a
            for a in in_force
            if (approved := _approved(a)) is not None
            and runs.same_model(approved)
            and (not in_use or in_use.items() & a.prompts.items())
        ]

    def _running(self, engine: str) -> Fingerprint | None:
        chosen, opened = self._settings.engines[engine], self._slots[engine].files
        try:
            folders = model_folders(chosen, self._settings.home)
            if opened is not None and opened != signature_of(folders):
                # What was loaded is not what lies there now.
                return None
            digest = digest_of(folders, self._digest)
            return fingerprint.of_engine(chosen, folders[0], digest)
        except (NotIdentified, OSError):
            return None

    def _digest(self, folder: Path) -> str:
        signature = folder_signature(folder)
        known = self._digests.get(folder)
        if known is None or known[0] != signature:
            known = signature, folder_digest(folder)
            self._digests[folder] = known
        return known[1]


def _approved(approval: Approval) -> Fingerprint | None:
    if approval.options is None:
        return None
    return Fingerprint(
        approval.model,
        approval.engine_kind,
        approval.files_sha256,
        approval.precision,
        approval.kv_cache,
        approval.options,
    )
