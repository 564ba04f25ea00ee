"""The sentences of the page 肺结节检出, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "detection.notice": (
        "科研用途：结果仅供研究，不得用于诊疗，也不会回填病历。",
        "For research only: results are not for care and never go into the record.",
    ),
    "detection.patient": ("患者 ID", "Patient id"),
    "detection.encounter": ("就诊 ID（可空）", "Encounter id (may be empty)"),
    "detection.look": ("列出该患者的 CT", "List this patient's CT"),
    "detection.image": ("CT 序列", "CT series"),
    "detection.run": ("检出结节", "Detect nodules"),
    "detection.none": (
        "该患者还没有 CT，请先经接口 /v1/attachments 上传。",
        "No CT of this patient yet: post it to /v1/attachments.",
    ),
    "detection.ids": ("请填写有效的患者 ID。", "Give a valid patient id."),
    "detection.choose": ("请选择 CT 序列。", "Choose a CT."),
    "detection.number": ("序号", "No."),
    "detection.place": ("位置", "Place"),
    "detection.density": ("密度", "Density"),
    "detection.size": ("长 × 短径 mm", "Long × short mm"),
    "detection.volume": ("体积 mm³", "Volume mm³"),
    "detection.score": ("得分", "Score"),
}
