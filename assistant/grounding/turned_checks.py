"""Before and after turned round, and another drug stopped than the record's."""

from __future__ import annotations

import re

from assistant.grounding.check import Check
from assistant.grounding.wording import bigrams

_WHEN = re.compile(
    r"(?P<what>[\u4e00-\u9fff]{2})(?P<when>[前后])"
    r"(?![壁列囊室房降方臂部外侧缘段叶角倾屈伸胸前后位置纵庭路]|\d)"
)
_OTHER = {"前": "后", "后": "前"}
_STOPPED = re.compile(r"停(?:用|服)?(?P<what>(?!药|止|经|留|搏|用|跳|滞|顿)[\u4e00-\u9fff]{2,8})")
_HALF = 0.5


def check_before_after(check: Check) -> None:
    """输注前发热 where the record only has what came 输注后."""
    for hit in _WHEN.finditer(check.text):
        what, when = hit["what"], hit["when"]
        texts = [s.text for s in check.sources if what in s.text]
        if any(what + _OTHER[when] in t for t in texts) and not any(
            what + when in t for t in texts
        ):
            check.problem("date", hit[0])


def check_stopped(check: Check) -> None:
    """停三氧化二砷 where the record stops another drug."""
    for hit in _STOPPED.finditer(check.text):
        words = bigrams(hit["what"])
        if not words:
            continue
        named = [
            other["what"] for source in check.sources for other in _STOPPED.finditer(source.text)
        ]
        stops = sum(source.text.count("停") for source in check.sources)
        if stops > len(named):
            # 第3日停用: what is stopped stands before it, and is for the check of regimens.
            continue
        stopped = [bigrams(what) for what in named]
        if stopped and all(len(words & found) < _HALF * len(words) for found in stopped):
            check.problem("no_evidence", hit[0])


_REMOVED = re.compile(r"拔除|拔管|拔出|拔去|已拔")
_TUBE = re.compile(
    r"胃管|尿管|引流管|胸管|双J管|鼻饲管|空肠管|造瘘管|[T气]管(?!炎|镜|切)|PICC|深静脉"
)


def check_removed(check: Check) -> None:
    """拔除引流管 tells of no removal of the 胃管: a tube that is said to be out must be named where
    the record has one taken out, or no tube be named there."""
    told = [c for c in check.clauses if _REMOVED.search(c.text)]
    for clause in check.said.clauses:
        mine = set(_TUBE.findall(clause.text))
        if not mine or not told or not _REMOVED.search(clause.text):
            continue
        theirs = [set(_TUBE.findall(c.text)) for c in told]
        if all(theirs) and not any(mine & one for one in theirs):
            check.problem("no_evidence", clause.text)
