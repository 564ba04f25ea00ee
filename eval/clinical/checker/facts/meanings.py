"""Drawn denials, relatives, doubts and stays: the same words, meant otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from eval.clinical.checker.facts.draw import Dice, Draw, material, other

_DENIALS = ("无", "否认", "不伴", "未诉", "没有", "无明显")
_ENDS = ("", "", "等不适", "等症状")


def denial_draws(dice: Dice) -> Iterator[Draw]:
    """Some findings there, a list of others denied."""
    words = dice.sample(material()["findings"], 7)
    have, denied = words[: dice.choice((1, 2))], words[2 : dice.choice((4, 5, 6, 7))]
    marks = dice.choice(("、", "、", "，", "及"))
    listed = marks.join(denied) if marks != "及" else "、".join(denied[:-1]) + "及" + denied[-1]
    record = f"患者{'、'.join(have)}3天，{dice.choice(_DENIALS)}{listed}{dice.choice(_ENDS)}。"
    if dice.random() < 0.3:
        record += "精神可，食欲正常。"
    one = dice.choice(denied)
    truth = dice.choice((f"无{one}。", f"否认{one}。", f"患者{have[0]}，无{one}。"))
    yield Draw("denial", "reworded", record, truth, True)
    kind, one = dice.choice((("list tail", denied[-1]), ("list item", dice.choice(denied))))
    text = dice.choice((f"患者{one}。", f"有{one}。", f"伴{one}。", f"{have[0]}，伴{one}。"))
    yield Draw("denial", kind, record, text, False)
    yield Draw("denial", "present told as denied", record, f"无{have[0]}。", False)


def history_draws(dice: Dice) -> Iterator[Draw]:
    """Diseases had and denied, those of a relative beside."""
    words = dice.sample(material()["diseases"], 6)
    mine, denied, theirs = words[0], words[1:4], words[4]
    listed = dice.choice(("、", "，")).join(denied)
    relative = dice.choice(material()["relatives"])
    tail = dice.choice(("病史", "等病史", "等慢性病史", "", "史"))
    record = f"既往有{mine}病史，否认{listed}{tail}。"
    family = f"{relative}{dice.choice(('患', '有', '患有', '曾患'))}{theirs}。"
    record = dice.choice((record + family, family + record, f"{record}家族史：{family}"))
    yield Draw(
        "history",
        "reworded",
        record,
        dice.choice((f"既往{mine}病史。", f"否认{dice.choice(denied)}病史。")),
        True,
    )
    yield Draw("history", "relative, said so", record, f"{relative}患{theirs}。", True)
    wrongs = [
        ("list item", f"既往有{dice.choice(denied)}病史。"),
        ("list tail", f"患者有{denied[-1]}。"),
        ("relative's", f"患者患{theirs}。"),
        ("relative's", f"既往有{theirs}病史。"),
        ("had told as denied", f"否认{mine}病史。"),
        ("given to the relative", f"{relative}患{mine}。"),
    ]
    kind, text = dice.choice(wrongs)
    yield Draw("history", kind, record, text, False)


_TWICE = (
    "并非没有{}",
    "不是没有{}",
    "并非无{}",
    "不能否认{}",
    "未必没有{}",
    "不排除{}",
    "不除外{}",
)
_DOUBT = ("可能为{}", "疑似{}", "考虑{}可能", "{}？", "{}待排", "不除外{}", "待除外{}")


def doubt_draws(dice: Dice) -> Iterator[Draw]:
    """Double negations and doubts."""
    one, beside = dice.sample(material()["diseases"], 2)
    if dice.random() < 0.5:
        record = f"患者{dice.choice(_TWICE).format(one)}，需进一步检查。"
        text = dice.choice((f"患者无{one}。", f"否认{one}。", f"排除{one}。", f"没有{one}。"))
        yield Draw("doubt", "double negation", record, text, False)
        return
    doubted = dice.choice(_DOUBT).format(one)
    record = f"诊断：{beside}，{doubted}。"
    yield Draw("doubt", "reworded", record, f"{doubted}。", True)
    text = dice.choice((f"确诊{one}。", f"诊断{one}。", f"患者患{one}。"))
    yield Draw("doubt", "doubt dropped", record, text, False)


def supposed_draws(dice: Dice) -> Iterator[Draw]:
    """Advice and what may happen."""
    have, one = dice.sample(material()["findings"], 2)
    advice = dice.choice(
        ("如出现{}及时就诊", "若{}加重随诊", "警惕{}", "注意观察有无{}", "可能出现{}")
    )
    record = f"患者{have}5天。{advice.format(one)}。"
    yield Draw("supposed", "reworded", record, f"{have}5天。", True)
    text = dice.choice((f"患者{one}。", f"出现{one}。", f"伴{one}。"))
    yield Draw("supposed", "advice told as fact", record, text, False)


def stay_draws(dice: Dice) -> Iterator[Draw]:
    """An earlier stay and this one."""
    before, now = dice.sample(material()["procedures"], 2)
    illness = dice.choice(material()["diseases"])
    lead = dice.choice(("2年前因{}住院，行{}", "2019年因{}在外院行{}", "既往因{}曾行{}"))
    record = f"{lead.format(illness, before)}，恢复可。本次入院后行{now}。"
    yield Draw("stay", "reworded", record, f"本次入院后行{now}。", True)
    yield Draw("stay", "reworded", record, f"既往曾行{before}。", True)
    text = dice.choice(("本次住院行{}。", "入院后行{}。", "本次入院后行{}。")).format(before)
    yield Draw("stay", "earlier stay", record, text, False)


def negative_draws(dice: Dice) -> Iterator[Draw]:
    """Tests that are negative or positive, tests not done."""
    names = dice.sample(
        ("乙肝表面抗原", "流感病毒抗原", "粪便隐血", "抗核抗体", "结核菌素试验", "梅毒抗体"), 3
    )
    signs = [dice.choice(("阳性", "阴性")) for _ in names]
    form = dice.choice(("{}{}", "{}：{}"))
    pairs = list(zip(names, signs, strict=True))
    record = "，".join(form.format(n, s) for n, s in pairs) + "。"
    name, sign = dice.choice(pairs)
    turned = other(dice, ("阳性", "阴性"), sign)
    yield Draw("sign", "reworded", record, f"{name}{sign}。", True)
    yield Draw("sign", "turned", record, f"{name}{turned}。", False)
