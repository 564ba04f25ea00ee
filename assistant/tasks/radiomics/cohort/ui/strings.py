"""The sentences of the cohort on the page 影像组学, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "cohort.title": ("队列建模（科研用途）", "Model of a cohort (for research only)"),
    "cohort.drop": (
        "把病例表（CSV 或 XLSX，首行为列名，每行一例）拖到这里，或",
        "Drop a table of cases (CSV or XLSX, a case a line) here, or",
    ),
    "cohort.drop_new": (
        "把新病例的表（列名与建模时相同）拖到这里即可预测，或",
        "Drop a table of new cases (the same columns) here to predict them, or",
    ),
    "cohort.choose_file": ("选择文件", "choose a file"),
    "cohort.failed": ("没有上传：", "Not uploaded: "),
    "cohort.outcome": ("结局（类别）", "Outcome (class)"),
    "cohort.time": ("生存时间", "Time to event"),
    "cohort.event": ("事件", "Event"),
    "cohort.id": ("编号", "Id"),
    "cohort.site": ("机型或机构（ComBat）", "Scanner or site (ComBat)"),
    "cohort.run": ("建立并验证模型", "Make and validate the model"),
    "cohort.no_table": ("请先上传病例表。", "Upload a table of cases first."),
    "cohort.columns": (
        "识别出 {n} 例、{m} 列；列的用途是按列名和内容推测的，请核对。",
        "{n} cases, {m} columns; what each column is for was guessed: please check.",
    ),
    "cohort.column": ("列", "Column"),
    "cohort.role": ("用途", "Role"),
    "cohort.values": ("不同的值", "Values"),
    "cohort.missing": ("缺失", "Missing"),
    "cohort.feature": ("特征", "feature"),
    "cohort.clinical": ("临床变量", "clinical"),
    "cohort.number": ("数字", "number"),
    "cohort.text": ("文字", "text"),
    "cohort.more": ("另有 {n} 列特征", "{n} more features"),
    "cohort.progress": ("交叉验证 {done} / {total}", "Cross-validation {done} / {total}"),
    "cohort.flow": ("病例流程", "Cases"),
    "cohort.candidates": (
        "候选方案（内层 {n} 折，尚非最终结果）",
        "Candidates ({n} inner folds, not the result)",
    ),
    "cohort.folds": ("外层各折得分", "Scores of the outer folds"),
    "cohort.result": ("结果", "Result"),
    "cohort.download": ("下载：", "Download: "),
    "cohort.html": ("报告 HTML", "Report HTML"),
    "cohort.json": ("JSON", "JSON"),
    "cohort.markdown": ("Markdown", "Markdown"),
    "cohort.model": ("模型 skops", "Model (skops)"),
    "cohort.predictions": ("各例预测 CSV", "Predictions (CSV)"),
    "cohort.predicted": ("新病例的预测（科研用途，不得用于诊疗）", "New cases (for research only)"),
}
