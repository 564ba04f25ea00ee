"""From what sources list as symptoms to the concepts of the base.

Sources write symptoms as loose phrases (伴呼吸音减弱及支气管肺泡呼吸音等) among organs, germs and
complications.  A phrase becomes the concepts it names: by the synonym table, else by itself when
it is a plain term, else by the plain terms found inside it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Set
from functools import lru_cache
from importlib.resources import files

from knowledge.text.folding import fold
from knowledge.text.lexicon import Lexicon
from knowledge.text.synonyms import SynonymTable, TermKind

PLAIN_LENGTH = 8  # a longer phrase is a sentence, not a term
_SPLIT = re.compile(r"[、,;。/()]|以及|及|和|与|或|伴有|伴|合并|并|等")
_PREFIX = re.compile(
    r"^(?:常|多|可|可有|可见|出现|表现为|主要为|主要有|主要|部分|少数|多数|早期|晚期|患者|病人|患儿|有时|偶有|偶见|如|如有|包括|"
    r"明显的?|轻度|中度|重度|轻微|严重的?|剧烈的?|不同程度的?|突然|突发|反复|持续性?|阵发性|进行性|急性|慢性|大量|伴|伴有|有|呈|甚至|常有|常伴|多有|"
    r"并有|或有|单侧|双侧|一侧|局部|全身)+"
)
_SUFFIX = re.compile(r"(?:等|等症状|症状|明显|严重|为主|时|者|的|表现|病史)+$")
# How Chinese names of symptoms and signs end; organs, germs and fragments do not.
_FINDING_END = re.compile(
    r"(?:痛|疼|痒|热|咳|痰|喘|肿|胀|晕|麻|木|血|汗|泻|吐|秘|黄|疹|斑|点|疱|痂|癣|困难|障碍|无力|乏力|减退|减轻|下降|降低|"
    r"增高|升高|减少|增多|增加|增大|增粗|增快|减慢|缓慢|消失|减弱|减低|延长|异常|不全|不良|不振|不适|不稳|不清|不齐|不安|不足|"
    r"不能|不畅|不佳|感|征|音|脉|样便|便|尿|涕|泪|萎缩|畸形|积液|积水|积气|增厚|脱落|脱垂|下垂|突出|肿大|肿块|包块|结节|瘫|"
    r"痉挛|抽搐|惊厥|震颤|颤动|昏迷|晕厥|休克|衰竭|水肿|坏死|穿孔|梗阻|粘连|狭窄|扩张|红|白|紫|绀|苍白|潮红|沉着|脱屑|渗出|"
    r"糜烂|溃疡|皲裂|瘙痒|亢进|低下|过速|过缓|失禁|潴留|遗忘|幻觉|妄想|失眠|嗜睡|多梦|流产|不孕|早产|闭经|受限|强直|僵硬|"
    r"变形|脱位|骨折|损伤|瘘|炎|症|病|癌|瘤|厥|躁|闷|慌|悸|短|促|哑|聋|鸣|盲|呆|惧|虑|郁|渴|饥|瘦|胖|弱|软|硬|冷|凉|"
    r"寒|抖|动|缺损|缺失|倒错|失调|紊乱|中毒|窒息|暂停|咯血|呃逆|嗳气|反流|返流|反酸|呛咳|哽噎|腹水|蜘蛛痣|杵状指|震荡|"
    r"窘迫|矮小|迟缓|落后|早熟|贫血|出血|瘀斑|紫癜|皱缩|隆起|凹陷|压痛|叩击痛|反跳痛|摩擦音|啰音|杂音|膨隆|消瘦|凝视|震)$"
)
_DENIAL = re.compile(r"无|未|不伴|没有|否认|阴性|正常")


@lru_cache(maxsize=1)
def not_findings() -> frozenset[str]:
    """Words that are listed as symptoms and say nothing on their own."""
    text = (files("knowledge") / "data" / "not_findings.txt").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return frozenset(fold(line) for line in lines if line and not line.startswith("#"))


class Vocabulary:
    """The symptom and sign concepts of a base, and how phrases map to them."""

    def __init__(
        self, phrases: Iterable[str], table: SynonymTable, disease_names: Set[str]
    ) -> None:
        """``phrases`` are all symptom phrases of all sources, repeated as often as they occur."""
        self._table = table
        self._diseases = {fold(name) for name in disease_names}
        counts = Counter(fold(phrase) for phrase in phrases)
        self._plain = {
            phrase: count for phrase, count in counts.items() if self._is_plain(phrase, count)
        }
        self._known = Lexicon()
        self._known.add_synonyms(table)
        self._lexicon = Lexicon()
        self._lexicon.add_synonyms(table)
        for phrase, count in self._plain.items():
            if count > 2:
                self._lexicon.add(phrase, phrase, TermKind.SYMPTOM)
        self._cache: dict[str, tuple[str, ...]] = {}

    def _is_plain(self, phrase: str, count: int) -> bool:
        return (
            2 <= len(phrase) <= (PLAIN_LENGTH if count > 1 else 6)
            and phrase not in not_findings()
            and phrase not in self._diseases
            and _FINDING_END.search(phrase) is not None
            and not _SPLIT.search(phrase)
            and not _DENIAL.match(phrase)
        )

    @property
    def terms(self) -> Iterable[tuple[str, int]]:
        """The plain terms with the number of times each is listed."""
        return self._plain.items()

    def is_disease(self, phrase: str) -> bool:
        """Whether a listed symptom is another disease: a complication rather than a symptom."""
        return fold(phrase) in self._diseases and self._table.canonical(phrase) is None

    def concepts(self, phrase: str) -> tuple[str, ...]:
        """The concepts that ``phrase`` names; empty when it names none."""
        key = fold(phrase)
        if key not in self._cache:
            self._cache[key] = tuple(dict.fromkeys(self._read(key)))
        return self._cache[key]

    def concepts_in_name(self, name: str) -> tuple[str, ...]:
        """The concepts that a disease carries in its name (过敏性鼻炎 → 过敏)."""
        found = [match.concept for match in self._known.find(name) if not match.denied]
        return tuple(dict.fromkeys(found))

    def _read(self, phrase: str) -> list[str]:
        whole = self._term(phrase)
        if whole is not None:
            return [whole]
        if phrase in not_findings() or phrase in self._diseases or _DENIAL.search(phrase):
            return []
        found: list[str] = []
        for piece in _SPLIT.split(phrase):
            piece = _SUFFIX.sub("", _PREFIX.sub("", piece.strip()))
            term = self._term(piece)
            if term is not None:
                found.append(term)
            elif len(piece) > 2:
                found += [m.concept for m in self._lexicon.find(piece) if not m.denied]
        return found

    def _term(self, phrase: str) -> str | None:
        if phrase in not_findings():
            return None
        known = self._table.canonical(phrase)
        if known is not None:
            return known
        return phrase if phrase in self._plain else None
