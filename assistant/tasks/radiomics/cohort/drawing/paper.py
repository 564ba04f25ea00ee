"""The nomogram, the bars of an explanation, the flow of cases and the heat map."""

from __future__ import annotations

import base64
import io
from typing import Any

from assistant.tasks.radiomics.cohort.drawing.plot import BLUE, RED, picture, words

_NAMES, _SCALE = 190, 560
_WIDTH = _NAMES + _SCALE + 30


def nomogram(found: dict[str, Any]) -> str:
    """Points above, a line a variable, the total and what it means below; read by a ruler."""
    y = 30.0
    parts = _ruler("分值 Points", y, [(p, f"{p}") for p in range(0, 101, 10)], 0, 100)
    for variable in found["variables"]:
        y += 44
        ticks = [(t["points"], f"{t['value']:.4g}") for t in variable["ticks"]]
        parts += _ruler(variable["name"], y, ticks, 0, 100)
    top = max(found["total"]["high"], 1.0)
    y += 44
    step = next(s for s in (10, 20, 50, 100, 200, 500, 1000) if top / s <= 12 or s == 1000)
    marks = [(float(p), f"{p}") for p in range(0, int(top) + 1, step)]
    parts += _ruler("总分 Total points", y, marks, 0, top)
    for scale in found["scales"]:
        y += 44
        ticks = [(t["points"], f"{t['value']:g}") for t in scale["ticks"]]
        parts += _ruler(scale["name"], y, ticks, 0, top)
    return picture("列线图 Nomogram", _WIDTH, y + 30, parts)


def _ruler(
    name: str, y: float, ticks: list[tuple[float, str]], low: float, high: float
) -> list[str]:
    """A scale with its marks; a label that would stand on another goes below the line."""
    parts = [words(_short(name), _NAMES - 12, y + 4, anchor="end")]
    places = [(_NAMES + (p - low) / (high - low) * _SCALE, text) for p, text in sorted(ticks)]
    if places:
        parts.append(
            f'<line x1="{places[0][0]:.1f}" x2="{places[-1][0]:.1f}" y1="{y:.1f}" y2="{y:.1f}" '
            'stroke="#222"/>'
        )
    ends = {-1: -1e9, 1: -1e9}
    for at, text in places:
        half = 3.4 * len(text) + 2
        side = next((s for s in (-1, 1) if at - half > ends[s]), 0)
        reach = 5 if side else 3
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y - reach:.1f}" y2="{y + reach:.1f}" '
            'stroke="#222"/>'
        )
        if side:
            ends[side] = at + half
            parts.append(words(text, at, y - 8 if side < 0 else y + 17))
    return parts


def bars(explanation: dict[str, Any], most: int = 12) -> str:
    """What each feature added, the greatest first; what is not shown is one bar."""
    rows = [(p["name"], p["value"], p["added"]) for p in explanation["parts"]]
    if len(rows) > most:
        rows = [*rows[:most], ("其余特征", None, sum(r[2] for r in rows[most:]))]
    reach = max((abs(r[2]) for r in rows), default=1.0) or 1.0
    middle, half = 330.0, 190.0
    parts = []
    for place, (name, value, added) in enumerate(rows):
        y = 16 + 24 * place
        label = _short(name) if value is None else f"{_short(name)} = {value:.4g}"
        width = abs(added) / reach * half
        x = middle if added >= 0 else middle - width
        colour = RED if added >= 0 else BLUE
        parts.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="16" fill="{colour}"/>')
        side = x + width + 6 if added >= 0 else x - 6
        anchor = "start" if added >= 0 else "end"
        parts.append(words(f"{added:+.3f}", side, y + 12, anchor=anchor))
        if added >= 0:
            parts.append(words(label, middle - 8, y + 12, anchor="end"))
        else:
            parts.append(words(label, middle + 8, y + 12, anchor="start"))
    return picture("个例解释 Explanation of a case", 640, 24 * len(rows) + 24, parts)


def flow(found: dict[str, Any]) -> str:
    """Boxes: read, left out, used."""
    boxes = [f"读入 {found['read']} 例"]
    boxes.append(f"纳入分析 {found['used']} 例（{found['event_title']} {found['events']} 例）")
    out = [f"{row['why']}：{row['cases']} 例" for row in found["excluded"]] or ["无排除"]
    gap = max(70, 24 * len(out) + 34)
    parts = _box(boxes[0], 20, 10) + _box(boxes[1], 20, 10 + 36 + gap)
    arrow = f'<line x1="160" x2="160" y1="46" y2="{46 + gap}" stroke="#555"/>'
    side = f'<line x1="160" x2="330" y1="{46 + gap / 2}" y2="{46 + gap / 2}" stroke="#555"/>'
    parts += [arrow, side]
    top = 46 + gap / 2 - 12 * len(out)
    parts.append(
        f'<rect x="330" y="{top - 6}" width="290" height="{24 * len(out) + 12}" fill="#fff" '
        'stroke="#555"/>'
    )
    parts += [words(text, 344, top + 16 + 24 * n, anchor="start") for n, text in enumerate(out)]
    return picture("病例流程 Flow of cases", 640, 10 + 36 + gap + 46, parts)


def _box(text: str, x: float, y: float) -> list[str]:
    frame = f'<rect x="{x}" y="{y}" width="280" height="36" fill="#eef3f9" stroke="#555"/>'
    return [frame, words(text, x + 140, y + 23, size=12)]


def heat_map(found: dict[str, Any]) -> str:
    """Features × cases as colours from −2 (blue) to 2 (red) standard deviations."""
    import numpy as np
    from PIL import Image

    z = np.clip(np.array(found["z"], dtype=np.float64) / 2, -1, 1)
    fade = 1 - np.abs(z)
    pixels = np.stack([np.where(z >= 0, 1, fade), fade, np.where(z <= 0, 1, fade)], axis=2)
    kinds = np.array(found["event"], dtype=bool)
    top = np.where(kinds[None, :, None], (0.71, 0.22, 0.17), (0.12, 0.37, 0.66))
    picture_bytes = io.BytesIO()
    rows = np.concatenate([np.repeat(top, 1, axis=0), pixels])
    Image.fromarray((rows * 255).round().astype(np.uint8)).save(picture_bytes, "PNG")
    data = base64.b64encode(picture_bytes.getvalue()).decode()
    height = 18 * len(rows)
    parts = [
        f'<image x="{_NAMES}" y="26" width="{_SCALE}" height="{height}" '
        f'preserveAspectRatio="none" image-rendering="pixelated" '
        f'href="data:image/png;base64,{data}"/>',
        words(found["title"], _NAMES + _SCALE / 2, 16),
    ]
    for place, name in enumerate([found["event_title"], *found["names"]]):
        parts.append(words(_short(name), _NAMES - 8, 26 + 18 * place + 13, anchor="end"))
    return picture("特征热图 Heat map of features", _WIDTH, height + 40, parts)


def _short(name: str, most: int = 26) -> str:
    return name if len(name) <= most else f"{name[: most - 9]}…{name[-8:]}"
