"""What a test was made of: a count of urine is no blood count."""

from __future__ import annotations

import re

from knowledge.text.phrases import phrases_of

_BLOOD = "血"
# The words of examining are parts of the others.
_SPECIMENS = phrases_of("assistant.tasks.structuring", "data/specimens.tsv")
_NAMES = tuple(name for name in _SPECIMENS if name != "检查")
_WORD = _SPECIMENS.any_named({f"s{number}": name for number, name in enumerate(_NAMES)})
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
    found = _BLOOD
    for word in _WORD.finditer(folded, start, position):
        done = _NORMAL.match(folded, word.end(), position)
        found = _BLOOD if done else _NAMES[int((word.lastgroup or "s0")[1:])]
    # Cells of these are counted by the field, those of blood never.
    if found in ("尿", "大便", "白带", "前列腺液", "痰") and unit == "10^9/L":
        return ""
    if found != _BLOOD:
        return found
    return "镜检" if unit in ("/HP", "/LP") else ""
