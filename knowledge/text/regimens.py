"""Regimens: one way in which a drug is given, as one fact.

Drug, dose, route, frequency, duration and condition that belong together are read together, so
that the frequency of one is never mixed with the dose of another: 15mg bid×21天，后改20mg qd is two
facts in their order, the second in place of the first.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise

from knowledge.text.drugs import DrugMention, DrugNames, shipped_drugs
from knowledge.text.folding import fold
from knowledge.text.frequency import Frequency
from knowledge.text.quantity import Quantity, quantities
from knowledge.text.regimen import Condition, Regimen, is_dose, is_rate
from knowledge.text.regimen_chain import Chain
from knowledge.text.regimen_tokens import Cue, Token, cue_rows, tokens_of
from knowledge.text.route import Route

__all__ = ["Condition", "Regimen", "RegimenReader", "cue_rows", "is_dose", "is_rate", "regimens"]

_SENTENCE = re.compile(r"[。;\n\r]")
_AND = re.compile(r"[ \t]*[、,和及与+][ \t]*")
_BECAUSE = re.compile(r"因[^,;。]{1,12}")
_INSTEAD = re.compile(
    r"(?:改|换|更换|替换|继以|续以|序贯|降阶梯)(?:为|用|成|予|服|以|口服|静滴)?[ \t]*\Z"
)
_COMMA = re.compile(r"[,、，]")
# Another thing's amount: 呋塞米后尿量2000ml, 肝素抗凝，术中出血150ml.
_ANOTHER = re.compile(
    r"尿|引流|出血|失血|体重|血糖|血压|饮|抽|水|积液|浓度|水平|含量|入量|出量|补液"
)
_DIRECTIONS = re.compile(r"sig[ \t]*[.:]?|用法用量[ \t]*[.:]?|用法[ \t]*[.:]?|服法[ \t]*:?")
_ASIDES = 2
# Words that leave a clause about the drug before it.
_WORDS = (
    "每次 一次 1次 每天 每日 治疗 抗凝 抗感染 抗炎 口服 服用 继续 长期 规律 目前 现在? 仍"
    " 予以? 给予 同时 共 分 用 服 及 和 并 以 均 各 嘱 院外 出院后 住院期间 后 再 又 已"
    " 昨日?起? 今日?起? 明日?起? 起 于 约 左右 量 剂 静 皮下 临时 睡前 餐前 餐后 饭前 饭后"
    " 空腹 早餐前 晚餐前 早 午 中 晚 晨 餐 因 按 术前 术后 维持 加 减 改 为 至 到 了 的 次 天"
    " 周 月 第 前 余 多 当[日天] 患者 自行 遵医嘱"
)
_FILLER = re.compile("|".join(_WORDS.split()))
# 2g加入0.9%氯化钠100ml静滴: what is behind what it is dissolved in is said of the drug, too.
_DISSOLVED = re.compile(r"(?:加入|加|溶于|溶入|稀释于?|入|\+|配)[ \t]*(?:\d[\d.]*%)?[ \t]*\Z")
_DILUENT = re.compile(
    r"(?:注射用|灭菌)?(?:氯化钠|葡萄糖|生理盐水|林格|复方氯化钠|注射用水|g?ns|gs)"
)


class RegimenReader:
    """The regimens of one text, whose parts are each read once."""

    def __init__(self, text: str, found: Sequence[Quantity] | None = None) -> None:
        """``found`` are the quantities of ``text``, where they are known already."""
        self._text = text
        self._folded = fold(text)
        self._tokens = tokens_of(text, self._folded, quantities(text) if found is None else found)
        self._starts = [token.start for token in self._tokens]
        self._stops = [stop.start() for stop in _SENTENCE.finditer(self._folded)]

    def read(self, drugs: Sequence[DrugMention]) -> list[Regimen]:
        """The regimens of ``drugs`` (in text order), those of one drug in their order."""
        found: list[Regimen] = []
        led: Sequence[Token] = ()
        for index, drug in enumerate(drugs):
            before = drugs[index - 1].end if index else 0
            after = self._next(drugs, index)
            # 停用阿司匹林、氯吡格雷: what stands before a list is said of all.
            listed = index > 0 and _AND.fullmatch(self._folded, before, drug.start)
            led = led if listed else self._between(self._lead(drug, before), drug.start)
            if found and not listed and self._replaces(found[-1], drug.start):
                found[-1] = replace(found[-1], replaced=True)
            found += self._of(drug, led, after)
        return found

    def _next(self, drugs: Sequence[DrugMention], index: int) -> DrugMention | None:
        """The next drug that is not only what this one is dissolved in."""
        for before, drug in pairwise(drugs[index:]):
            diluted = _DILUENT.match(fold(drug.name)) and _DISSOLVED.search(
                self._folded, before.end, drug.start
            )
            if not diluted:
                return drug
        return None

    def _replaces(self, last: Regimen, start: int) -> bool:
        """Whether a drug takes the place of the one before it (口服二甲双胍，2023年改用胰岛素)."""
        cue = _INSTEAD.search(self._folded, last.end, start)
        if cue is None:
            return False
        between = self._folded[last.end : cue.start()]
        if _SENTENCE.search(between):
            return False
        return not _FILLER.sub("", _BECAUSE.sub("", between)).strip(" \t,、()0123456789年.:-")

    def _between(self, start: int, end: int) -> list[Token]:
        first = bisect_left(self._starts, start)
        last = bisect_left(self._starts, end)
        return [token for token in self._tokens[first:last] if token.end <= end]

    def _of(
        self, drug: DrugMention, led: Sequence[Token], after: DrugMention | None
    ) -> list[Regimen]:
        number = bisect_left(self._stops, drug.end)
        stop = self._stops[number] if number < len(self._stops) else len(self._text)
        limit = min(stop, self._lead(after, drug.end) if after else stop)
        chain = Chain(drug, self._text, self._folded)
        for token in led:
            chain.lead(token)
        start = drug.end
        if directed := _DIRECTIONS.search(self._folded, drug.end, limit):
            # What stands before the directions is the package.
            start = directed.end()
        aside = 0
        for begin, end, own in self._clauses(start, limit):
            tokens = self._between(begin, end)
            if not self._belongs(begin, end, tokens, own, chain):
                if any(isinstance(t, Quantity) and chain.is_alike(t) for t in tokens):
                    chain.forget_schedule()
                    break
                # 5mg qd，血压控制不佳，加量至10mg: what led to a change may stand between.
                aside += 1
                if aside > _ASIDES:
                    break
                continue
            if aside and not (tokens and isinstance(tokens[0], Cue) and tokens[0].kind == "change"):
                break
            for token in self._usable(tokens, begin, own):
                chain.add(token)
        return chain.regimens()

    def _lead(self, drug: DrugMention, before: int) -> int:
        """Where what is said before a drug, in its own clause, begins."""
        begin = max(before, drug.start - 40)
        edges = [
            hit.end() for hit in re.finditer(r"[,，、。;\n]", self._folded[begin : drug.start])
        ]
        at = begin + edges[-1] if edges else begin
        # Without a mark between them, what stands between two drugs is said of the first.
        return at if edges or before == 0 or begin > before else drug.start

    def _clauses(self, start: int, limit: int) -> Iterator[tuple[int, int, bool]]:
        """The clauses of ``[start, limit)`` and whether each is the drug's own."""
        begin, own = start, True
        inside = {n for t in self._between(start, limit) for n in range(t.start, t.end)}
        for comma in _COMMA.finditer(self._folded, start, limit):
            if comma.start() not in inside:
                yield begin, comma.start(), own
                begin, own = comma.end(), False
        yield begin, limit, own

    def _belongs(
        self, begin: int, end: int, tokens: Sequence[Token], own: bool, chain: Chain
    ) -> bool:
        """Whether a clause without a drug is still about the one before it."""
        if own:
            return True
        rest = list(self._folded[begin:end])
        for token in tokens:
            rest[token.start - begin : token.end - begin] = " " * (token.end - token.start)
        left = _FILLER.sub("", "".join(rest)).strip(" \t()[]:.+")
        if not left:
            return bool(tokens) or not self._folded[begin:end].strip()
        changed = any(isinstance(t, Cue) and t.kind in ("change", "stop") for t in tokens)
        return changed and any(
            (isinstance(t, Quantity) and chain.is_alike(t)) or isinstance(t, Frequency | Route)
            or (isinstance(t, Cue) and t.kind == "stop") for t in tokens
        )  # fmt: skip

    def _usable(self, tokens: Sequence[Token], begin: int, own: bool) -> Iterator[Token]:
        """The tokens up to an amount of something else."""
        at = begin
        for token in tokens:
            if (
                isinstance(token, Quantity)
                and own
                and _ANOTHER.search(self._folded, at, token.start)
            ):
                return
            yield token
            at = token.end


def regimens(text: str, drugs: Sequence[DrugMention] | None = None) -> list[Regimen]:
    """The regimens of ``text``, in the order of its drugs; those of one drug in their order.

    ``drugs`` are the drugs that it names, where they are known; else stems and shipped names tell.
    """
    if drugs is None:
        drugs = shipped_names().find(text)
    return RegimenReader(text).read(drugs)


@cache
def shipped_names() -> DrugNames:
    """The reader of drug names that knows the shipped ones."""
    return DrugNames(shipped_drugs())
