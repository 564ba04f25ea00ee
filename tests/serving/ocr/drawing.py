"""Pages drawn for tests, with the font that comes with Pillow (Latin letters and digits)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

ROWS = (
    "General Hospital Bill",
    "Invoice 20260315",
    "Amoxicillin 250mg 36.50",
    "Blood count 128.00",
    "Ward fee 1450.75",
    "Total amount 1615.25",
)


def page(rows: Sequence[str] = ROWS, size: tuple[int, int] = (800, 700)) -> NDArray[np.uint8]:
    """``rows`` in black on white, one under another."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    face = ImageFont.load_default(34)
    for place, row in enumerate(rows):
        draw.text((60, 60 + 90 * place), row, font=face, fill=(10, 10, 10))
    return np.asarray(picture)


def encoded(pixels: NDArray[Any], kind: str = "PNG", **options: Any) -> bytes:
    """``pixels`` as a file."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, kind, **options)
    return buffer.getvalue()


def pdf(content: str, extra: str = "", catalog: str = "") -> bytes:
    """A PDF of one page with this content stream; ``extra`` are further objects, from number 6."""
    stream = content.encode()
    objects = [
        f"<</Type/Catalog/Pages 2 0 R{catalog}>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        "/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(stream)}>>stream\n{content}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    objects += [extra] if extra else []
    data, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj{body}endobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    start = len(data)
    data += f"xref\n0 {size}\n0000000000 65535 f \n{table}".encode()
    return data + f"trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF".encode()


def text_stream(rows: Sequence[str], mode: int = 0) -> str:
    """A content stream that prints ``rows``; ``mode`` 3 prints nothing that can be seen."""
    lines = [f"1 0 0 1 72 {760 - 40 * place} Tm ({row}) Tj" for place, row in enumerate(rows)]
    return f"BT /F1 20 Tf {mode} Tr " + " ".join(lines) + " ET"
