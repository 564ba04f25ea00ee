"""The sentences of the page 问病历, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "ask.sample": ("住院示例", "Example stay"),
    "ask.question": ("问这份病历", "Ask this record"),
    "ask.hint": (
        "如：近三次肌酐趋势？ 那血钾呢？ 用过哪些抗生素，各几天？",
        "e.g. 近三次肌酐趋势？ 那血钾呢？",
    ),
    "ask.send": ("提问", "Ask"),
    "ask.idle": (
        "先选择一次住院，再提问。回答只取自这份病历，每句都能点回原文；病历没有写的会直说。",
        "Choose a stay, then ask. Answers come from this record alone, each with its place; what "
        "the record does not say is said to be so.",
    ),
    "ask.empty": ("请输入问题。", "Write a question first."),
    "ask.no_record": ("请先选择一次住院。", "Choose a stay first."),
    "ask.working": ("正在查阅病历…", "Reading the record…"),
    "ask.understood": ("理解为：{what}", "Understood as: {what}"),
    "ask.nearest": ("最接近的原文", "Nearest places"),
    "ask.thinking": ("模型的思考（未核对，不作依据）", "What the model thought (unchecked)"),
    "ask.think": ("让模型先思考（较慢）", "Let the model think first (slower)"),
    "ask.steps": ("模型查询的步骤（{n}）", "Steps that the model took ({n})"),
    "ask.step.done": ("查到 {n} 条", "{n} found"),
    "ask.step.failed": ("出错", "failed"),
    "ask.step.timeout": ("超时", "timed out"),
    "ask.step.refused": ("未执行", "not carried out"),
    "ask.step.asks": ("等待同意", "waits for you"),
    "ask.agree": ("同意执行：{what}", "Run it: {what}"),
    "ask.to_confirm": ("待同意", "To confirm"),
    "ask.place": ("出处", "Place"),
    "ask.conversations": ("本次住院的对话（{n}）", "Conversations of this stay ({n})"),
    "ask.search": ("按标题或问题查找", "Search titles and questions"),
    "ask.find": ("查找", "Find"),
    "ask.new": ("新对话", "New conversation"),
    "ask.delete": ("删除", "Delete"),
    "ask.untitled": ("未命名", "Untitled"),
    "ask.answered": ("已答", "Answered"),
    "ask.not_recorded": ("病历未记载", "Not recorded"),
    "ask.missing": ("资料不全", "Data missing"),
    "ask.refused": ("未作答", "Not answered"),
    "ask.not_understood": ("没有看懂", "Not understood"),
    "ask.failed": ("出错", "Failed"),
}
