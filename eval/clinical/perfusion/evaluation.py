"""What the trials say, as a clinical result."""

from __future__ import annotations

from collections.abc import Sequence

from eval.clinical.perfusion.trials import MAPS, Outcome
from eval.clinical.result import ClinicalResult, Figure, Table

SCORES = (*MAPS, "least")
_NAMES = {"cbf": "CBF", "cbv": "CBV", "mtt": "MTT", "tmax": "Tmax"}


def evaluate(found: Sequence[Outcome], *, seed: int, command: str) -> ClinicalResult:
    """Correlations at clinical noise as scores (0 to 100), all conditions as tables.

    The first method named is the one that is scored.
    """
    method = found[0].method
    usual = next(one for one in found if one.condition == "clinical" and one.method == method)
    scores = {key: 100 * usual.correlation[key] for key in MAPS}
    figures = [
        Figure(
            name=_NAMES[key],
            value=scores[key],
            n=usual.voxels,
            group="correlation with the truth × 100, clinical noise",
        )
        for key in MAPS
    ]
    return ClinicalResult(
        kind="perfusion",
        title="灌注体模 Perfusion on a digital phantom",
        headline=figures[0],
        scores=scores | {"least": min(scores.values())},
        figures=figures,
        tables=[_correlations(found), _errors(found), _lesions(found)],
        notes=[
            "科研用途 Research only. The phantom is ours: real studies have beam hardening, "
            "dispersion and partial volumes that it has not.",
            f"Scores are of the method {method}; seed {seed}.",
        ],
        command=command,
    )


def _correlations(found: Sequence[Outcome]) -> Table:
    return Table(
        title="与真值的相关 Correlation with the truth",
        columns=["", "method", *_NAMES.values(), "s"],
        rows=[
            [
                one.condition,
                one.method,
                *(f"{one.correlation[k]:.3f}" for k in MAPS),
                f"{one.seconds:.1f}",
            ]
            for one in found
        ],
    )


def _errors(found: Sequence[Outcome]) -> Table:
    return Table(
        title="误差中位数 Median error (CBF, CBV, MTT: %; Tmax: s)",
        columns=["", "method", *_NAMES.values()],
        rows=[
            [
                one.condition,
                one.method,
                *(f"{one.error[k]:+.2f}" if k == "tmax" else f"{one.error[k]:+.0f}" for k in MAPS),
            ]
            for one in found
        ],
        note="Tmax 的真值为延迟。The truth of Tmax is the delay.",
    )


def _lesions(found: Sequence[Outcome]) -> Table:
    return Table(
        title="体积 ml（真值）Volumes, ml (truth)",
        columns=["", "method", "core", "Tmax > 6 s"],
        rows=[
            [
                one.condition,
                one.method,
                *(f"{a:.1f} ({b:.1f})" for a, b in (one.core_ml, one.late_ml)),
            ]
            for one in found
        ],
    )
