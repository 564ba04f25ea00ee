"""Names of drugs in a text, and the generic name behind a product or a brand.

Known names come from the shipped table, a knowledge base, or a record; a stem (the INN ending on
Chinese labels: 沙星, 普利, 胰岛素) finds a drug that nobody listed: an invented drug is one.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from knowledge.text.folding import fold
from knowledge.text.lexicon import Lexicon
from knowledge.text.synonyms import TermKind

_SHORTEST = 3
_LONGEST = 24
_NOT_OF_A_NAME = re.compile(
    r"^.*[下脉肤予射用为改停加和及的入泵服给以、行至或与静滴注口对认起日天现时因前次并续每继期律后查检毕疗诊院确议拟未曾仍嘱按规药荐点]"
)
_BRAND = re.compile(r"商品名：([^。]{2,60})。")
_HYDROGEN = re.compile(r"^(头孢.+|.+(?:西林|培南|拉唑))钠$")
_TAIL = re.compile(r"(?<=..)(?:氯化钠|葡萄糖)$")
_BRACKETS = r"(?:\([^()]{1,12}\))?"
_RELEASE = (
    "肠溶 缓释 控释 分散 咀嚼 泡腾 口腔崩解 口崩 薄膜衣 双释放 舌下 阴道 滴丸 软 硬 干 浓 复方 口服"
    " 注射用? 静脉 外用 吸入用? 雾化 鼻用? 眼用? 滴 冻干"
)
_FORMS = (
    "片剂? 胶囊剂? 颗粒剂? 注射液 注射剂 粉针剂? 针剂? 混悬液 悬液 乳剂 溶液 糖浆 滴剂 滴眼液"
    " 滴眼剂 滴鼻液 滴耳液 眼膏 眼用凝胶 软膏 乳膏 凝胶 贴剂 贴膏 栓剂? 喷雾剂 气雾剂 粉雾剂 吸入剂"
    " 洗剂 搽剂 酊 丸 散 冲剂 合剂 口服液 溶液剂 粉 剂"
)
_SALTS = (
    "盐酸 硫酸氢? 磷酸 乳酸 甲磺酸 甲苯磺酸 苯磺酸 马来酸 富马酸 酒石酸 枸橼酸 氢溴酸 醋酸 琥珀酸"
    " 重酒石酸 门冬氨酸 葡萄糖酸 硝酸(?!甘油|异) 双氯酚酸 依托 琥乙"
)


def _any(words: str) -> str:
    return f"(?:{'|'.join(words.split())})"


_FORM = re.compile(f"{_BRACKETS}{_any(_RELEASE)}*{_any(_FORMS)}{_BRACKETS}$")
_SALT = re.compile(f"^(?:注射用|外用|复方)?{_any(_SALTS)}?(?=.{{2}})")


@dataclass(frozen=True, slots=True)
class DrugMention:
    """A drug named at ``[start, end)``, in the words of the text."""

    start: int
    end: int
    name: str


def _rows(name: str) -> Iterator[list[str]]:
    text = (files("knowledge.text") / "data" / name).read_text(encoding="utf-8")
    return (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))


@cache
def stem_rows() -> list[list[str]]:
    """The rows of the table of stems: patterns, example."""
    return list(_rows("drug_stems.tsv"))


@cache
def shipped_drugs() -> dict[str, str]:
    """Every shipped wording of a drug, as written → its name."""
    found: dict[str, str] = {}
    for names, *wordings in _rows("drugs.tsv"):
        concepts = names.split("、")
        found |= {concept: found.get(concept, concept) for concept in concepts}
        for wording in filter(None, "|".join(wordings).split("|")):
            found.setdefault(wording, concepts[0])
    return found


@cache
def _folded_drugs() -> dict[str, str]:
    return {fold(wording): name for wording, name in shipped_drugs().items()}


def shipped_drug(wording: str) -> str | None:
    """The drug that the shipped table knows by exactly this wording."""
    return _folded_drugs().get(fold(wording))


@cache
def _stems() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The stems alone, and with what may stand before them in a name."""
    words = [word for patterns, _ in stem_rows() for word in patterns.split()]
    latin = "|".join(f"(?<![a-z]){word}(?![a-z])" for word in words if word.isascii())
    han = "|".join(word for word in words if not word.isascii())
    named = rf"(?P<before>[\u4e00-\u9fff]{{0,2}})(?P<stem>{han})|(?P<latin>{latin})"
    return re.compile(han), re.compile(named)


def generic_name(product: str) -> str:
    """The name of a product without its form and its salt: 盐酸左氧氟沙星胶囊 → 左氧氟沙星."""
    name = fold(product.strip())
    if len(name) > 60:
        return name
    bare = _FORM.sub("", name)
    for pattern in (_FORM, _SALT):
        bare = pattern.sub("", bare) if len(bare) >= _SHORTEST else bare
    bare = _HYDROGEN.sub(r"\1", _TAIL.sub("", bare))
    return bare if len(bare) >= 2 else name


class DrugNames:
    """Finds drug names; ``known`` are matched as they are written, longest first."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        names = sorted({fold(n) for n in known if len(n) >= 2}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, names))) if names else None

    def __call__(self, text: str) -> list[str]:
        """The names in ``text``, each once, in no special order."""
        return list(dict.fromkeys(text[start:end] for start, end in self.spans(text)))

    def find(self, text: str) -> list[DrugMention]:
        """The drugs that ``text`` names, in its order, none overlapping another."""
        found: list[DrugMention] = []
        for start, end in sorted(self.spans(text)):
            if not found or start >= found[-1].end:
                found.append(DrugMention(start, end, text[start:end]))
        return found

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the names stand: known ones first, each group from left to right."""
        folded = fold(text)
        alone, named = _stems()
        found: list[tuple[int, int]] = []
        rest = folded
        if self._known is not None:
            stems = [match.span() for match in alone.finditer(folded)]
            found = [_whole(match.span(), stems) for match in self._known.finditer(folded)]
            rest = self._known.sub(lambda match: "，" * len(match[0]), folded)
        for match in named.finditer(rest):
            if match["latin"]:
                found.append(match.span())
                continue
            before = _NOT_OF_A_NAME.sub("", match["before"])
            found.append((match.start("stem") - len(before), match.end()))
        return found


def _whole(known: tuple[int, int], stems: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """A known name with the beginning of the drug that it ends: 胰岛素 in 地特胰岛素."""
    start, end = known
    before = bisect_left(stems, (start, start)) - 1
    return (stems[before][0] if before >= 0 and stems[before][1] > start else start), end


class DrugIndex:
    """The products of a knowledge base: where a text names one, and its generic name."""

    def __init__(self, products: Iterable[tuple[str, str]] = ()) -> None:
        """``products`` are (name, text of the passage about it)."""
        self._lexicon = Lexicon()
        generics: dict[str, str] = {}
        brands: dict[str, str] = {}
        for product, text in products:
            generic = generic_name(product)
            generics.setdefault(generic, generic)
            generics.setdefault(fold(product), generic)
            named = _BRAND.search(text)
            for brand in re.split(r"[、,，;；]", named[1]) if named else ():
                brands.setdefault(fold(brand.strip()), generic)
        for names in (generics, brands):
            for name, generic in names.items():
                if _SHORTEST <= len(name) <= _LONGEST:
                    self._lexicon.add(name, generic, TermKind.DRUG)

    def __len__(self) -> int:
        return len(self._lexicon)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where ``text`` names a drug of the base."""
        return [(match.start, match.end) for match in self._lexicon.find(text)]

    def generic(self, name: str) -> str | None:
        """The generic name of a drug as written, or None when neither base nor table knows it."""
        bare = generic_name(name)
        for wording in (name, bare):
            found = shipped_drug(wording) or self._lexicon.concept(wording)
            if found is not None:
                return found
        return None
