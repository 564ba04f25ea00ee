"""Prepared models on disk: ``<home>/models/<name>/``, each whole or not there."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from serving.engine import ModelCard
from serving.models import catalog, manifest, mirrors
from serving.models.catalog import CatalogError, Entry
from serving.models.file_lock import FileLock
from serving.models.manifest import ModelInvalid

Progress = Callable[[int, int, str], None]
Status = Literal["ready", "missing", "broken"]

_log = logging.getLogger("bedside.serving.store")


@dataclass(frozen=True, slots=True)
class Listing:
    """One line of `ModelStore.list`."""

    name: str
    status: Status
    demo_only: bool
    licence: str
    path: Path


class ModelStore:
    """The models of one data home."""

    def __init__(self, home: Path) -> None:
        """``home`` need not exist yet."""
        self._home = home
        self._models = home / "models"

    def list(self) -> list[Listing]:
        """Every model that the catalogue names or the folder holds, by name."""
        entries = catalog.load(self._home)
        names = set(entries)
        if self._models.is_dir():
            names |= {path.name for path in self._models.iterdir() if path.name[0] != "."}
        return [self._listing(name, entries.get(name)) for name in sorted(names)]

    def add(self, entry: Entry) -> None:
        """Put an entry into the hospital's own catalogue; one of the same name is replaced.

        Raises:
            CatalogError: the entry names a folder that holds no prepared model.
        """
        if entry.folder is not None:
            folder = entry.folder.expanduser().resolve()
            if not manifest.is_prepared(folder):
                raise CatalogError(
                    f"{folder} is not an OpenVINO model folder: it needs {manifest.MODEL_FILE} "
                    f"and {manifest.TOKENIZER_FILE}."
                )
            entry = entry.model_copy(update={"folder": folder})
        with self._lock("catalog"):
            catalog.save_own(self._home, catalog.own(self._home) | {entry.name: entry})

    def add_folder(self, name: str, folder: Path, licence: str = "") -> None:
        """Register an OpenVINO folder, as optimum-intel or a model server exports it."""
        self.add(_entry(name=name, prepare="none", folder=folder, licence=licence))

    def add_gguf(self, name: str, file: Path, licence: str = "") -> None:
        """Register a GGUF file of this machine; `pull` prepares it."""
        file = file.expanduser().resolve()
        if not file.is_file():
            raise CatalogError(f"There is no file {file}.")
        from serving.ir.checkpoint import CheckpointError
        from serving.ir.gguf_checkpoint import GgufCheckpoint

        try:
            config = GgufCheckpoint(file).config
        except CheckpointError as error:
            raise ModelInvalid(str(error)) from error
        mirror = catalog.FolderMirror(kind="folder", path=file.parent)
        self.add(
            _entry(
                name=name,
                file=file.name,
                sha256=manifest.sha256_of(file),
                bytes=file.stat().st_size,
                architecture=str(config["model_type"]),
                licence=licence,
                mirrors=(mirror,),
            )
        )

    def new_folder(self, name: str) -> Path:
        """Where a model that is called ``name`` from now on is to be put.

        Raises:
            CatalogError: no model can be called that, or one is.
        """
        folder = self._models / _entry(name=name, prepare="none", folder=self._models).name
        if folder.exists() or name in catalog.own(self._home):
            raise CatalogError(
                f"There is a model {name} already; choose another name, or remove it with "
                f"`bedside model remove {name}`."
            )
        if name in catalog.load(self._home):
            raise CatalogError(f"{name} is a model of the catalogue; choose another name.")
        return folder

    def pull(
        self, name: str, progress: Progress | None = None, *, keep_source: bool = False
    ) -> Path:
        """Fetch and prepare ``name`` unless it is ready; returns its folder.

        ``progress(done, total, what)`` counts bytes, then steps.  Two processes do not do the
        same work twice.  ``keep_source`` keeps the downloaded file.

        Raises:
            CatalogError: no such model.
            mirrors.ModelUnavailable: no mirror has it.
            ModelInvalid: it cannot be prepared.
        """
        entry = self._entry(name)
        if entry.folder is not None:
            return self.path(name)
        with self._lock(name):
            target = self._models / name
            if manifest.is_prepared(target):
                known = manifest.read(target)
                wanted = entry.precision.chosen().words().items()
                if known.source_sha256 == entry.sha256 and wanted <= known.settings.items():
                    return target
            self._prepare(entry, target, progress or (lambda done, total, what: None), keep_source)
        return target

    def verify(self, name: str) -> tuple[str, ...]:
        """Names of files that are missing or differ from the manifest; empty: all is well.

        A folder of another tool has no hashes, and is only checked for being complete.

        Raises:
            CatalogError: no such model.
            ModelInvalid: it is not prepared.
        """
        folder = self.path(name)
        expected = manifest.read(folder).files
        return tuple(
            file
            for file, digest in expected.items()
            if not (folder / file).is_file() or manifest.sha256_of(folder / file) != digest
        )

    def path(self, name: str) -> Path:
        """The folder of a prepared model.

        Raises:
            CatalogError: no such model.
            ModelInvalid: it is not prepared.
        """
        folder = self._folder(name, catalog.load(self._home).get(name))
        if manifest.is_prepared(folder):
            return folder
        entry = self._entry(name)
        raise ModelInvalid(
            f"The model {name} is not prepared; run `bedside model pull {name}`."
            if entry.folder is None
            else f"The folder of model {name}, {folder}, is gone or incomplete."
        )

    def card(self, name: str) -> ModelCard:
        """What the manifest of a prepared model says.  Raises as `path` does."""
        known = manifest.read(self.path(name))
        entry = catalog.load(self._home).get(name)
        return ModelCard(
            name=name,
            source=known.source,
            context_length=known.context_length,
            demo_only=known.demo_only or bool(entry and entry.demo_only),
            licence=known.licence or (entry.licence if entry else ""),
            details={"architecture": known.architecture, "sha256": known.source_sha256},
        )

    def remove(self, name: str) -> None:
        """Forget a model: its prepared folder, and its entry in the hospital's own catalogue.

        A folder that was registered where it lies is left alone.

        Raises:
            CatalogError: there is no such model.
        """
        # A folder that is broken has no entry, and must not stand in the way of a new one.
        if name not in {row.name for row in self.list()}:
            self._entry(name)
        with self._lock(name):
            shutil.rmtree(self._models / name, ignore_errors=True)
        with self._lock("catalog"):
            entries = catalog.own(self._home)
            if entries.pop(name, None) is not None:
                catalog.save_own(self._home, entries)

    def _prepare(self, entry: Entry, target: Path, progress: Progress, keep_source: bool) -> None:
        from serving.ir.convert import ConversionError, convert

        source = mirrors.fetch(entry, self._home / "downloads", progress)
        made, old = (self._models / f".{entry.name}.{what}" for what in ("new", "old"))
        for left in (made, old):
            shutil.rmtree(left, ignore_errors=True)
        try:
            convert(
                source,
                made,
                entry.precision.chosen(),
                progress,
                name=entry.name,
                licence=entry.licence,
                demo_only=entry.demo_only,
            )
        except ConversionError as error:
            raise ModelInvalid(str(error)) from error
        if target.exists():
            target.rename(old)
        made.rename(target)
        shutil.rmtree(old, ignore_errors=True)
        if not keep_source:
            source.unlink(missing_ok=True)
        _log.info("prepared %s", entry.name)

    def _entry(self, name: str) -> Entry:
        entries = catalog.load(self._home)
        if name in entries:
            return entries[name]
        if manifest.is_prepared(self._models / name):
            return _entry(name=name, prepare="none", folder=self._models / name)
        known = ", ".join(sorted(entries))
        raise CatalogError(f"There is no model {name!r}; the catalogue has: {known}.")

    def _folder(self, name: str, entry: Entry | None) -> Path:
        return entry.folder if entry and entry.folder else self._models / name

    def _listing(self, name: str, entry: Entry | None) -> Listing:
        folder = self._folder(name, entry)
        status: Status = "missing"
        known = None
        if folder.is_dir():
            try:
                known, status = manifest.read(folder), "ready"
            except ModelInvalid:
                status = "broken"
        return Listing(
            name=name,
            status=status,
            demo_only=bool(entry and entry.demo_only) or bool(known and known.demo_only),
            licence=(entry.licence if entry else "") or (known.licence if known else ""),
            path=folder,
        )

    def _lock(self, name: str) -> FileLock:
        return FileLock(self._home / "downloads" / f".{name}.lock")


def _entry(**fields: object) -> Entry:
    from pydantic import ValidationError

    try:
        return Entry.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise CatalogError(
            f"{first['loc'][0] if first['loc'] else 'entry'}: {first['msg']}"
        ) from error
