"""What one place denies and another asserts: symptoms, illness, operations, habits, allergies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.grounding.denials import denials
from assistant.tasks.record_qc.chart import Chart, Page
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.rules import Rules
from assistant.tasks.structuring.entity import Entity
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality

_OPENING = ("admission", "first_progress", "other")
_ONSET = frozenset({"主诉"})
_STORY = frozenset({"现病史"})
_PAST = frozenset({"既往史", "过去史", "既往", "手术史", "过敏史", "输血史", "外伤史"})
_EXAM = frozenset({"体格检查", "查体", "体检", "专科检查", "专科情况"})
_ANYWHERE = frozenset(
    {
        "压痛",
        "叩击痛",
        "叩痛",
        "水肿",
        "肿胀",
        "疼痛",
        "肿块",
        "包块",
        "肿物",
        "肿大",
        "触痛",
        "畸形",
        "瘢痕",
        "结节",
        "出血",
        "渗出",
        "红肿",
        "感觉减退",
    }
)
"""What one place of the body may have and another not."""
_HABITS = {"吸烟": "烟", "饮酒": "酒"}
_OPERATED = re.compile(r"术(?:后|史|治疗)?(?![前中者后语式野])")
_ANY_OPERATION = re.compile(
    r"(?:否认|无|未)[^。；;\n]{0,20}?(?<!其他)(?<!其它)(?<!他)手术(?:[、及和外伤输血]{0,6}史|史|外伤史)?"
)
_ANY_ALLERGY = re.compile(
    r"(?:否认|无|未发现)(?!其他|其它)[^。；;，,\n]{0,8}?(?:药物|食物|药)?[、及和与]?(?:药物|食物)?[^。；;，,\n]{0,4}?过敏(?:史|情况)?(?!反应|性)"
)


def check_denials(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``denial_conflict`` and ``allergy_conflict``."""
    for page in chart.of_kind(*_OPENING):
        yield from _complaints(page)
        yield from _examination(page)
    yield from _illnesses(chart)
    yield from _habits(chart)
    yield from _operations(chart)
    yield from _allergies(chart)


def _is_of(entity: Entity, polarity: Polarity) -> bool:
    return entity.polarity is polarity and entity.subject is Experiencer.PATIENT


def _complaints(page: Page) -> Iterator[Found]:
    """The chief complaint is denied by the story and told by none of it."""
    findings = [e for e in page.entities if e.type.value in ("symptom", "sign") and e.concept]
    story = [e for e in findings if e.section in _STORY]
    for complaint in findings:
        if complaint.section not in _ONSET or not _is_of(complaint, Polarity.PRESENT):
            continue
        same = [e for e in story if e.concept == complaint.concept or e.text == complaint.text]
        core = complaint.text
        same += [e for e in story if e not in same and (core.endswith(e.text) and len(e.text) > 1)]
        denied = [e for e in same if _is_of(e, Polarity.ABSENT)]
        if denied and len(denied) == len(same):
            yield Found(
                "denial_conflict",
                f"主诉为“{complaint.text}”，现病史却否认“{denied[0].text}”。",
                [page.of(denied[0]), page.of(complaint)],
            )


def _examination(page: Page) -> Iterator[Found]:
    """One examination has a sign and has it not, without a side that would part them."""
    signs = [
        e for e in page.entities
        if e.section in _EXAM and e.concept and e.type.value in ("sign", "symptom")
        and e.certainty is Certainty.CERTAIN
    ]  # fmt: skip
    seen: set[str] = set()
    for one in signs:
        if one.polarity is not Polarity.PRESENT or one.concept in seen or _sided(page, one):
            continue
        for other in signs:
            if (
                other.polarity is Polarity.ABSENT
                and not (other.reassuring and not re.search("[无未]", other.text))
                and not _sided(page, other)
                and min(len(one.text), len(other.text)) > 1
                and min(one.text, other.text, key=len) not in _ANYWHERE
                and _one_site(page, one, other)
                and (
                    other.text == one.text
                    or other.text.endswith(one.text)
                    or one.text.endswith(other.text)
                )
            ):
                seen.add(one.concept)
                yield Found(
                    "denial_conflict",
                    f"{page.name}查体中“{one.concept}”既有又无。",
                    [page.of(other), page.of(one)],
                )
                break


def _one_site(page: Page, one: Entity, other: Entity) -> bool:
    """Whether the clauses of two signs do not name different parts of the body."""
    first, second = _sites(page, one), _sites(page, other)
    return not first or not second or bool(first & second)


def _sites(page: Page, entity: Entity) -> set[str]:
    clause = page.clause_at(entity.start)
    if clause is None:
        return set()
    return {
        e.text.lstrip("左右双")
        for e in page.entities
        if e.type.value == "body_part" and clause.start <= e.start < clause.end
    }


def _sided(page: Page, entity: Entity) -> bool:
    clause = page.clause_at(entity.start)
    text = clause.text if clause else ""
    return entity.side in ("左", "右") or bool(
        re.search(r"[左右上下]|部|区|肢|时|后|前", text.replace("腹部", ""))
    )


def _illnesses(chart: Chart) -> Iterator[Found]:
    """An illness that the past history denies, and another place tells of as brought along."""
    denied: list[tuple[Page, Entity]] = []
    had: list[tuple[Page, Entity]] = []
    for page in chart.pages:
        for entity in page.entities:
            if entity.type.value != "disease" or entity.subject is not Experiencer.PATIENT:
                continue
            if entity.polarity is Polarity.ABSENT:
                opening = page.kind in _OPENING and entity.section in _PAST
                if opening or _denies(page, entity):
                    denied.append((page, entity))
            elif entity.certainty is Certainty.CERTAIN and _brought(page, entity):
                had.append((page, entity))
    reported: set[str] = set()
    for page, one in denied:
        for other_page, other in had:
            if one.text in reported or not _same_illness(one, other):
                continue
            reported.add(one.text)
            yield Found(
                "denial_conflict",
                f"{page.name}否认“{one.text}”，{other_page.name}却有“{other.text}”病史。",
                [page.of(one), other_page.of(other)],
            )


def _denies(page: Page, entity: Entity) -> bool:
    start, _ = page.sentence(entity.start)
    return _DENIED.search(page.text[start : entity.start]) is not None


_DENIED = re.compile(r"否认|(?:既往|平素|病史)[^，,。；;\n]{0,6}(?:无|没有|未患)")


_LENGTH = re.compile(
    r"(?:病?史)?\s*(?:约|已|余)?\s*[\d一二两三四五六七八九十]+\s*(?:余|多)?\s*(?:年|个?月)|病史|史\d"
)


def _brought(page: Page, entity: Entity) -> bool:
    """Whether the patient is said to have had it before: by its tense, or for how long."""
    after = page.text[entity.end : entity.end + 12]
    if re.match(r"[^，,。；;]{0,3}(?:可能|待排|不除外|风险)", after):
        return False
    if _LENGTH.match(after) and not re.match(
        r"[^，,。；;]{0,6}前", _LENGTH.sub("", after, count=1)
    ):
        return True
    if entity.temporality is Temporality.PAST and entity.section in (*_PAST, "病例特点"):
        clause = page.clause_at(entity.start)
        return clause is None or not {"family", "doubted"} & clause.stances
    return False


def _same_illness(denied: Entity, had: Entity) -> bool:
    if denied.concept and denied.concept == had.concept:
        return True
    if had.text.endswith(denied.text):
        return len(denied.text) > 1
    return len(denied.text) > 2 and (denied.text in had.text or had.text in denied.text)


def _habits(chart: Chart) -> Iterator[Found]:
    """Smoking and drinking, which a form denies and the story tells of."""
    for habit, short in _HABITS.items():
        no = yes = None
        for page in chart.of_kind(*_OPENING):
            for finding in page.findings(None, None):
                if finding.concept != habit or finding.experiencer is not Experiencer.PATIENT:
                    continue
                if finding.polarity is Polarity.ABSENT:
                    no = no or (page, finding.span.start, finding.span.end)
                elif finding.is_certain:
                    yes = yes or (page, finding.span.start, finding.span.end)
            for denied in denials(page.text):
                # The list of a denial (否认吸烟、饮酒史) is read whole; 烟酒嗜好 is both.
                if short in denied.text and not no:
                    no = page, denied.start, denied.end
        if no and yes and not (yes[0] is no[0] and no[1] <= yes[1] < no[2]):
            yield Found(
                "denial_conflict",
                f"{no[0].name}否认{habit}，{yes[0].name}却有{habit}。",
                [no[0].span(*no[1:]), yes[0].span(*yes[1:])],
            )


_BEFORE = re.compile(
    r"(?:\d{4}年|\d+年前|曾|既往|外院|因)[^。；;\n]{0,40}?(?:行|予|接受|做过?)[^。；;，,\n]{0,20}?(?:[切除修补置换成形造口吻合固定根治]{2}术|手术|剖宫产|搭桥|支架)"
)


def _operations(chart: Chart) -> Iterator[Found]:
    """``否认手术史`` beside an operation that was done before this stay."""
    for page in chart.of_kind("admission"):
        denied = next(
            (h for h in page.find(_ANY_OPERATION) if page.section_at(h.start()) in (*_PAST, "")),
            None,
        )
        if denied is None:
            continue
        for hit in page.find(_BEFORE):
            section = page.section_at(hit.start())
            clause = page.clause_at(hit.end() - 1)
            if section not in (*_PAST, *_STORY) or clause is None or "family" in clause.stances:
                continue
            if {"undone", "refused", "planned"} & clause.stances or "否认" in hit[0]:
                continue
            yield Found(
                "denial_conflict",
                f"{page.name}否认手术史，却写有“{hit[0][-24:]}”。",
                [page.span(*denied.span()), page.span(*hit.span())],
            )
            return


def allergens(chart: Chart) -> list[tuple[Page, Entity, str]]:
    """What the patient is said not to bear: the note, the words, and their name."""
    found = []
    for page in chart.pages:
        for entity in page.entities:
            if entity.subject is not Experiencer.PATIENT or entity.polarity is Polarity.ABSENT:
                continue
            clause = page.clause_at(entity.start)
            if clause is not None and "family" in clause.stances:
                continue
            reacted = entity.section in _PAST and entity.type.value == "drug"
            reacted = reacted and _REACTION.match(page.text, entity.end) is not None
            if entity.allergen or reacted or re.search(r"过敏史?$", entity.text):
                # 头孢类药物过敏史: what is not borne may stand before the words for it.
                start = clause.start if clause is not None else entity.start
                end = clause.end if clause is not None else entity.end
                name = page.text[
                    max(start, entity.start - 10) : max(entity.end, min(end, entity.end + 6))
                ]
                found.append((page, entity, re.sub(r"^[对于与因曾为有系]+", "", name)))
    return found


_REACTION = re.compile(
    r"[^，,。；;\n]{0,4}后[^。；;，,\n]{0,8}(?:皮疹|红疹|风团|荨麻疹|喉头水肿|休克|过敏)"
)
"""What came of a drug that was taken before: it is one that the patient does not bear."""


def _allergies(chart: Chart) -> Iterator[Found]:
    """An allergy that one place tells of and another denies altogether."""
    had = [
        (p, e)
        for p, e, name in allergens(chart)
        if not re.search(r"花粉|尘螨|海鲜|虾|蟹|鼻炎|哮喘|性皮炎|紫癜", name)
        and not re.fullmatch(r"\W*(?:药物)?过敏史?\W*", name)
    ]
    if not had:
        return
    page, entity = had[0]
    for other in chart.pages:
        for hit in other.find(_ANY_ALLERGY):
            words = hit[0]
            if "药" not in words and not re.search(r"(?:否认|无)过敏史", words):
                continue
            start, end = other.sentence(hit.start())
            if other is page and start <= entity.start < end:
                continue
            yield Found(
                "allergy_conflict",
                f"{page.name}记有“{entity.text}”过敏，{other.name}写“{words}”。",
                [other.span(*hit.span()), page.of(entity)],
            )
            return
