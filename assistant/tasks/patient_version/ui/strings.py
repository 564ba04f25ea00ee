"""The sentences of the patient's version, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "lay": ("患者版", "For the patient"),
    "lay.make": ("生成患者版", "Make the patient's version"),
    "lay.again": ("重新生成患者版", "Make it again"),
    "lay.of_record": (
        "依据：本次住院的诊断、出院带药和医嘱。全部段落回填后再生成，则以回填的文字为准。",
        "Made from the stay's diagnoses, drugs and orders. Once every section is filled in, from "
        "the text that you filled in.",
    ),
    "lay.of_text": ("依据：已回填的整份出院记录。", "Made from the record as it was filled in."),
    "lay.level": ("阅读难度", "Reading level"),
    "lay.length": ("平均句长（字）", "Characters of a sentence"),
    "lay.longest": ("最长句（字）", "Longest sentence"),
    "lay.terms": ("未解释的医学词", "Medical words without an explanation"),
    "lay.grade": ("难度", "Level"),
    "lay.before": ("出院医嘱原文", "As the record has it"),
    "lay.after": ("患者版", "For the patient"),
    "lay.easy": ("易读", "easy"),
    "lay.fair": ("较易", "fair"),
    "lay.hard": ("较难", "hard"),
    "lay.checked": ("{n} 句全部有出处，无新增内容", "All {n} sentences are of the record"),
    "lay.part.diagnoses": ("这次住院是因为", "Why the stay was"),
    "lay.part.drugs": ("回家用的药", "Drugs at home"),
    "lay.part.visits": ("什么时候再来看", "Visits"),
    "lay.part.alarms": ("出现这些情况，马上看医生", "Come at once if"),
    "lay.part.care": ("平时注意", "What to mind"),
    "lay.part.pending": ("还没有出来的结果", "Results not back yet"),
    "lay.preview": ("打印预览", "Print view"),
    "lay.large": ("大字", "Large letters"),
    "lay.standard": ("标准字", "Standard letters"),
    "lay.print": ("打印或存为 PDF", "Print or save as PDF"),
}
