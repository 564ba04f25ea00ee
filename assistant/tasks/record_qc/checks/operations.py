"""Consent to operations, and what consent, plan and rows say of the operation; transfusions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.grounding.sides import sides
from assistant.grounding.wording import bigrams
from assistant.tasks.record_qc.chart import Chart, Page
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.results import concept_of, results
from assistant.tasks.record_qc.rules import Rules
from knowledge.text.finding import Experiencer, Polarity, Temporality

_CONSENT_TITLE = re.compile(r"同意书|知情|告知书|授权")
_BEFORE_TITLE = re.compile(r"术前(?:小结|讨论|谈话|记录)|手术(?:同意|知情|安全|核查)|同意书|知情")
_CONSENT = re.compile(
    r"同意书|知情同意|签署|签字|(?:家属|患者|家长)[^。；;\n]{0,10}同意|告知[^。；;\n]{0,16}(?:风险|并发症|利弊)|交代[^。；;\n]{0,10}风险"
)
_UNSIGNED = re.compile(
    "|".join(
        (
            r"(?:同意书|知情同意|同意)[^。；;\n]{0,12}(?:未|尚未|没有|暂未|待)[^。；;，,\n]{0,4}(?:签|完善|补)",
            r"(?:未|尚未|没有|暂未)[^。；;，,\n]{0,6}签(?:署|字|订)[^。；;，,\n]{0,10}(?:同意|知情)?",
            r"同意书[^。；;\n]{0,6}(?:缺|后补|空白)",
        )
    )
)
_NAMED = re.compile(
    r"(?:拟(?:于|定|施|行)?[^。；;\n]{0,20}?行|拟施手术|手术名称|拟行手术|施行|同意(?:行|接受|施行)?|行)\s*[:：]?\s*(?P<name>[^。；;，,：:\n（(]{3,40}术)(?![前后中者式])"
)
_GENERIC = re.compile(r"^(?:该|本次?|此|上述)?手术$|手术治疗|术前")


def check_consent(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``consent_missing`` and ``operation_consent``."""
    operations = chart.encounter.operations
    for page in chart.pages:
        hit = next(page.find(_UNSIGNED), None)
        if hit is not None and chart.is_operated and "病理" not in hit[0]:
            yield Found(
                "consent_missing",
                f"{page.name}：“{hit[0]}”，而手术已进行。",
                [page.span(*hit.span())],
            )
            break
    else:
        prepared = [
            p
            for p in chart.pages
            if _BEFORE_TITLE.search(p.note.title) or _BEFORE_TITLE.match(p.text)
        ]
        days = [o.at.date() for o in operations if o.at]
        before = [p for p in chart.pages if p.day is None or not days or p.day <= max(days)]
        if (
            operations
            and prepared
            and not any(
                _CONSENT.search(p.text) or _CONSENT_TITLE.search(p.note.title) for p in before
            )
        ):
            yield Found(
                "consent_missing",
                f"{prepared[0].name}及全部文书没有手术知情同意的记录。",
                [prepared[0].span(0, min(len(prepared[0].text), 60)), *chart.row("operations", 0)],
            )
    if len(operations) != 1:
        return
    row = operations[0]
    own = [p for p in chart.of_kind("operation") if row.note_id in (None, p.note.id)]
    for page in chart.pages:
        about = _BEFORE_TITLE.search(page.note.title)
        if page not in own and not about:
            continue
        pattern = _NAMED if about else re.compile(r"手术名称\s*[:：]\s*(?P<name>[^。；;\n]{3,40})")
        for hit in page.find(pattern):
            name = hit["name"]
            if _GENERIC.search(name) or not bigrams(name):
                continue
            clause = page.clause_at(hit.start("name"))
            if clause is not None and (
                {"family", "undone"} & clause.stances or re.search(r"年|既往|曾", clause.text)
            ):
                continue
            shared = _shared(row.name, name)
            mine = {s.side for s in sides(name)} & {"左", "右"}
            theirs = {s.side for s in sides(row.name)} & {"左", "右"}
            if row.laterality in ("left", "right"):
                theirs |= {"左" if row.laterality == "left" else "右"}
            place = [page.span(hit.start("name"), hit.end("name")), *chart.row("operations", 0)]
            if mine and theirs and not mine & theirs:
                yield Found(
                    "operation_consent",
                    f"{page.name}写“{name}”，登记手术为“{row.name}”，侧别不符。", place,
                )  # fmt: skip
                return
            if shared < 0.34:
                yield Found(
                    "operation_consent",
                    f"{page.name}写“{name}”，登记手术为“{row.name}”，名称不符。", place,
                )  # fmt: skip
                return


_COMMON = re.compile(
    r"腹腔镜下?|胸腔镜下?|宫腔镜下?|关节镜下?|内镜下?|胃镜|镜下|超声引导下?|CT引导下?|经皮|经尿道|切开|闭合|复位|内固定"
    r"|切除|修补|置换|植入|成形|活检|穿刺|探查|引流|根治性?|左侧?|右侧?|双侧|急诊|择期|全麻下?|全身麻醉下?|局麻下?|检查|治疗|术"
    r"|明[日天]|今日|拟|在|行|下"
)


def _shared(one: str, other: str) -> float:
    """How much two names of operations share: of what is operated on where both name it, else of
    all their words."""
    first, second = (bigrams(_COMMON.sub(" ", name)) for name in (one, other))
    if not first or not second:
        first, second = bigrams(one), bigrams(other)
    return len(first & second) / max(1, min(len(first), len(second)))


_BLOOD = re.compile(
    r"(?:输注?|予|给予|申请)[^。；;，,\n]{0,14}(?:红细胞|血浆|血小板|全血|冷沉淀|悬红)|输血\s*\d|(?:红细胞|血浆|血小板|悬红)[^。；;，,\n]{0,8}(?:输注|静滴|静脉滴注)"
)
_AGREED = re.compile(
    r"输血[^。；;\n]{0,12}(?:同意|签)|同意[^。；;\n]{0,6}输血|签[署字][^。；;\n]{0,12}(?:输血|同意)"
)
_REACTION = re.compile(
    r"输血(?:过程)?[^。；;\n]{0,8}(?:反应|顺利|不良)|过程顺利|无[^。；;\n]{0,12}(?:输血反应|不良反应)|反应"
)
_WHY = re.compile(r"血红蛋白|Hb|HGB|血小板|贫血|失血|出血|凝血")


def check_transfusion(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``transfusion_items``: consent, reason and reaction of a transfusion."""
    place = _transfused(chart)
    if place is None:
        return
    page, start, end = place
    lacks = []
    near = [
        p
        for p in chart.pages
        if p.day is None or page.day is None or 0 <= (p.day - page.day).days <= 2 or p is page
    ]
    if not any(_AGREED.search(p.text) or "输血" in p.note.title for p in chart.pages):
        lacks.append("输血知情同意")
    if not any(_REACTION.search(p.text) for p in near if "输" in p.text):
        lacks.append("输血过程及有无输血反应")
    counted = {concept_of("血红蛋白"), concept_of("血小板")}
    if not any(r.concept in counted for r in results(chart)) and not any(
        _WHY.search(p.text) for p in near
    ):
        lacks.append("输血指征")
    if lacks:
        yield Found(
            "transfusion_items",
            f"{page.name}记录了输血，没有{'、'.join(lacks)}。",
            [page.span(start, end)],
        )


def _transfused(chart: Chart) -> tuple[Page, int, int] | None:
    for page in chart.of_kind("progress", "operation", "nursing", "discharge_day"):
        for hit in page.find(_BLOOD):
            clause = page.clause_at(hit.start())
            if (
                clause is None
                or {"planned", "undone", "refused", "family", "thought", "needed"} & clause.stances
            ):
                continue
            if any(
                e.start < hit.end() and hit.start() < e.end
                and (e.polarity is Polarity.ABSENT or e.subject is not Experiencer.PATIENT
                     or e.temporality is Temporality.HYPOTHETICAL)
                and e.type.value == "procedure"
                for e in page.entities
            ):  # fmt: skip
                continue
            if re.search(r"未|无|备|申请", page.text[max(0, hit.start() - 3) : hit.end()]):
                continue
            return page, hit.start(), hit.end()
    return None
