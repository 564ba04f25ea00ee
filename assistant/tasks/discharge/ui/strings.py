"""The sentences of the page 出院记录, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "earlier.none": (
        "该患者本次就诊还没有出院记录草稿。",
        "There is no earlier draft of this patient's encounter.",
    ),
    "encounter.sample": ("住院示例", "Example stay"),
    "generate": ("生成出院记录", "Write the record"),
    "idle.discharge": (
        "选择一次住院，然后生成出院记录；五个部分依次写出，逐条标注依据。",
        "Choose a stay, then write its record: five sections, one after the other, with evidence.",
    ),
    "header.title": ("基本信息（照抄自数据，不经模型）", "Identity (copied, never generated)"),
    "header.department": ("科室", "Department"),
    "header.admitted_on": ("入院日期", "Admitted"),
    "header.discharged_on": ("出院日期", "Discharged"),
    "header.days": ("住院天数", "Days"),
    "header.admission_diagnoses": ("入院诊断", "Admission diagnosis"),
    "header.pending": ("尚未回报的结果", "Results still pending"),
    "header.signature": ("医师签名", "Signature"),
    "section.empty": (
        "模型没有写出可以核对的内容，请重新生成或自行书写。",
        "The model wrote nothing that could be checked: write again, or by hand.",
    ),
    "omissions.offered": (
        "病历中还有 {n} 条未写入本段，可逐条插入",
        "The record has {n} more that this section does not tell; insert any",
    ),
    "omissions.insert": ("插入", "Insert"),
    "omissions.inserted": ("已插入", "Inserted"),
    "omissions.open": (
        "修改后缺少以下要点，请确认是否有意略去",
        "After your changes the section lacks these; leave them out on purpose only",
    ),
    "section.waiting": ("尚未写到", "Not yet written"),
    "whole": ("整份出院记录", "The whole record"),
    "whole.wait": (
        "五个部分全部回填后，可在此整份复制（已回填 {n}/5）。",
        "When all five sections are filled in, copy the whole record here ({n}/5).",
    ),
}
