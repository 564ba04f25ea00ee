"""The sentences of the page 脑灌注, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "perfusion.notice": (
        "科研用途：结果仅供研究，不得用于诊疗，也不会回填病历。",
        "For research only: results are not for care and never go into the record.",
    ),
    "perfusion.patient": ("患者 ID", "Patient id"),
    "perfusion.encounter": ("就诊 ID（可空）", "Encounter id (may be empty)"),
    "perfusion.look": ("列出该患者的序列", "List this patient's series"),
    "perfusion.upload": (
        "或拖入检查（DICOM 文件或 zip）",
        "Or drop a study (DICOM files or a zip)",
    ),
    "perfusion.series": ("灌注序列（可多选）", "Perfusion series (one or several)"),
    "perfusion.method": ("方法", "Method"),
    "perfusion.step": (
        "时相间隔 s（文件未注明时）",
        "Seconds between volumes (if not in the files)",
    ),
    "perfusion.run": ("一键分析", "Analyse"),
    "perfusion.map": ("图", "Map"),
    "perfusion.none": (
        "该患者还没有 CT 或 MR 序列，请拖入检查，或经接口 /v1/attachments 上传。",
        "No CT or MR series of this patient yet: drop a study, or post it to /v1/attachments.",
    ),
    "perfusion.ids": ("请填写有效的患者 ID。", "Give a valid patient id."),
    "perfusion.choose": ("请先选择灌注序列。", "Choose the perfusion series first."),
    "perfusion.no_dicom": (
        "拖入的文件里没有 DICOM 图像。",
        "There are no DICOM images among the dropped files.",
    ),
    "perfusion.lesion": ("核心与低灌注", "Core and hypoperfused"),
    "perfusion.curves": ("动静脉与组织曲线", "Curves"),
    "perfusion.delay": ("延迟", "Delay"),
    "perfusion.region": ("区域", "Region"),
    "perfusion.volume": ("体积 ml", "Volume, ml"),
    "perfusion.left": ("左", "Left"),
    "perfusion.right": ("右", "Right"),
    "perfusion.ratio": ("左/右", "Left/right"),
    "perfusion.core_ml": ("梗死核心", "Core"),
    "perfusion.penumbra_ml": ("Tmax > 6 s", "Tmax > 6 s"),
    "perfusion.mismatch_ml": ("不匹配", "Mismatch"),
    "perfusion.doubts": ("存疑", "Doubtful"),
    "perfusion.picture": ("灌注图", "Perfusion map"),
}
