"""The sentences of the page 影像分割, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "segmentation.model": ("模型", "Model"),
    "segmentation.run": ("一键分割", "Segment"),
    "segmentation.choose": ("请选择图像序列和模型。", "Choose images and a model."),
    "segmentation.structure": ("结构", "Structure"),
    "segmentation.code": ("SNOMED CT", "SNOMED CT"),
    "segmentation.volume": ("体积 ml", "Volume, ml"),
    "segmentation.left": ("左 ml", "Left, ml"),
    "segmentation.right": ("右 ml", "Right, ml"),
}
