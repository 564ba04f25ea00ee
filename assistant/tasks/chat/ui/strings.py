"""The sentences of the page 知识问答, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "question": ("问题", "Question"),
    "question.hint": (
        "如：过敏性鼻炎要做什么检查？",
        "e.g. 过敏性鼻炎要做什么检查？",
    ),
    "send": ("提问", "Ask"),
    "chat.empty": (
        "就知识库提问：先给出检索到的资料，再给出逐句核对的回答。本页不关联患者，请勿输入患者身份信息。",
        "Ask the knowledge base: the passages come first, then an answer checked sentence by "
        "sentence. This page is about no patient: do not enter identities.",
    ),
    "chat.passages": ("检索到的资料", "Passages found"),
    "chat.answer": ("回答", "Answer"),
    "chat.searching": ("正在检索…", "Searching…"),
    "chat.question_empty": ("请输入问题。", "Write a question first."),
    "chat.too_long": ("问题超过 1000 字。", "The question is longer than 1000 characters."),
}
