"""The sentences of the page, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "runs": ("评测记录", "Evaluation runs"),
    "name": ("名称", "Name"),
    "kind": ("类别", "Kind"),
    "model": ("模型", "Model"),
    "made": ("时间", "Made"),
    "score": ("得分（95% 区间）", "Score (95 % interval)"),
    "state": ("完成情况", "State"),
    "report": ("报告", "Report"),
    "open": ("查看", "open"),
    "download": ("下载", "download"),
    "approved": ("已批准", "approved"),
    "demo_only": ("仅供演示", "demo only"),
    "complete": ("完整", "complete"),
    "running": ("进行中", "under way"),
    "failed": ("无答案", "without an answer"),
    "overlap": ("与示例来源重合", "overlaps its examples"),
    "clinical_only": (
        "报告含病历内容，仅临床角色可查看。",
        "Reports hold records; they are for clinical roles.",
    ),
    "compare": ("对比", "Compare"),
    "compare.hint": (
        "B 相对 A：同一批样本上的差值、配对检验与非劣效。",
        "B against A on the same samples: differences, paired tests, non-inferiority.",
    ),
    "margin": ("非劣效界值（分）", "Margin (points)"),
    "view": ("报告内容", "The report"),
    "view.hint": ("在上表中选择一个报告查看。", "Open a report of the table above."),
    "empty": (
        "还没有评测记录。在服务器上用以下命令开始，结果会列在这里：",
        "There are no runs yet. Start one on the server; it will be listed here:",
    ),
    "kind.ccks2023": ("PromptCBLUE 16 任务", "PromptCBLUE, 16 tasks"),
    "kind.chip2023": ("PromptCBLUE 18 任务", "PromptCBLUE, 18 tasks"),
    "kind.differential": ("鉴别诊断", "Differential diagnosis"),
    "kind.checker": ("依据核查", "The checker"),
    "kind.discharge": ("出院记录", "Discharge record"),
    "kind.retrieval": ("检索", "Retrieval"),
    "kind.structuring": ("病历结构化", "Structuring"),
    "kind.quantisation": ("量化对比", "Quantisation"),
    "kind.": ("无法读取", "Cannot be read"),
}


def text(key: str, language: str) -> str:
    """The string in ``zh`` or ``en``.  Raises `KeyError` for an unknown key."""
    return STRINGS[key][0 if language == "zh" else 1]
