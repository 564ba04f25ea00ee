"""True statements: sentences as they stand, and the same said in another way, by rule."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files

import yaml

from assistant.grounding.segments import Scope, Segment
from eval.clinical.checker.record import Record
from eval.clinical.checker.trial import Trial, TruthKind

_FILE = files("eval.clinical") / "data" / "checker" / "synonyms.yaml"
SYNONYMS: tuple[tuple[str, str], ...] = tuple(
    (str(written), str(other)) for written, other in yaml.safe_load(_FILE.read_text("utf-8"))
)
_HEADING = re.compile(r"^[\u4e00-\u9fff A-Za-z]{2,12}(?:（[^）]*）)?[：:]")
_DEPENDENT = re.compile(
    r"^(?:[其该后较均且并但而故则即遂仍又再也以约共为至量色由因经于同]|较|逐渐|当时|当即|伴|予|给|可|长|直径|大小|范围|分别|随|继|之)"
)
_TIMED = re.compile(r"前|后|时|日|天|昨|今|明|次日|期间|\d{4}|[→↑↓]")
_BRACKETS = re.compile(r"[（）()“”\"【】\[\]]")
_CONTENT = re.compile(r"[\u4e00-\u9fffA-Za-z]")


def independent_clauses(text: str) -> tuple[str, list[str]] | None:
    """A sentence's heading and its clauses, where each says its own whatever the order; else None.

    Clauses that lean on the one before (其, 伴, 约 …), that are of different times, or that stand
    in brackets or quotes are not taken.
    """
    heading = match[0] if (match := _HEADING.match(text)) else ""
    body = text[len(heading) :]
    clauses = [clause.strip() for clause in body.split("，")]
    if len(clauses) < 2 or _BRACKETS.search(body) or "：" in body or "；" in body:
        return None
    if _TIMED.search(body) or re.match(r"\d{1,2}[.、]", body):
        return None
    if any(len(_CONTENT.findall(c)) < 3 or _DEPENDENT.match(c) for c in clauses):
        return None
    return heading, clauses


def reordered(text: str, dice: random.Random) -> str | None:
    """The clauses in another order."""
    found = independent_clauses(text)
    if found is None:
        return None
    heading, clauses = found
    turned = clauses[:]
    dice.shuffle(turned)
    if turned == clauses:
        turned = [*clauses[1:], clauses[0]]
    return heading + "，".join(turned) if turned != clauses else None


def shortened(text: str, dice: random.Random) -> str | None:
    """One clause left out."""
    found = independent_clauses(text)
    if found is None or len(found[1]) < 3:
        return None
    heading, clauses = found
    left_out = dice.randrange(len(clauses))
    return heading + "，".join(c for n, c in enumerate(clauses) if n != left_out)


def reworded(text: str, dice: random.Random) -> str | None:
    """One to three words exchanged for synonyms, or one number written another way."""
    fitting = [pair for pair in SYNONYMS if _stands(pair, text)]
    dice.shuffle(fitting)
    done, used = text, ""
    for written, other in fitting[: dice.randint(1, 3)]:
        if written.strip() not in used:
            done = _pattern(written).sub(other, done)
            used += other
    done = _DATE.sub(lambda m: f"{m[1]}年{int(m[2])}月{int(m[3])}日", done)
    done = _ZERO.sub(r"\1", done)
    return done if done != text else None


_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_ZERO = re.compile(r"(?<![\d.])(\d{1,4})\.0(?=(?:m?g|L)(?![A-Za-z/]))")
_NO_DRUG = re.compile(r"^(?!.*(?:口服|静脉|静滴|注射|吸入|[0-9](?:mg|g|U|ml|片|粒)))", re.DOTALL)
_VITAL = {"T ": r"(?<![A-Za-z])T (?=3\d|4\d)", "BP ": r"BP (?=\d)", "体温": r"体温(?=3\d)"}
_BARRED = {
    "约": re.compile(r"[预节]约|约(?!\d)|约\d\d:"),
    "每日1次": _NO_DRUG,
    "每日2次": _NO_DRUG,
    "每日3次": _NO_DRUG,
    "每12小时1次": _NO_DRUG,
    "每8小时1次": _NO_DRUG,
    "℃": re.compile(r"℃\s?(?![，。；、）]|$)"),
    "复查": re.compile(r"复查(?![\u4e00-\u9fff])"),
    "提示": re.compile(r"提示(?![\u4e00-\u9fff])"),
    "左侧": re.compile(r"左侧(?![\u4e00-\u9fff])|[Bb左右]abinski"),
    "右侧": re.compile(r"右侧(?![\u4e00-\u9fff])"),
    "双侧": re.compile(r"双侧(?![\u4e00-\u9fff])"),
    "白细胞": re.compile(r"白细胞(?![\d计 ])|白细胞计数"),
    "血小板": re.compile(r"血小板(?![\d ])|抗血小板"),
    "血红蛋白": re.compile(r"糖化血红蛋白|血红蛋白(?![\d ])"),
    "减轻": re.compile(r"体重|未见?减轻|无[^，。]*减轻"),
    "水肿": re.compile(r"[肺脑膜囊]水肿"),
    "术后": re.compile(r"手术后"),
    "术中": re.compile(r"手术中"),
    "降低": re.compile(r"[未无不]降低"),
    "升高": re.compile(r"[未无不]升高|抬高|ST"),
    "患者": re.compile(r"患者(?![\u4e00-\u9fff])"),
}
"""Where a pair is not taken, as the words mean something else or would not be Chinese."""


def _stands(pair: tuple[str, str], text: str) -> bool:
    written, other = pair
    barred = _BARRED.get(written)
    fits = _pattern(written).search(text) is not None
    return fits and not (barred and barred.search(text)) and other not in text


def _pattern(written: str) -> re.Pattern[str]:
    return re.compile(_VITAL.get(written) or re.escape(written))


def merged(first: Segment, second: Segment) -> str | None:
    """Two sentences that follow each other in one note, of one time, as one."""
    same = first.note_id == second.note_id and first.scope is second.scope
    near = 0 <= second.start - first.end <= 2
    if not same or not near or first.section != second.section:
        return None
    if _HEADING.match(second.text) or re.match(r"\d{1,2}[.、]", second.text):
        return None
    return f"{first.text}，{second.text}"


def _truth(record: Record, kind: TruthKind, text: str, segment: Segment) -> Trial:
    of_stay = segment.scope is Scope.STAY and not segment.note_id.startswith("table:")
    return Trial(record.id, kind, text, segment.text, segment.span, of_stay=of_stay)


def truths(record: Record, dice: random.Random) -> Iterator[Trial]:
    """Every sentence as it stands, and in the ways that the rules allow."""
    segments: Sequence[Segment] = record.segments
    for number, segment in enumerate(segments):
        if len(_CONTENT.findall(segment.text)) < 3:
            continue
        yield _truth(record, "verbatim", segment.text, segment)
        ways: list[tuple[TruthKind, str | None]] = [
            ("reordered", reordered(segment.text, dice)),
            ("shortened", shortened(segment.text, dice)),
            ("synonym", reworded(segment.text, dice)),
        ]
        if number + 1 < len(segments) and not segment.note_id.startswith("table:"):
            ways.append(("merged", merged(segment, segments[number + 1])))
        for kind, text in ways:
            if text is not None:
                yield _truth(record, kind, text, segment)
