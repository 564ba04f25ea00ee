"""Names of drugs in a text: those that are known, and those that a stem gives away.

A stem (the INN suffix on Chinese labels: 沙星, 普利, 胰岛素) finds a drug that nobody listed,
which is what an invented drug is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_STEMS = (
    "(?:拉氧)?头孢(?:曲松|呋辛|他啶|克肟|克洛|唑林|哌酮|噻肟|西丁|米诺|地尼|丙烯|拉定|氨苄|吡肟|替安|美唑|泊肟|硫脒"
    "|甲肟|孟多|噻吩|匹胺|尼西|妥仑|托仑)|氧头孢|(?:门冬|赖脯|谷赖|甘精|地特|德谷|合成人)?胰岛素|西林|沙星|霉素|环素|培南|康唑|洛韦|夫定|硝唑|磺胺|洛尔|地洛|普利|沙坦|地平|他汀|贝特|格雷|肝素"
    "|沙班|加群|替罗班|匹林|列汀|列净|列酮|列脲|双胍|波糖|鲁肽|拉唑|替丁|必利|司琼|匹坦|铂|紫杉醇"
    "|氟尿嘧啶|替尼|单抗|莫司|松龙|泼尼龙|卡松|米松|泼尼松|可的松|奈德|特罗|胺醇|索坦|噻嗪|塞米|螺内酯|西泮|唑仑"
    "|巴比妥|卡马西平|拉莫三嗪|丙戊酸|平酮|扎平|西汀|曲林|普仑|昔布|洛芬|芬酸|酰氨基酚|曲马多|吗啡"
    "|芬太尼|罗哌卡因|利多卡因|布比卡因|丙泊酚|七氟烷|烟碱|溴索|茶碱|司特|西替利嗪|雷他定|孟鲁司特"
    "|司他韦|那米韦|拉米韦|华法林|氯化[钾钠钙]|碳酸氢钠|葡萄糖酸钙|硫酸镁|甘露醇|甘油果糖|地高辛|胺碘酮|硝普钠|硝酸甘油|多巴胺|肾上腺素|阿托品|缩宫素|甲氨蝶呤|环磷酰胺|亚叶酸钙|丁苯酞"
    "|托溴铵|溴铵|他林|瑞洛|替加氟|他滨|瑞滨|他赛|比星|新碱|曲塞|曲唑|昔芬|格列[美齐吡喹本][\u4e00-\u9fff]|格列奈|替吉奥|瑞林|唑胺|雄胺|索罗辛|唑嗪|布司他|嘌醇"
    "|溴马隆|秋水仙碱|巯咪唑|硫氧嘧啶|左甲状腺素|帕酮|替考拉宁|巴坦|羟考酮|佐辛|麦考酚酯|嘌呤|氯普胺|立酮|西坦"
    "|吡酯|麦角|前列素"
    "|依达拉奉|骨化醇|膦酸|白蛋白|球蛋白|氨溴索|乙酰半胱氨酸|蒙脱石|益生菌|乳果糖|开塞露"
)
_STEM = re.compile(_STEMS)
_BY_STEM = re.compile(rf"(?P<before>[\u4e00-\u9fff]{{0,2}})(?P<stem>{_STEMS})")
_NOT_OF_A_NAME = re.compile(r"^.*[下脉肤予射用为改停加和及的入泵服给以、行至或与静滴注口对认]")


class DrugNames:
    """Finds drug names; ``known`` are matched as they are written, longest first."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        names = sorted({n for n in known if len(n) >= 2}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, names))) if names else None

    def __call__(self, text: str) -> list[str]:
        """The names in ``text``, each once, in no special order."""
        return list(dict.fromkeys(text[start:end] for start, end in self.spans(text)))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the names stand: known ones first, each group from left to right."""
        found: list[tuple[int, int]] = []
        rest = text
        if self._known is not None:
            stems = [match.span() for match in _STEM.finditer(text)]
            found = [_whole(match.span(), stems) for match in self._known.finditer(text)]
            rest = self._known.sub(lambda match: "，" * len(match[0]), text)
        for match in _BY_STEM.finditer(rest):
            before = _NOT_OF_A_NAME.sub("", match["before"])
            found.append((match.start("stem") - len(before), match.end()))
        return found


def _whole(known: tuple[int, int], stems: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """A known name with the beginning of the drug that it ends: 胰岛素 in 地特胰岛素."""
    start, end = known
    return min([start, *(a for a, b in stems if a < start < b)]), end
