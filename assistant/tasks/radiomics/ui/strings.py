"""The sentences of the page 影像组学, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "radiomics.region": ("勾画或分割", "Region"),
    "radiomics.roi": ("区域", "Region's name"),
    "radiomics.settings": ("设置", "Settings"),
    "radiomics.reproducibility": ("扰动分析（每个特征的 ICC，较慢）", "Perturb (ICC, slower)"),
    "radiomics.run": ("一键提取", "Extract"),
    "radiomics.choose": ("请选择图像序列和勾画。", "Choose images and a region."),
    "radiomics.where": ("区域 {name} 的最大层面", "Region {name} where it is largest"),
    "radiomics.name": ("特征", "Feature"),
    "radiomics.code": ("IBSI 代码", "IBSI code"),
    "radiomics.value": ("值", "Value"),
    "radiomics.unit": ("单位", "Unit"),
}
