"""What a test was made of: a count of urine is no blood count."""

from __future__ import annotations

import re

_EXAMINED = "(?:常规|生化|检查|化验|送检|:)"
_SPECIMENS: dict[str, str] = {
    "尿": r"尿(?:常规|液|检|沉渣|生化)(?:检查|分析)?|小便常规|尿(?=:)",
    "大便": rf"(?:大便|粪便?){_EXAMINED}",
    "脑脊液": "脑脊液",
    "胸水": rf"(?:胸水|胸腔积液){_EXAMINED}",
    "腹水": rf"(?:腹水|腹腔积液){_EXAMINED}",
    "关节液": rf"关节(?:腔积)?液{_EXAMINED}",
    "白带": rf"(?:白带|阴道分泌物){_EXAMINED}",
    "前列腺液": rf"前列腺液{_EXAMINED}",
    "痰": rf"(?<![咳咯吐])痰(?:液|涂片|培养)?{_EXAMINED}",
    "": r"血常规|血细胞分析|(?:血液?)?生化|[肝肾]功能?|血清|全血|静脉血|血脂|电解质|凝血",
}
_WORD = re.compile(
    "|".join(f"(?P<s{number}>{words})" for number, words in enumerate(_SPECIMENS.values()))
)
_NAMES = tuple(_SPECIMENS)
_END = re.compile(r"[。;\n]")
_REACH = 120
_NORMAL = re.compile(r"(?:检查)?(?:均|大致|基本|未见)?(?:正常|(?:明显)?异常|阴性|无异常)")


def specimen_at(folded: str, position: int, unit: str | None) -> str:
    """The specimen of the test at ``position`` of folded text: what its sentence names last before
    it; "" for blood, where nothing is named, and where what was named is done with (尿常规正常);
    "镜检" where what was under the microscope is not named."""
    if folded.startswith("血", max(0, position - 1)) or folded.startswith("血", position):
        return ""
    start = max(0, position - _REACH)
    for end in _END.finditer(folded, start, position):
        start = end.end()
    found = ""
    for word in _WORD.finditer(folded, start, position):
        done = _NORMAL.match(folded, word.end(), position)
        found = "" if done else _NAMES[int((word.lastgroup or "s0")[1:])]
    # Cells of these are counted by the field, those of blood never.
    if found in ("尿", "大便", "白带", "前列腺液", "痰") and unit == "10^9/L":
        return ""
    return found or ("镜检" if unit in ("/HP", "/LP") else "")
