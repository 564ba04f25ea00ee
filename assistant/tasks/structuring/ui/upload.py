"""Files that the page was given, read as the command ``bedside structure`` reads them."""

from __future__ import annotations

import base64
import binascii
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from assistant.tasks.structuring.input import SUFFIXES, InputError, read_notes
from assistant.tasks.structuring.note import NoteText
from assistant.ui.strings import Text

LONGEST_NAME = 60


@dataclass(frozen=True)
class Upload:
    """The notes of one file."""

    name: str
    notes: list[NoteText]


class UploadError(ValueError):
    """A file cannot be used; the message says which, and why."""


def read_upload(name: str, content: str, home: Path, t: Text) -> Upload:
    """The notes of a file whose bytes come as Base64.

    The file is in a folder of its own under ``home`` while it is read, where the store is as well,
    and is removed at once.  Raises `UploadError`.
    """
    # Browsers give the name alone; a path of any kind is cut to it.
    name = PurePosixPath(name.replace("\\", "/")).name.replace("\0", "")
    shown = name if len(name) <= LONGEST_NAME else f"…{name[-LONGEST_NAME + 1 :]}"
    suffix = PurePosixPath(shown).suffix.lower()
    if suffix not in SUFFIXES:
        raise UploadError(t("notes.file.suffix", name=shown))
    try:
        raw = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise UploadError(t("notes.file.binary", name=shown)) from None
    if b"\0" in raw or not _is_text(raw):
        raise UploadError(t("notes.file.binary", name=shown))
    home.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=home) as folder:
            file = Path(folder) / shown
            file.write_bytes(raw)
            notes = [note for note in read_notes(file, shown) if note.text.strip()]
    except InputError as error:
        raise UploadError(t("notes.file.unreadable", why=str(error))) from None
    except OSError:
        raise UploadError(t("notes.file.unreadable", why=shown)) from None
    if not notes:
        raise UploadError(t("notes.file.empty", name=shown))
    return Upload(shown, notes)


def _is_text(raw: bytes) -> bool:
    for encoding in ("utf-8", "gb18030"):
        try:
            raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False
