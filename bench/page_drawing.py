"""Pages of a bill drawn with known text, easy ones and hard ones, for `bench.bills`."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[Any]
FONTS = Path("/usr/share/fonts")
NOTO = "opentype/noto/Noto{}CJK-{}.ttc"
NAMES = (
    "注射用头孢曲松钠", "氯化钠注射液", "阿司匹林肠溶片", "静脉输液", "血常规（五分类）",
    "葡萄糖测定", "床位费（三人间）", "一次性使用输液器", "护理费Ⅱ级", "凝血酶原时间测定",
    "奥美拉唑肠溶胶囊", "盐酸左氧氟沙星", "肝功能检查", "甲状腺彩超", "吸氧", "留置针",
    "丙氨酸氨基转移酶", "CT平扫", "心电监测", "换药（中）",
)  # fmt: skip
SPECIFICATIONS = ("1.0g*10支", "250ml:2.25g", "0.1g×30片", "次", "20mg*14粒", "日", "5ml/支", "项")


@dataclass(frozen=True, slots=True)
class Row:
    """The text of one printed row, from left to right, and where its middle lies on the sheet."""

    text: str
    middle: float


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """A file as a user would send it, and what stands in it; ``to_sheet`` takes its pixels back to
    those of the flat sheet that ``rows`` speak of."""

    name: str
    content: bytes
    rows: tuple[Row, ...]
    to_sheet: Pixels


Change = Callable[[Pixels, np.random.Generator], tuple[Pixels, Pixels]]


def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """One of this machine's fonts; of a collection, the simplified Chinese one."""
    return ImageFont.truetype(str(FONTS / name), size, index=2 if "noto" in name else 0)


def sheet(
    face: str, size: int, width: int, height: int, chance: np.random.Generator, ink: int = 20
) -> tuple[Pixels, tuple[Row, ...]]:
    """A list of charges, and its rows."""
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    usual, title = font(face, size), font(face, round(size * 1.5))
    rows: list[Row] = []
    top = size * 2.0

    def put(cells: list[tuple[float, str]], which: ImageFont.FreeTypeFont) -> None:
        for place, text in cells:
            draw.text((place * width, top), text, font=which, fill=(ink, ink, ink))
        rows.append(Row("".join(text for _, text in cells), top + which.size * 0.6))

    put([(0.3, "某某市人民医院住院费用清单")], title)
    top += size * 3
    number = f"{chance.integers(10**9, 10**10)}"
    put([(0.04, "姓名：张三"), (0.3, "性别：女"), (0.52, f"住院号：{number}")], usual)
    top += size * 2
    put(
        [(0.04, "日期"), (0.2, "项目名称"), (0.5, "规格"), (0.69, "数量"), (0.78, "单价"),
         (0.89, "金额")],
        usual,
    )  # fmt: skip
    draw.line((0.03 * width, top - 6, 0.97 * width, top - 6), fill=(ink,) * 3, width=2)
    total = 0.0
    while top < height - size * 8:
        top += size * 1.7
        count, price = int(chance.integers(1, 20)), float(chance.integers(50, 90_000)) / 100
        total += round(count * price, 2)
        day = f"2026-{chance.integers(1, 13):02d}-{chance.integers(1, 29):02d}"
        cells = [
            (0.04, day), (0.2, str(chance.choice(NAMES))),
            (0.5, str(chance.choice(SPECIFICATIONS))), (0.7, str(count)),
            (0.78, f"{price:.2f}"), (0.89, f"{count * price:.2f}"),
        ]  # fmt: skip
        put(cells, usual)
    top += size * 2
    put([(0.04, "合计（大写）：壹万贰仟叁佰肆拾伍元陆角柒分"), (0.7, f"合计：{total:.2f}")], usual)
    return np.asarray(picture), tuple(rows)


def stamp(page: Pixels, chance: np.random.Generator) -> tuple[Pixels, Pixels]:
    """A round red seal over the text."""
    height, width = page.shape[:2]
    picture = Image.fromarray(page).convert("RGBA")
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    across, down = chance.uniform(0.4, 0.8) * width, chance.uniform(0.3, 0.8) * height
    radius, red = width * 0.13, (215, 30, 40, 190)
    draw.ellipse(
        (across - radius, down - radius, across + radius, down + radius), outline=red, width=9
    )
    seal = font(NOTO.format("Sans", "Bold"), round(radius * 0.28))
    draw.text((across - radius * 0.7, down - radius * 0.2), "收费专用章", font=seal, fill=red)
    return np.asarray(Image.alpha_composite(picture, layer).convert("RGB")), np.eye(3)


def blurred(page: Pixels, chance: np.random.Generator) -> tuple[Pixels, Pixels]:
    """Out of focus and full of noise."""
    soft = cv2.GaussianBlur(page, (0, 0), 1.0).astype(np.float32)
    return (soft + chance.normal(0, 9, soft.shape)).clip(0, 255).astype(np.uint8), np.eye(3)


def shaded(page: Pixels, chance: np.random.Generator) -> tuple[Pixels, Pixels]:
    """A hand's shadow and light from one side, and two degrees askew."""
    height, width = page.shape[:2]
    turn = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), 2.0, 1.0), [0, 0, 1]])
    page = cv2.warpPerspective(page, turn, (width, height), borderValue=(255, 255, 255))
    light = np.linspace(0.95, 0.5, width)[None, :, None] * np.ones((height, 1, 1))
    hand = np.zeros((height, width), np.float32)
    cv2.circle(hand, (width // 3, height // 2), width // 4, (1.0,), -1)
    light *= 1 - 0.45 * cv2.GaussianBlur(hand, (0, 0), 40)[..., None]
    return (page * light).clip(0, 255).astype(np.uint8), np.linalg.inv(turn)


def photographed(page: Pixels, chance: np.random.Generator) -> tuple[Pixels, Pixels]:
    """Lying on a desk, seen from one side."""
    height, width = page.shape[:2]
    desk = np.full((round(height * 1.25), round(width * 1.3), 3), (96, 84, 70), np.float32)
    desk += chance.normal(0, 8, desk.shape)
    move = chance.uniform(0, 0.05, 8) * width
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    onto = corners + np.array([0.12 * width, 0.1 * height]) + move.reshape(4, 2)
    onto[0, 0] += 0.05 * width
    matrix = cv2.getPerspectiveTransform(corners, onto.astype(np.float32))
    size = (desk.shape[1], desk.shape[0])
    laid = cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full(page.shape[:2], 255, np.uint8), matrix, size)[..., None] > 0
    photo = np.where(mask, laid, desk).clip(0, 255).astype(np.uint8)
    return photo, np.linalg.inv(matrix)


def faded(page: Pixels, chance: np.random.Generator) -> tuple[Pixels, Pixels]:
    """Thermal paper that has paled."""
    return (175 + page.astype(np.float32) * 0.25).clip(0, 255).astype(np.uint8), np.eye(3)


def plain(page: Pixels, chance: np.random.Generator) -> tuple[Pixels, Pixels]:
    """As it was drawn."""
    return page, np.eye(3)


_KINDS: tuple[tuple[str, str, int, int, int, Change, int], ...] = (
    ("clean", NOTO.format("Sans", "Regular"), 26, 1240, 1754, plain, 95),
    ("small", NOTO.format("Serif", "Regular"), 19, 1240, 1754, plain, 90),
    ("stamp", "truetype/arphic-gkai00mp/gkai00mp.ttf", 28, 1240, 1754, stamp, 90),
    ("blurred", "truetype/arphic-gbsn00lp/gbsn00lp.ttf", 28, 1240, 1754, blurred, 60),
    ("shaded", NOTO.format("Serif", "Regular"), 27, 1240, 1754, shaded, 85),
    ("photo", NOTO.format("Sans", "Regular"), 42, 2100, 2970, photographed, 85),
    ("faded", "truetype/wqy/wqy-zenhei.ttc", 27, 1240, 1754, faded, 80),
    ("scan300", NOTO.format("Serif", "Regular"), 48, 2480, 3508, plain, 85),
)


def pages(rounds: int, seed: int) -> list[DrawnPage]:
    """``rounds`` pages of every kind, the same for the same seed."""
    made: list[DrawnPage] = []
    for turn in range(rounds):
        for place, (name, face, size, width, height, change, quality) in enumerate(_KINDS):
            chance = np.random.default_rng([seed, turn, place])
            flat, rows = sheet(face, size, width, height, chance)
            changed, back = change(flat, chance)
            buffer = io.BytesIO()
            Image.fromarray(changed).save(buffer, "JPEG", quality=quality)
            made.append(DrawnPage(name, buffer.getvalue(), rows, back))
    return made
