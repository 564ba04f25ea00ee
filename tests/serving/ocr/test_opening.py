"""What a file is opened as, and which are refused."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from drawing import ROWS, encoded, page, pdf, text_stream
from PIL import Image

from serving.ocr.opening_process import opened
from serving.ocr.refusal import PageRefused


def refusal(content: bytes) -> PageRefused:
    with pytest.raises(PageRefused) as caught:
        list(opened(content))
    assert any("一" <= character <= "鿿" for character in caught.value.message)
    return caught.value


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
def test_a_picture_is_one_page(kind: str) -> None:
    (found,) = opened(encoded(page(), kind))
    assert found.image.shape == (700, 800, 3)
    assert found.original_size == (800, 700)
    assert np.abs(found.image.astype(int) - page()).mean() < 3
    assert not found.blank


def test_a_heic_photo_is_one_page() -> None:
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(page())).save(buffer)
    (found,) = opened(buffer.getvalue())
    assert np.abs(found.image.astype(int) - page()).mean() < 6


def test_each_frame_of_a_tiff_is_a_page() -> None:
    further = [Image.fromarray(page(["Second page 2"])), Image.fromarray(page(["Third 3"]))]
    content = encoded(page(), "TIFF", save_all=True, append_images=further)
    assert [found.number for found in opened(content)] == [1, 2, 3]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_obeyed(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(page(), "JPEG", quality=95, exif=exif)
    from PIL import ImageOps

    shown = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB"))
    (found,) = opened(content)
    assert (found.image == shown).all()
    assert found.original_size == (shown.shape[1], shown.shape[0])


def test_a_large_picture_is_worked_on_smaller_and_leads_back() -> None:
    (found,) = opened(encoded(np.kron(page(), np.ones((9, 9, 1), np.uint8)), "JPEG"))
    assert max(found.image.shape) <= 4_000
    assert found.original_size == (7_200, 6_300)
    corner = found.back @ (found.image.shape[1], found.image.shape[0], 1)
    assert corner[:2] == pytest.approx((7_200, 6_300))


def test_transparency_is_paper() -> None:
    clear = np.dstack([page(), np.where(page()[..., 0] > 128, 0, 255).astype(np.uint8)])
    (found,) = opened(encoded(clear))
    assert (found.image[0, 0] == 255).all()


def test_sixteen_bits_are_eight() -> None:
    deep = page()[..., 0].astype(np.uint16) * 257
    (found,) = opened(encoded(deep))
    assert (found.image == page()).all()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"just words", "wrong_type"),
        (b"PK\x03\x04" + bytes(100), "wrong_type"),
        (b"GIF89a" + bytes(100), "wrong_type"),
        (b"%PDF-1.7 and nothing more", "damaged"),
    ],
)
def test_what_is_no_page_is_refused(content: bytes, code: str) -> None:
    assert refusal(content).code == code


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_cut_short_is_refused(kind: str) -> None:
    content = encoded(page(), kind)
    assert refusal(content[: len(content) // 2]).code == "damaged"


def _png_header(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (head, data, b"IEND")
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize("size", [(30_000, 30_000), (30_000, 10), (15_000, 15_000)])
def test_a_picture_of_too_many_pixels_is_refused(size: tuple[int, int]) -> None:
    assert refusal(_png_header(*size)).code == "too_large"


def test_a_pdf_with_a_password_is_refused() -> None:
    # An encryption dictionary whose user password is not empty: nothing it holds need be true.
    content = pdf(
        text_stream(ROWS), f"<</Filter/Standard/V 1/R 2/O<{'41' * 32}>/U<{'42' * 32}>/P -4>>"
    )
    content = content.replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt 6 0 R/ID[<00><00>]")
    assert refusal(content).code == "encrypted"


def test_a_pdf_with_a_script_is_refused() -> None:
    content = pdf(
        text_stream(ROWS), "<</S/JavaScript/JS(app.alert(1))>>", catalog="/OpenAction 6 0 R"
    )
    assert refusal(content).code == "script"


def test_too_many_pages_are_refused_and_counted() -> None:
    document = pypdfium2.PdfDocument.new()
    for _ in range(500):
        document.new_page(300, 300)
    buffer = io.BytesIO()
    document.save(buffer)
    refused = refusal(buffer.getvalue())
    assert refused.code == "too_many_pages"
    assert "500" in refused.message


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_blank_page_is_known(shade: int) -> None:
    (found,) = opened(encoded(np.full((900, 700, 3), shade, np.uint8)))
    assert found.blank


def test_a_page_with_one_short_line_is_not_blank() -> None:
    (found,) = opened(encoded(page(["7.5"], (1_240, 1_754))))
    assert not found.blank


def test_the_parser_can_read_and_reach_nothing(tmp_path: Path) -> None:
    """What `confine` gives up, tried in a process of its own."""
    import subprocess
    import sys

    secret = tmp_path / "secret"
    secret.write_text("x")
    script = f"""
import os, socket, sys
from pathlib import Path
from serving.ocr.confinement import confine
held = confine([Path(sys.prefix), Path(sys.base_prefix)], 2 << 30, 20)
def tried(call):
    try:
        call()
    except OSError:
        return "denied"
    return "done"
print(*held, "|", tried(lambda: open({str(secret)!r})), tried(socket.socket),
      tried(lambda: os.execv("/bin/true", ["true"])), tried(lambda: os.kill(os.getppid(), 0)))
"""
    made = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    held, results = made.split("|")
    assert "limits" in held
    if "landlock" not in held or "seccomp" not in held:
        pytest.skip(f"this kernel has only: {held}")
    assert results.split() == ["denied"] * 4


def test_a_parser_that_dies_is_a_refusal_and_the_next_file_is_read() -> None:
    import serving.ocr.opening_process as process

    connection = process._server().ask()
    connection.close()
    assert len(list(opened(encoded(page())))) == 1
