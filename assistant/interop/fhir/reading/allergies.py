"""AllergyIntolerance, as a line of the allergy history."""

from __future__ import annotations

from assistant.interop.fhir.concept import code_of, is_among, words
from assistant.interop.fhir.element import Element
from assistant.interop.fhir.scope import Scope, is_left_out

_DROPPED = frozenset({"entered-in-error", "refuted"})
_CATEGORY_ZH = {"food": "食物", "medication": "药物", "environment": "环境", "biologic": "生物制品"}
_OVER = frozenset({"inactive", "resolved"})


def is_none(element: Element, scope: Scope) -> bool:
    """Whether it says that there is no allergy."""
    concept = element.child("code")
    if is_among(concept, scope.mapping, "no_allergy_codes"):
        return True
    name = words(concept, scope.mapping)
    return bool(name and scope.mapping.no_allergy.search(name))


def allergy_line(element: Element, scope: Scope) -> str:
    """``青霉素过敏（反应：皮疹，重度）。``; "" for what is no fact.

    "No known allergy" reads as a denial; one that is over or only suspected says so.
    """
    verification = code_of(element.child("verificationStatus"))
    clinical = code_of(element.child("clinicalStatus"))
    if is_left_out(element, verification, _DROPPED):
        return ""
    if is_none(element, scope):
        if clinical in _OVER:
            scope.leave_out(element, "over", "已失效，未纳入。(Not in force any more; left out.)")
            return ""
        kinds = "、".join(_CATEGORY_ZH[c] for c in element.texts("category") if c in _CATEGORY_ZH)
        return f"否认{kinds}过敏史。"
    name = words(element.child("code"), scope.mapping)
    if not name:
        reactions = element.children("reaction")
        name = next((w for r in reactions if (w := words(r.child("substance"), scope.mapping))), "")
    if not name:
        element.say("error", "value", "没有过敏原名称，未读取。(No allergen is named.)")
        return ""
    if clinical in _OVER:
        scope.leave_out(element, "over", "过敏已失效，未纳入。(The allergy is over; left out.)")
        return ""
    said = name if "过敏" in name or "不耐受" in name else f"{name}{_kind(element)}"
    if verification in ("unconfirmed", "presumed"):
        said = f"可疑{said}"
    details = [d for d in (_reactions(element, scope), _criticality(element)) if d]
    return said + (f"（{'；'.join(details)}）" if details else "") + "。"


def _kind(element: Element) -> str:
    return "不耐受" if element.text("type") == "intolerance" else "过敏"


def _reactions(element: Element, scope: Scope) -> str:
    said = []
    for reaction in element.children("reaction"):
        names = [words(m, scope.mapping) for m in reaction.children("manifestation")]
        severity = scope.mapping.rows["severities"].get(reaction.text("severity"), "")
        said.append("，".join(n for n in ("、".join(filter(None, names)), severity) if n))
    found = "；".join(part for part in said if part)
    return f"反应：{found}" if found else ""


def _criticality(element: Element) -> str:
    return "高危" if element.text("criticality") == "high" else ""
