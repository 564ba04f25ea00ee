"""The sentences of the page 肺结节检出, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "detection.image": ("CT 序列", "CT series"),
    "detection.run": ("检出结节", "Detect nodules"),
    "detection.choose": ("请选择 CT 序列。", "Choose a CT."),
    "detection.number": ("序号", "No."),
    "detection.place": ("位置", "Place"),
    "detection.density": ("密度", "Density"),
    "detection.size": ("长 × 短径 mm", "Long × short mm"),
    "detection.volume": ("体积 mm³", "Volume mm³"),
    "detection.score": ("得分", "Score"),
}
