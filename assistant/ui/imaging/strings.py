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
        "或拖入图像与掩膜（DICOM 文件、文件夹或 zip，NIfTI，NRRD）",
        "Or drop images and masks (DICOM files, a folder or a zip; NIfTI; NRRD)",
    ),
    "study.choose_files": ("选择文件", "Choose files"),
    "study.choose_folder": ("选择文件夹", "Choose a folder"),
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
    "study.ids": (
        "请填写患者 ID：以字母或数字开头，只含字母、数字和 . _ : -，最多 64 个字符。",
        "Give a patient id: it begins with a letter or digit and has letters, digits and . _ : - "
        "alone, 64 at most.",
    ),
    "study.picture": ("图像", "Picture"),
    "viewer.plane_label": ("平面", "Plane"),
    "viewer.window_label": ("窗预设", "Window preset"),
    "viewer.axial": ("横断面", "Axial"),
    "viewer.coronal": ("冠状面", "Coronal"),
    "viewer.sagittal": ("矢状面", "Sagittal"),
    "viewer.auto": ("自动", "Automatic"),
    "viewer.soft": ("软组织", "Soft tissue"),
    "viewer.lung": ("肺", "Lung"),
    "viewer.bone": ("骨", "Bone"),
    "viewer.brain": ("脑", "Brain"),
    "viewer.probe": ("探针", "Probe"),
    "viewer.length": ("距离", "Distance"),
    "viewer.region": ("区域", "Region"),
    "viewer.window": ("窗", "Window"),
    "viewer.clear": ("清除测量", "Clear"),
    "viewer.slice": ("层", "Slice"),
    "viewer.time": ("时相", "Time"),
    "viewer.opacity": ("不透明度", "Opacity"),
    "viewer.all": ("全部显示/隐藏", "All / none"),
    "viewer.mean": ("均值", "Mean"),
    "viewer.curve": ("时间-强度曲线", "Curve over time"),
    "viewer.keys_title": ("鼠标与键盘", "Mouse and keyboard"),
    "viewer.keys": (
        "滚轮、↑↓、PageUp/PageDown、Home/End 换层；←→ 换时相；1、2、3 换平面；P 探针、D 距离、"
        "R 区域、W 窗；右键拖动调窗。Shift+方向键移动十字（加 Alt 为 10 像素），Enter 落点；"
        "Esc 取消，Delete 清除。",
        "Wheel, ↑ ↓, PageUp, PageDown, Home, End: slices; ← →: times; 1, 2, 3: planes; P probe, "
        "D distance, R region, W window; drag with the right button: window. Shift and an arrow "
        "moves the cross (with Alt by ten pixels), Enter sets a point; Esc cancels, Delete clears.",
    ),
}
