"""The sentences of the page 影像组学, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "radiomics.notice": (
        "科研用途：结果仅供研究，不得用于诊疗，也不会回填病历。",
        "For research only: results are not for care and never go into the record.",
    ),
    "radiomics.patient": ("患者 ID", "Patient id"),
    "radiomics.encounter": ("就诊 ID（可空）", "Encounter id (may be empty)"),
    "radiomics.look": ("列出该患者的序列", "List this patient's series"),
    "radiomics.image": ("图像序列", "Images"),
    "radiomics.region": ("勾画或分割", "Region"),
    "radiomics.roi": ("区域", "Region's name"),
    "radiomics.settings": ("设置", "Settings"),
    "radiomics.reproducibility": ("扰动分析（每个特征的 ICC，较慢）", "Perturb (ICC, slower)"),
    "radiomics.plane": ("平面", "Plane"),
    "radiomics.window": ("窗", "Window"),
    "radiomics.slice": ("层", "Slice"),
    "radiomics.run": ("一键提取", "Extract"),
    "radiomics.none": (
        "该患者还没有 DICOM 附件，请先经接口 /v1/attachments 上传。",
        "No DICOM of this patient yet: post it to /v1/attachments.",
    ),
    "radiomics.ids": ("请填写有效的患者 ID。", "Give a valid patient id."),
    "radiomics.choose": ("请选择图像序列和勾画。", "Choose images and a region."),
    "radiomics.axial": ("横断面", "Axial"),
    "radiomics.coronal": ("冠状面", "Coronal"),
    "radiomics.sagittal": ("矢状面", "Sagittal"),
    "radiomics.soft": ("软组织", "Soft tissue"),
    "radiomics.lung": ("肺", "Lung"),
    "radiomics.bone": ("骨", "Bone"),
    "radiomics.brain": ("脑", "Brain"),
    "radiomics.name": ("特征", "Feature"),
    "radiomics.code": ("IBSI 代码", "IBSI code"),
    "radiomics.value": ("值", "Value"),
    "radiomics.unit": ("单位", "Unit"),
    "radiomics.picture": ("区域图像", "Picture of the region"),
}
