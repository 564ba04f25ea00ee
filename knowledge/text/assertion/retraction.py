"""What somebody claims, fears or writes down, and the text then takes back.

坚信染上艾滋病，三次检测阴性，已排除: who believes says nothing of what is so, and a clause behind
it that names no illness of its own decides on the one that was claimed.  What is only claimed stays
uncertain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.text.assertion.reading import Reading
from knowledge.text.document import Range
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality

# Verbs of belief, fear and hearsay: what follows is somebody's opinion.
_BELIEF = re.compile(
    r"担[心忧](?!的症状)|害怕|(?<![恐惧惊畏])怕(?:是|得|自己|染|患|有|复发|再)|(?:家[属人长]|患者|本人|自己|他|她|父母|母亲|父亲)怕|恐(?:是|得|患)|坚信|深信|确信|认定"
    r"|(?<!不)认为|以为|(?<!被)[猜怀]疑|疑心|疑神疑鬼|猜(?:测|是|想)?|听说|听人说|自认|自以为|误认|误当|当[成作](?:是|了)?"
    r"|说(?:是|像|得了|可能|怕|不定)|像是|觉得?(?:是|像|自己(?:得|患|有))|传言|谣传|网上|上网|百度|搜索"
)
# Words that report what was said or written, which the text may correct.
_REPORTED = re.compile(r"[说称讲写勾登填]|记(?!忆)|误报|原报|打印")
# What the writer thinks possible was so at the time, whatever came of it.
_SUSPECTED = re.compile(r"疑|考虑|印象|拟")
# A clause without an illness of its own that decides against what was claimed.
_AGAINST = re.compile(
    r"(?:[已经后来现均都]|医生|大夫|我院|本院|被)*(?:告知|证实|明确|确认|表明|提示|说明|解释)?(?:并|都|均|根本|其实|实际)*"
    r"(?:不是|并非|非此|没有(?:这|该|此|的事|发生|瘤|癌|病|得|患|异常|问题|什么)|没这|没得|没患|未得|未患|未染)"
    r"|(?<![未不难无能否待需应以])(?:排除|除外)了?(?=[,;。、\s(]|\Z)|(?:均|都|皆|全|结果|检测|化验|检查|[次项])?[均都皆]?(?:是|呈|为)?阴性"
    r"|推翻|否定了?(?=[,;。]|\Z)|有误|错(?:了|误)?(?=[,;。]|\Z)|误[会传]|虚惊|乌龙|不成立|不符|不支持|未(?:获|能|得到?|予)?证实|未找到|查无|作废|撤[销消]"
    r"|[均都一切全](?:正常|没事|没问题|良性)|不存在|子虚|无中生有|已澄清"
)
_DOUBTED = re.compile(r"不能|未能|无法|难以|不除外|待")
# How far behind a claim the text may come back to it.
_FAR = 80


def take_back(reading: Reading) -> None:
    """Deny what was claimed and then taken back; doubt what is only believed."""
    for index, status in enumerate(reading.result):
        if not (
            status.polarity is Polarity.PRESENT
            and status.temporality is not Temporality.HYPOTHETICAL
            and index not in reading.answers.present
        ):
            continue
        believed = _is_believed(reading, index)
        if believed and status.experiencer is Experiencer.PATIENT:
            status.certainty = Certainty.UNCERTAIN
        reported = _is_reported(reading, index, believed=believed)
        if (reported and _is_denied_later(reading, index)) or (
            believed and _is_decided_against(reading, index)
        ):
            status.polarity, status.certainty = Polarity.ABSENT, Certainty.CERTAIN


def _lead(reading: Reading, index: int) -> str:
    """What stands before a term in its clause, from the term before it on."""
    start = reading.terms.starts[index]
    clause = reading.places.clause(start)
    begin = clause.start
    # 疑心 is a symptom where it stands alone, and leads to what it doubts.
    if index and not _BELIEF.search(reading.words(index - 1)):
        begin = max(begin, reading.terms.matches[index - 1].end)
    lead = reading.folded[begin:start]
    # 总怀疑有人下毒(被害妄想): what stands in brackets is the writer's word.
    return lead[lead.rfind("(") + 1 :]


def _is_believed(reading: Reading, index: int) -> bool:
    """Whether a verb of belief stands before the term in its clause, and none that finds it."""
    return _BELIEF.search(_lead(reading, index)) is not None


def _is_reported(reading: Reading, index: int, *, believed: bool) -> bool:
    """Whether the clause only says that somebody believes, said or wrote the term."""
    lead = _lead(reading, index)
    claimed = believed or _REPORTED.search(lead) is not None
    return claimed and not _SUSPECTED.search(lead)


def _is_denied_later(reading: Reading, index: int) -> bool:
    """Whether the same name is denied in a later clause of the same sentence."""
    start = reading.terms.starts[index]
    sentence, clause = reading.places.sentence(start), reading.places.clause(start)
    name = reading.words(index)
    later = reading.terms.inside(clause.end, sentence.end)
    same = [i for i in later if reading.words(i) == name]
    return (
        len(name) > 1
        and bool(same)
        and all(reading.result[i].polarity is Polarity.ABSENT for i in same)
    )


def _is_decided_against(reading: Reading, index: int) -> bool:
    """Whether a clause behind a claim decides against it before another illness is named."""
    start = reading.terms.starts[index]
    clause = reading.places.clause(start)
    here = Range(reading.terms.matches[index].end, clause.end)
    for later in (here, *_clauses_behind(reading, clause)):
        inside = reading.terms.inside(later.start, later.end)
        end = reading.terms.starts[inside[0]] if inside else later.end
        hit = _AGAINST.search(reading.folded, later.start, later.end)
        # 已排除主动脉夹层 decides on what it names.
        if (
            hit
            and hit.end() < end + (not inside)
            and not _DOUBTED.search(reading.folded, later.start, hit.end())
        ):
            return True
        denied = [i for i in inside if reading.result[i].polarity is Polarity.ABSENT]
        if any(_is_called(reading.words(index), reading.words(i)) for i in denied):
            return not _SUSPECTED.search(_lead(reading, index))
        if len(denied) < len(inside):
            return False
    return False


def _is_called(name: str, other: str) -> bool:
    """Whether a later term may be the same illness by a shorter name: 脑瘤, 瘤子."""
    return name in other or other in name or (name[-1] in "癌瘤" and name[-1] in other)


def _clauses_behind(reading: Reading, clause: Range) -> Iterator[Range]:
    """The clauses behind one, within reach and up to the end of the paragraph."""
    folded = reading.folded
    limit = min(len(folded), clause.end + _FAR)
    paragraph = folded.find("\n", clause.end, limit)
    limit = limit if paragraph < 0 else paragraph
    position = clause.end
    while position < limit:
        following = reading.places.clause(position)
        yield following
        position = max(following.end, position + 1)
