"""The sentences of the page 肺结节检出, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "detection.image": ("序列", "Series"),
    "detection.model": ("检出什么", "What to detect"),
    "detection.nodules": ("肺结节（CT）", "Nodules of the lungs (CT)"),
    "detection.run": ("检出", "Detect"),
    "detection.choose": ("请选择序列。", "Choose a series."),
    "detection.label": ("类别", "Class"),
    "detection.slice": ("层", "Slice"),
    "detection.box": ("框（列, 行, 宽, 高）", "Box (column, row, width, height)"),
    "detection.number": ("序号", "No."),
    "detection.place": ("位置", "Place"),
    "detection.density": ("密度", "Density"),
    "detection.size": ("长 × 短径 mm", "Long × short mm"),
    "detection.volume": ("体积 mm³", "Volume mm³"),
    "detection.score": ("得分", "Score"),
}
