"""The sentences of the page 影像分类, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "classification.model": ("分类模型", "Classifier"),
    "classification.slice": ("层（二维模型用，从 1 起，0 为整个序列）", "Slice (2-D; 0: all)"),
    "classification.run": ("分类", "Classify"),
    "classification.choose": (
        "请选择图像序列和分类模型；没有模型时请用 bedside model add-vision 登记。",
        "Choose a series and a classifier; `bedside model add-vision` registers one.",
    ),
    "classification.class": ("类别", "Class"),
    "classification.code": ("编码", "Code"),
    "classification.probability": ("概率", "Probability"),
    "classification.calibrated": ("温度 {0}", "temperature {0}"),
    "classification.uncalibrated": ("概率未经校准", "probabilities not calibrated"),
}
