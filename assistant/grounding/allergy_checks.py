"""What somebody does not bear must be in the record by its own name: 青霉素过敏 is no 头孢过敏."""

from __future__ import annotations

import re

from assistant.grounding.check import Check
from knowledge.text.folding import fold

_ALLERGY = re.compile(
    r"(?P<what>[\u4e00-\u9fffa-z0-9]{1,12}?)(?:类)?(?:药物)?过敏(?!性|原|反应|试验)"
)
_LEAD = re.compile(
    r".*(?:患者|患儿|本人|既往|存在|可疑|疑似|否认|没有|明确|已知|自诉|家属|[对有无因系为曾诉])"
)
_ANY = frozenset(
    {"", "药", "药物", "食物", "其他", "任何", "特殊", "史", "药物及食物", "食物及药物"}
)
_NOT_ALLERGIC = re.compile(
    r"[^,，。;、]*皮试[^,，。;、]{0,4}(?:阴性|\(-\))|[^,，。;；、]*[无不]过敏"
)
# 曾多次使用阿莫西林无不适: what is borne.
_BORNE = re.compile(
    r"[^,，。;；]*(?:使用|应用|服用|用过|注射)[^,，。;；]{0,12}(?:无不适|无异常|无反应|未见?(?:过敏|不适|反应)|可?耐受)"
    r"|[^,，。;；]*(?:可|能)耐受"
)
_SAID = re.compile(r"过敏|皮试")


def check_allergens(check: Check) -> None:
    """Each allergen that is named must stand in a sentence of the record about allergies."""
    said = list(_ALLERGY.finditer(fold(check.text)))
    if not said:
        return
    told = [_BORNE.sub("", _NOT_ALLERGIC.sub("", fold(s.text))) for s in check.sources]
    told = [words for words in told if _SAID.search(words)]
    for hit in said:
        what = _LEAD.sub("", hit["what"])
        for one in re.split(r"[、和及与或]", what):
            if one not in _ANY and not any(one in words for words in told):
                check.problem("drug", check.text[hit.start() : hit.end()])
