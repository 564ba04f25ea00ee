"""The files of a folder or a zip, read into memory under a limit.

Names inside a zip are never used as paths: nothing is unpacked to the disk.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from assistant.imaging.problem import ImageProblem

MAX_FILES = 20_000
MAX_BYTES = 4 * 1024**3
MAX_RATIO = 200
"""Of unpacked to packed bytes; DICOM slices, even black ones, rarely come to 100."""

_RATIO_FROM = 64 * 1024**2
_BLOCK = 1024**2


def files(path: Path) -> Iterator[bytes]:
    """The contents of a file, of the files of a folder (with those below), or of a zip.

    Raises `ImageProblem` for a zip that is broken, locked or unpacks to too much.
    """
    if path.is_dir():
        yield from _folder(path)
    elif zipfile.is_zipfile(path):
        yield from _zip(path)
    else:
        yield _read(path)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _too_much()
        return path.read_bytes()
    except OSError:
        raise ImageProblem(
            "文件无法读取，请检查路径和权限。", "A file cannot be read; check path and permissions."
        ) from None


def _folder(path: Path) -> Iterator[bytes]:
    total = 0
    for number, file in enumerate(sorted(p for p in path.rglob("*") if p.is_file())):
        data = _read(file)
        total += len(data)
        if number >= MAX_FILES or total > MAX_BYTES:
            raise _too_much()
        yield data


def _zip(path: Path) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            if len(members) > MAX_FILES:
                raise _too_much()
            budget = MAX_BYTES
            for info in members:
                if info.flag_bits & 1:
                    raise ImageProblem(
                        "压缩包已加密，请提供未加密的压缩包。", "The zip is locked; give an open one."
                    )
                data = _member(archive, info, budget)
                budget -= len(data)
                yield data
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError) as error:
        if isinstance(error, ImageProblem):
            raise
        raise ImageProblem(
            "压缩包损坏或格式不支持，请重新打包。", "The zip is broken; pack it again."
        ) from None


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: int) -> bytes:
    """One member, counted while it is unpacked, since its header may lie."""
    limit = min(budget, max(_RATIO_FROM, MAX_RATIO * max(info.compress_size, 1)))
    blocks, size = [], 0
    with archive.open(info) as member:
        while block := member.read(_BLOCK):
            size += len(block)
            if size > limit:
                raise _too_much()
            blocks.append(block)
    return b"".join(blocks)


def _too_much() -> ImageProblem:
    return ImageProblem(
        "文件过多或解压后过大，请只提供一个序列。",
        "Too many files, or they unpack to too much; give one series only.",
    )
