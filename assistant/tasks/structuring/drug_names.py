"""Names of drugs in the knowledge base: as written → generic name.

A base lists products (盐酸左氧氟沙星胶囊, brand 可乐必妥).  The generic name is the product without
its form and its salt; a brand leads to the generic name of its product.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping

from assistant.tasks.structuring.derived import derived
from assistant.tasks.structuring.terms import shipped_drug
from knowledge.base import KnowledgeBase
from knowledge.text import folding
from knowledge.text.folding import fold
from knowledge.text.lexicon import Lexicon
from knowledge.text.synonyms import TermKind

_FORM = re.compile(
    r"(?:\([^()]{1,12}\))?(?:肠溶|缓释|控释|分散|咀嚼|泡腾|口腔崩解|口崩|薄膜衣|双释放|舌下|阴道|滴丸|软|硬|干|浓|复方|口服|注射用?|静脉|"
    r"外用|吸入用?|雾化|鼻用?|眼用?|滴|冻干)*"
    r"(?:片剂?|胶囊剂?|颗粒剂?|注射液|注射剂|粉针剂?|针剂?|混悬液|悬液|乳剂|溶液|糖浆|滴剂|滴眼液|滴眼剂|滴鼻液|滴耳液|眼膏|眼用凝胶|"
    r"软膏|乳膏|凝胶|贴剂|贴膏|栓剂?|喷雾剂|气雾剂|粉雾剂|吸入剂|洗剂|搽剂|酊|丸|散|冲剂|合剂|口服液|溶液剂|粉|剂)"
    r"(?:\([^()]{1,12}\))?$"
)
_SALT = re.compile(
    r"^(?:注射用|外用|复方)?(?:盐酸|硫酸氢?|磷酸|乳酸|甲磺酸|甲苯磺酸|苯磺酸|马来酸|富马酸|酒石酸|枸橼酸|氢溴酸|醋酸|琥珀酸|重酒石酸|"
    r"门冬氨酸|葡萄糖酸|硝酸(?!甘油|异)|双氯酚酸|依托|琥乙)?(?=.{2})"
)
_TAIL = re.compile(r"(?<=..)(?:氯化钠|葡萄糖)$")
_SODIUM = re.compile(r"^(头孢.+|.+(?:西林|培南|拉唑))钠$")
_BRAND = re.compile(r"商品名：([^。]{2,60})。")
_MINIMUM = 3
_MAXIMUM = 24


def generic_name(product: str) -> str:
    """The name of a product without its form and its salt: 盐酸左氧氟沙星胶囊 → 左氧氟沙星."""
    name = fold(product.strip())
    if len(name) > 60:
        return name
    bare = _FORM.sub("", name)
    for pattern in (_FORM, _SALT):
        bare = pattern.sub("", bare) if len(bare) >= _MINIMUM else bare
    bare = _SODIUM.sub(r"\1", _TAIL.sub("", bare))
    return bare if len(bare) >= 2 else name


def named(products: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names and brands of ``products`` → generic names.

    ``products`` are (name, text of the passage about it).
    """
    generics: dict[str, str] = {}
    brands: dict[str, str] = {}
    for product, text in products:
        generic = generic_name(product)
        generics.setdefault(generic, generic)
        generics.setdefault(fold(product), generic)
        told = _BRAND.search(text)
        for brand in re.split(r"[、,，;；]", told[1]) if told else ():
            brands.setdefault(fold(brand.strip()), generic)
    return {
        name: generic
        for name, generic in (brands | generics).items()
        if _MINIMUM <= len(name) <= _MAXIMUM
    }


class DrugIndex:
    """Finds the drugs of a base in a text and gives their generic names."""

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        """``names``: as `named` gives them."""
        self._lexicon = Lexicon()
        for name, generic in (names or {}).items():
            self._lexicon.add(name, generic, TermKind.DRUG)

    @classmethod
    def of_base(cls, base: KnowledgeBase) -> DrugIndex:
        """The drugs that a base has passages about."""

        def read() -> dict[str, str]:
            return named((p.subject, p.text) for p in base.index.of_kind("drug"))

        return cls(derived(base.folder, "drugs", (sys.modules[__name__], folding), read))

    def __len__(self) -> int:
        return len(self._lexicon)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where ``text`` names a drug of the base."""
        return [(match.start, match.end) for match in self._lexicon.find(text)]

    def generic(self, name: str) -> str | None:
        """The generic name of a drug as written, or None when neither base nor terms know it."""
        bare = generic_name(name)
        for wording in (name, bare):
            found = shipped_drug(wording) or self._lexicon.concept(wording)
            if found is not None:
                return found
        return None
