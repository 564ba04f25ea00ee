"""Files that are no bill, or none that may be opened: what each road must answer in a sentence."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image


@dataclass(frozen=True, slots=True)
class BadFile:
    """``says``: a word of the sentence; ``kept``: it is a picture, and only its content is none."""

    name: str
    content: bytes
    says: str
    kept: bool = False

    def __str__(self) -> str:
        return self.name


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _png_header(width: int, height: int) -> bytes:
    """A picture that says that it is large, and has next to nothing in it."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (head, data, b"IEND")
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


def _bomb() -> bytes:
    """Two hundred million pixels in a few hundred kilobytes."""
    return _saved(Image.new("L", (20_000, 10_000)), "PNG", compress_level=1)


def _pdf(objects: list[str], catalog: str = "", trailer: str = "") -> bytes:
    rows = [
        f"<</Type/Catalog/Pages 2 0 R{catalog}>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]>>",
        *objects,
    ]
    body = "".join(f"{number} 0 obj{row}endobj\n" for number, row in enumerate(rows, 1))
    return f"%PDF-1.4\n{body}trailer<</Root 1 0 R{trailer}>>\n%%EOF".encode("latin-1")


def _encrypted() -> bytes:
    return _pdf(
        [f"<</Filter/Standard/V 1/R 2/O<{'41' * 32}>/U<{'42' * 32}>/P -4>>"],
        trailer="/Encrypt 4 0 R/ID[<00><00>]",
    )


def _pages(count: int) -> bytes:
    import pypdfium2

    document = pypdfium2.PdfDocument.new()
    for _ in range(count):
        document.new_page(300, 300)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def cat() -> Image.Image:
    """Fur, two ears and two eyes: nothing that is read."""
    ys, xs = np.mgrid[0:480, 0:640]
    noise = np.random.default_rng(3).normal(0, 14, (480, 640, 3))
    fur = noise + np.array([150.0, 110.0, 70.0])
    head = ((xs - 320) / 150) ** 2 + ((ys - 280) / 130) ** 2 < 1
    ears = (np.abs(np.abs(xs - 320) - 100) < (ys - 90) / 2) & (ys > 90) & (ys < 230)
    fur[~(head | ears)] += 70
    for x in (265, 375):
        fur[((xs - x) / 12) ** 2 + ((ys - 250) / 22) ** 2 < 1] = (40, 120, 60)
    return Image.fromarray(fur.clip(0, 255).astype(np.uint8))


@cache
def bad_files() -> tuple[BadFile, ...]:
    """One of each kind."""
    photo = _saved(cat(), "JPEG", quality=85)
    white, black = (Image.new("RGB", (900, 1200), shade) for shade in ("white", "black"))
    script = _pdf(["<</S/JavaScript/JS(app.alert(1))>>"], catalog="/OpenAction 4 0 R")
    return (
        BadFile("wide.png", _png_header(30_000, 30_000), "像素"),
        BadFile("bomb.png", _bomb(), "像素"),
        BadFile("locked.pdf", _encrypted(), "密码"),
        BadFile("script.pdf", script, "脚本"),
        BadFile("500.pdf", _pages(500), "500"),
        BadFile("short.jpg", photo[: len(photo) // 2], "损坏"),
        BadFile("words.jpg", b"just words", "图片"),
        BadFile("blank.png", _saved(white, "PNG"), "空白", kept=True),
        BadFile("black.png", _saved(black, "PNG"), "空白", kept=True),
        BadFile("cat.jpg", photo, "无法识别", kept=True),
    )
