"""The hospital's catalogue, opened once, and again where a new one was imported."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from assistant.store import Store
from assistant.tasks.bill_ocr.catalogue.search import Catalogue, CatalogueMissing

NAME = "catalogue.sqlite"
_lock = threading.Lock()
_open: dict[Path, tuple[int, Catalogue]] = {}


def catalogue_path(home: Path) -> Path:
    """Where it lies."""
    return home / "catalogue" / NAME


def open_catalogue(home: Path) -> Catalogue:
    """The catalogue as it is now.  Raises `CatalogueMissing`."""
    path = catalogue_path(home)
    try:
        changed = path.stat().st_mtime_ns
    except FileNotFoundError:
        raise CatalogueMissing from None
    with _lock:
        known = _open.get(path)
        if known is None or known[0] != changed:
            known = _open[path] = (changed, Catalogue(path))
        return known[1]


class StoreMemory:
    """What people have taught the catalogue, from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def code(self, key: str) -> str | None:
        """See `assistant.tasks.bill_ocr.catalogue.matching.Memory`."""
        return self._store.bills.synonym(key)

    def names(self, core: str) -> Sequence[str]:
        """See `assistant.tasks.bill_ocr.catalogue.matching.Memory`."""
        return self._store.bills.synonyms(core)
