"""The sentences of the page 病历质控, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "qc.sample": ("住院示例", "Example stay"),
    "qc.run": ("质控检查", "Check the record"),
    "qc.idle": (
        "选择一次住院，然后检查：缺项、超时、前后矛盾，逐条标出原文位置。",
        "Choose a stay, then check it: what is missing, late or contradictory, with its place.",
    ),
    "qc.report": ("质控结果", "Findings"),
    "qc.score": ("{n} 分 · {grade}级", "{n} points · grade {grade}"),
    "qc.count": ("{n} 条问题", "{n} findings"),
    "qc.none": ("没有发现问题。", "Nothing was found."),
    "qc.settle": ("处理", "What would settle it"),
    "qc.points": ("扣 {n} 分", "−{n}"),
    "qc.accept": ("采纳", "Accept"),
    "qc.dismiss": ("不采纳", "Dismiss"),
    "qc.reason": ("不采纳的理由", "Why it is dismissed"),
    "qc.reason.needed": ("不采纳须写明理由。", "Say why it is dismissed."),
    "qc.accepted": ("已采纳", "Accepted"),
    "qc.dismissed": ("未采纳：{why}", "Dismissed: {why}"),
    "qc.critical": ("严重", "Critical"),
    "qc.warning": ("一般", "Warning"),
    "qc.info": ("提示", "Note"),
    "qc.rule": ("规则", "Rule"),
    "qc.model": ("模型", "Model"),
    "qc.rules": ("规则集：{name}", "Rule set: {name}"),
}
