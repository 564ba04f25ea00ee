"""The sentences of 病历搜索."""

from __future__ import annotations

RECORD_SEARCH_STRINGS: dict[str, tuple[str, str]] = {
    "search.words": ("用自己的话", "In words"),
    "search.words.hint": (
        "EGFR 阳性且无胸腔积液，近一年",
        "EGFR 阳性且无胸腔积液，近一年 (in Chinese)",
    ),
    "search.has": ("有（以逗号分隔）", "Has (commas between)"),
    "search.has.hint": ("诊断:肺癌，肌酐>120umol/L", "诊断:肺癌, 肌酐>120umol/L"),
    "search.none": ("没有", "Has not"),
    "search.none.hint": ("胸腔积液", "胸腔积液"),
    "search.begin": ("自", "From"),
    "search.begin.hint": ("2025-01-01", "2025-01-01"),
    "search.end": ("至", "To"),
    "search.end.hint": ("2025-12-31", "2025-12-31"),
    "search.translate": ("转成检索式", "Make the query"),
    "search.query": ("检索式（可修改）", "Query (can be changed)"),
    "search.query.hint": (
        "EGFR:阳性 AND NOT 胸腔积液 AND 日期>=2025-01-01",
        "EGFR:阳性 AND NOT 胸腔积液 AND 日期>=2025-01-01",
    ),
    "search.run": ("检索", "Search"),
    "search.take": ("导出队列（去标识）", "Take the cohort (de-identified)"),
    "search.files": ("共 {n} 名患者：", "{n} patients:"),
    "search.total": ("共 {n} 名患者，显示 {shown} 名", "{n} patients, {shown} shown"),
    "search.column.patient": ("患者（假名）", "Patient (pseudonym)"),
    "search.column.condition": ("条件", "Condition"),
    "search.column.date": ("年", "Year"),
    "search.column.value": ("结果", "Result"),
    "search.column.words": ("原文", "Words"),
}
