"""ROC, calibration, decision and survival curves."""

from __future__ import annotations

from typing import Any

from assistant.tasks.radiomics.cohort.drawing.plot import BLUE, GREEN, GREY, RED, Plot

_UNIT = {"days": "天", "months": "月", "years": "年"}


def roc(performance: dict[str, Any]) -> str:
    """False against true positives, of all outer test folds."""
    area = performance["auc"]
    plot = Plot("ROC 曲线", (0, 1), (0, 1), "1 − 特异度", "灵敏度")
    plot.line([0, 1], [0, 1], GREY, dash="4 4")
    found = performance["roc"]
    plot.line(found["false_positive"], found["true_positive"], BLUE, f"AUC {area['value']:.3f}")
    return plot.svg()


def calibration(performance: dict[str, Any]) -> str:
    """Mean probability of groups against the share that was seen."""
    found = performance["calibration"]
    title = f"校准曲线（截距 {found['intercept']:.2f}，斜率 {found['slope']:.2f}）"
    plot = Plot(title, (0, 1), (0, 1), "预测概率", "实际比例")
    plot.line([0, 1], [0, 1], GREY, "理想", "4 4")
    groups = found["groups"]
    plot.line([g["predicted"] for g in groups], [g["observed"] for g in groups], BLUE, "模型")
    for g in groups:
        plot.point(g["predicted"], g["low"], g["observed"], g["high"], BLUE)
    return plot.svg()


def decision(performance: dict[str, Any]) -> str:
    """Net benefit by threshold."""
    found = performance["decision"]
    top = max(0.05, *found["model"], found["all"][0]) * 1.1
    plot = Plot("决策曲线", (0, 1), (-0.05, top), "阈值概率", "净获益")
    plot.line(found["threshold"], found["all"], GREEN, "全部按阳性")
    plot.line([0, 1], [0, 0], GREY, "全部按阴性", "4 4")
    plot.line(found["threshold"], found["model"], BLUE, "模型")
    return plot.svg()


def survival(performance: dict[str, Any], unit: str) -> str:
    """Kaplan-Meier curves of the two risk groups, with intervals."""
    groups = performance["groups"]
    end = max((g["curve"]["time"][-1] for g in groups if g["curve"]["time"]), default=1.0)
    p = performance["log_rank_p"]
    said = "" if p is None else f"（log-rank p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}）"
    plot = Plot(f"Kaplan-Meier 曲线{said}", (0, end), (0, 1), f"时间（{_UNIT[unit]}）", "生存率")
    for group, colour in zip(groups, (BLUE, RED), strict=True):
        curve = group["curve"]
        if not curve["time"]:
            continue
        time = [0.0, *curve["time"]]
        plot.band(time, [1.0, *curve["low"]], [1.0, *curve["high"]], colour)
        plot.steps(time, [1.0, *curve["survival"]], colour, f"{group['title']} n={group['cases']}")
    return plot.svg()
