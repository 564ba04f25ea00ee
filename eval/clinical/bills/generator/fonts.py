"""Fonts of this machine by what they look like; those that are absent are left out."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random

from PIL import ImageFont

ROOT = Path("/usr/share/fonts")
FILES = {
    "hei": ("NotoSansCJK-Regular.ttc", "wqy-zenhei.ttc"),
    "song": ("NotoSerifCJK-Regular.ttc", "gbsn00lp.ttf"),
    "bold": ("NotoSansCJK-Bold.ttc", "NotoSerifCJK-Bold.ttc"),
    "kai": ("gkai00mp.ttf", "LXGWWenKai-Regular.ttf"),
    "printer": ("gbsn00lp.ttf", "wqy-zenhei.ttc", "LXGWWenKaiMono-Regular.ttf"),
}
SIMPLIFIED = {"NotoSansCJK-Regular.ttc": 2, "NotoSerifCJK-Regular.ttc": 2}
SIMPLIFIED |= {"NotoSansCJK-Bold.ttc": 2, "NotoSerifCJK-Bold.ttc": 2}


class NoFont(Exception):
    """The machine has no Chinese font that pages could be printed with."""


@cache
def _places() -> dict[str, Path]:
    return {path.name: path for path in sorted(ROOT.rglob("*.tt[fc]"))}


def choose(look: str, random: Random) -> str:
    """A font file of this look.  Raises `NoFont`."""
    there = [name for name in FILES[look] if name in _places()]
    every = [name for names in FILES.values() for name in names if name in _places()]
    if not every:
        raise NoFont("没有中文字体，请安装 fonts-noto-cjk。(No Chinese font is installed.)")
    return random.choice(there or sorted(set(every)))


@cache
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """The font of this file at ``size`` pixels."""
    return ImageFont.truetype(str(_places()[name]), size, index=SIMPLIFIED.get(name, 0))
