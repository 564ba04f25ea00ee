"""TRIPOD+AI and the radiomics quality score, filled with what was done."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

OPEN = "须由研究者填写 (to be written by the investigators)"


def tripod(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Each item with its answer; ``done`` false where people have to write it."""
    known = _answers(report)
    return [
        {
            "item": row["item"],
            "topic": row["topic"],
            "says": row["says"],
            "done": "from" in row,
            "answer": known[row["from"]] if "from" in row else OPEN,
        }
        for row in _rows("tripod_ai.yaml")
    ]


def quality(report: dict[str, Any]) -> dict[str, Any]:
    """The items that the run itself settles with their points; the rest is open.

    The points of open items are not guessed, so that ``points`` is what is certain.
    """
    known = _points(report)
    rows = []
    for row in _rows("rqs.yaml"):
        points, why = known[row["from"]] if "from" in row else (None, OPEN)
        rows.append({**row, "points": points, "answer": why})
    return {
        "rows": rows,
        "points": sum(row["points"] for row in rows if row["points"] is not None),
        "most": sum(row["most"] for row in rows),
        "open": sum(row["points"] is None for row in rows),
    }


def _rows(name: str) -> list[dict[str, Any]]:
    text = files("assistant.tasks.radiomics.cohort").joinpath("data", name).read_text("utf-8")
    rows: list[dict[str, Any]] = yaml.safe_load(text)
    return rows


def _answers(report: dict[str, Any]) -> dict[str, str]:
    s, flow, survival = report["settings"], report["flow"], report["is_survival"]
    times = f"{s['repeats']} 次 × " if s["repeats"] > 1 else ""
    measure = "C 指数" if survival else "AUC"
    models = s["survival_models"] if survival else s["models"]
    p = report["performance"]["c_index" if survival else "auc"]
    per = flow["events"] / max(1, report["features"]["candidates"])
    return {
        "purpose_of_study": "建立模型并作内部验证（嵌套交叉验证）",
        "partition": f"全部病例参与外层 {times}{s['outer_folds']} 折交叉验证，折按结局分层",
        "clusters": f"{len(report['sites'])} 个机构或设备，"
        + ("影像特征在折内以 ComBat 校正" if report["harmonised"] else "未校正")
        if report["sites"]
        else "未给出机构列，未作处理",
        "no_update": "未更新模型",
        "prediction": "各例由未见过它的外层模型预测（predictions.csv）；"
        "新病例由 model.skops 经 bedside radiomics predict 预测",
        "preparation": "折内完成：中位数填补"
        + ("、ComBat 校正机构差异" if report["harmonised"] else "")
        + f"、方差与 ICC（≥ {s['min_icc']}）筛选、标准化",
        "outcome": "至事件的时间" if survival else f"类别，阳性为“{report['positive']}”",
        "predictors": f"{report['features']['candidates']} 个候选特征，"
        f"其中临床变量 {len(s['clinical'])} 列",
        "size": f"{flow['used']} 例，{flow['events']} 个事件；"
        f"每个候选特征 {per:.2g} 个事件；未预先计算",
        "missing": f"缺失超过 {s['max_missing']:.0%} 的列在折内删去，其余以训练折中位数填补；"
        "结局缺失者排除",
        "analysis": f"外层 {times}{s['outer_folds']} 折给出指标，"
        f"内层 {s['inner_folds']} 折选择模型；"
        f"选择方法 {'、'.join(s['selectors'])}；模型 {'、'.join(models)}；随机种子 {s['seed']}",
        "measures": "C 指数、时间依赖 AUC、Kaplan-Meier、log-rank"
        if survival
        else "AUC（DeLong）、灵敏度、特异度、校准截距与斜率、Brier、决策曲线",
        "imbalance": "未重抽样、未加权；折按结局分层",
        "output": "风险评分与各年生存率；分组阈值为训练折风险中位数"
        if survival
        else "概率；阈值为事先给定，或取自训练折",
        "difference": "训练与评价来自同一表格；未作外部验证",
        "code": f"Bedside {report['version']}；设置与种子在报告中，模型文件随附",
        "flow": f"读入 {flow['read']} 例，用于分析 {flow['used']} 例，"
        f"排除 {flow['read'] - flow['used']} 例",
        "events": f"{flow['used']} 例中 {flow['events']} 例"
        + ("发生事件" if survival else "为阳性"),
        "model": "model.skops（可预测并解释）；列线图",
        "performance": f"{measure} {p['value']:.3f}（95% CI {p['low']:.3f}–{p['high']:.3f}）",
        "limits": "单一数据集、无外部验证；折内选择的特征在各折间的一致性见“选择稳定性”",
        "use": "缺失的特征按训练病例中位数填补并提示；仅供研究",
    }


def _points(report: dict[str, Any]) -> dict[str, tuple[int | None, str]]:
    survival, reduced = report["is_survival"], report["settings"]["fdr"] < 1
    clinical = bool(report["settings"]["clinical"])
    return {
        "reduction": (3, f"单变量检验控制 FDR {report['settings']['fdr']}，并在折内筛选")
        if reduced
        else (3, "折内降维"),
        "clinical": (1, "模型含临床变量") if clinical else (0, "设置中没有列出临床变量"),
        "cutoff": (1, "阈值取自训练折"),
        "discrimination": (2, "C 指数及区间，交叉验证" if survival else "AUC 及区间，交叉验证"),
        "calibration": (1, "各年预测与实际生存率")
        if survival
        else (2, "校准截距、斜率和曲线，交叉验证"),
        # The score asks for a validation without retraining, which cross-validation is not.
        "validation": (None, "只有交叉验证，没有不经重新训练的验证集；按原文多计 −5，由研究者定"),
        "utility": (0, "生存模型未作决策曲线") if survival else (2, "决策曲线"),
    }
