"""The sentences of the page 影像分割, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "segmentation.notice": (
        "科研用途：结果仅供研究，不得用于诊疗，也不会回填病历。",
        "For research only: results are not for care and never go into the record.",
    ),
    "segmentation.patient": ("患者 ID", "Patient id"),
    "segmentation.encounter": ("就诊 ID（可空）", "Encounter id (may be empty)"),
    "segmentation.look": ("列出该患者的序列", "List this patient's series"),
    "segmentation.image": ("图像序列", "Images"),
    "segmentation.model": ("模型", "Model"),
    "segmentation.run": ("一键分割", "Segment"),
    "segmentation.plane": ("平面", "Plane"),
    "segmentation.window": ("窗", "Window"),
    "segmentation.slice": ("层", "Slice"),
    "segmentation.opacity": ("透明度", "Opacity"),
    "segmentation.shown": ("显示的结构（空为全部）", "Structures shown (none: all)"),
    "segmentation.none": (
        "该患者还没有 DICOM 附件，请先经接口 /v1/attachments 上传。",
        "No DICOM of this patient yet: post it to /v1/attachments.",
    ),
    "segmentation.ids": ("请填写有效的患者 ID。", "Give a valid patient id."),
    "segmentation.choose": ("请选择图像序列和模型。", "Choose images and a model."),
    "segmentation.axial": ("横断面", "Axial"),
    "segmentation.coronal": ("冠状面", "Coronal"),
    "segmentation.sagittal": ("矢状面", "Sagittal"),
    "segmentation.auto": ("自动", "Automatic"),
    "segmentation.soft": ("软组织", "Soft tissue"),
    "segmentation.lung": ("肺", "Lung"),
    "segmentation.bone": ("骨", "Bone"),
    "segmentation.brain": ("脑", "Brain"),
    "segmentation.structure": ("结构", "Structure"),
    "segmentation.code": ("SNOMED CT", "SNOMED CT"),
    "segmentation.volume": ("体积 ml", "Volume, ml"),
    "segmentation.left": ("左 ml", "Left, ml"),
    "segmentation.right": ("右 ml", "Right, ml"),
    "segmentation.picture": ("分割图像", "Picture of the segmentation"),
}
