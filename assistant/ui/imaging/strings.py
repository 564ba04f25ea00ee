"""The sentences that all pages of imaging tasks share, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "study.notice": (
        "科研用途：结果仅供研究，不得用于诊疗，也不会回填病历。",
        "For research only: results are not for care and never go into the record.",
    ),
    "study.patient": ("患者 ID", "Patient id"),
    "study.encounter": ("就诊 ID（可空）", "Encounter id (may be empty)"),
    "study.look": ("列出该患者的序列", "List this patient's series"),
    "study.upload": (
        "或拖入图像与掩膜（DICOM 文件或 zip、NIfTI、NRRD）",
        "Or drop images and masks (DICOM files or a zip, NIfTI, NRRD)",
    ),
    "study.choose_files": ("选择文件", "Choose files"),
    "study.modality": ("NIfTI、NRRD 的类型", "NIfTI and NRRD are"),
    "study.modality_guess": ("自动", "guessed"),
    "study.modality_CT": ("CT（HU）", "CT (HU)"),
    "study.modality_MR": ("MR", "MR"),
    "study.modality_PT": ("PET（SUV）", "PET (SUV)"),
    "study.modality_OT": ("其他", "other"),
    "study.failed": ("未能保存第 {n} 个文件：", "File {n} was not kept: "),
    "study.archive": ("从影像归档调取（DICOMweb）", "From the archive (DICOMweb)"),
    "study.server": ("归档服务器", "Server"),
    "study.find": ("按患者 ID 查询", "Look for the patient"),
    "study.found": ("归档中的序列", "Series there"),
    "study.fetch": ("调取所选序列", "Fetch what is chosen"),
    "study.pick": ("请先查询并选择要调取的序列。", "Look for series first and choose some."),
    "study.not_archived": (
        "归档中没有这个患者的检查，请核对患者 ID。",
        "The archive has no study of this patient; check the id.",
    ),
    "study.image": ("图像序列", "Images"),
    "study.plane": ("平面", "Plane"),
    "study.window": ("窗", "Window"),
    "study.slice": ("层", "Slice"),
    "study.none": (
        "该患者还没有可用的序列，请拖入检查，或经接口 /v1/attachments 上传。",
        "No series of this patient that can be used: drop a study, or post it to /v1/attachments.",
    ),
    "study.no_dicom": (
        "拖入的文件里没有 DICOM、NIfTI 或 NRRD 图像。",
        "There are no DICOM, NIfTI or NRRD images among the dropped files.",
    ),
    "study.idle": (
        "填写患者 ID（研究用图像可自拟编号）后列出其序列，或拖入图像；结果显示在这里。",
        "Give a patient id (or one of your own for research images) and list the series, or drop "
        "images; results are shown here.",
    ),
    "study.ids": ("请填写有效的患者 ID。", "Give a valid patient id."),
    "study.axial": ("横断面", "Axial"),
    "study.coronal": ("冠状面", "Coronal"),
    "study.sagittal": ("矢状面", "Sagittal"),
    "study.auto": ("自动", "Automatic"),
    "study.soft": ("软组织", "Soft tissue"),
    "study.lung": ("肺", "Lung"),
    "study.bone": ("骨", "Bone"),
    "study.brain": ("脑", "Brain"),
    "study.picture": ("图像", "Picture"),
}
