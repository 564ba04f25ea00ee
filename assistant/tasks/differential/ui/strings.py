"""The sentences of the page 鉴别诊断, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "age.hint": ("如 58岁、3岁1月", "e.g. 58岁, 3岁1月, 58"),
    "example": ("病例示例", "Example case"),
    "new_patient": ("新患者", "New patient"),
    "case.edit": ("病历录入", "Case"),
    "case.record": ("病历原文与依据", "Record and evidence"),
    "run": ("开始鉴别诊断", "Run"),
    "record.empty": (
        "分析后，这里显示病历原文；点按任何一条“病历”依据，对应文字会高亮。",
        "After a run the record is shown here; any “record” evidence highlights its words.",
    ),
    "stale": (
        "病历在分析之后已有修改，以下结果依据的是修改前的版本，请重新分析。",
        "The record has changed since this run; the result is of the earlier version. Run again.",
    ),
    "idle.differential": (
        "填写左侧病历，或选一个示例，然后开始鉴别诊断。",
        "Fill in the case on the left, or choose an example, then run.",
    ),
    "member.waiting": ("等待回答…", "Waiting for an answer…"),
    "order.unmeasured": (
        "此模型的排序没有与知识库排序比较过（bedside eval differential），请以知识库排序为准。",
        "Nobody has measured this model's order against the knowledge ranking "
        "(bedside eval differential); go by the ranking.",
    ),
    "order.knowledge": (
        "评测中此模型的排序不如知识库排序，这里按知识库的次序列出；模型只作解释。",
        "This model ordered worse than the knowledge ranking when measured; its diagnoses stand in "
        "the ranking's order, and it only explains.",
    ),
    "order.model": (
        "评测中此模型的排序不低于知识库排序。",
        "This model ordered no worse than the knowledge ranking when measured.",
    ),
    "member.none": ("该成员没有给出诊断。", "This member gave no diagnosis."),
    "critical": ("不可漏诊", "Must not be missed"),
    "critical.more": ("依据、排除方法与危险信号", "Evidence, how to exclude it, red flags"),
    "critical.by": ("由 {name} 提出", "raised by {name}"),
    "critical.none": (
        "知识库没有就本病例提示不可漏诊的疾病；这不等于可以排除。",
        "The knowledge base names none for this case; that does not exclude any.",
    ),
    "must_not_miss": ("不可漏诊", "must not miss"),
    "own": ("模型自行提出", "the model's own"),
    "not_in_knowledge": ("知识库未收录", "not in the knowledge base"),
    "no_icd10": ("无编码", "no code"),
    "supporting": ("支持点", "For"),
    "opposing": ("不支持点", "Against"),
    "unexplained": ("未能解释", "Not explained"),
    "second": (
        "首位诊断不能解释的表现提示另有问题",
        "What the first does not explain suggests another problem",
    ),
    "rare": ("罕见病提示", "Rare diseases to think of"),
    "rare.hint": (
        "有数项特征性表现同时符合；不参与上面的排序，也不是概率。",
        "Several telling findings meet; no part of the order above, and no probability.",
    ),
    "probability.hint": (
        "在知识库收录的疾病中的相对概率，不是确诊的把握",
        "Probability among the diseases of the knowledge base, no certainty",
    ),
    "questions": ("最能区分这些诊断的问题与检查", "What would tell these apart"),
    "questions.ask": ("有无 {name}？", "{name}?"),
    "questions.test": ("检查结果：{name}？", "Result: {name}?"),
    "questions.after": ("按回答重新排序", "Order after the answers"),
    "questions.clear": ("清除回答", "Clear answers"),
    "questions.hint": (
        "回答只用于重新排序，不写入病历。",
        "Answers only change the order; nothing goes into the record.",
    ),
    "answer.yes": ("有", "yes"),
    "answer.no": ("无", "no"),
    "answer.unknown": ("不详", "unknown"),
    "ask": ("还应询问", "Ask next"),
    "tests_next": ("建议检查", "Test next"),
    "red_flags": ("危险信号", "Red flags"),
    "management": ("治疗原则（由医师决定）", "Principles of treatment (the doctor decides)"),
    "cautions": ("本病历须注意", "Cautions for this patient"),
    "missing": ("病历未填", "Not in the record"),
    "fill.note": ("首次病程记录", "First progress note"),
    "fill.from": ("来自 {name}", "from {name}"),
}
