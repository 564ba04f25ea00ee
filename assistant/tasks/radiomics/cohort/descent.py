"""Coordinate descent for the LASSO on a Gram matrix, compiled."""

from __future__ import annotations

from typing import Any

import numba

_CHECK_EVERY = 10


def _compiled(function: Any) -> Any:
    """Kept beside the source or in the user's cache; where neither can be written, made anew."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        return numba.njit(nogil=True)(function)


def _gap_of(gradient: Any, target: Any, beta: Any, penalty: float, square: float) -> float:
    """How far the objective may be above its minimum (duality gap)."""
    fitted = left = size = most = 0.0
    for j in range(beta.shape[0]):
        fitted += beta[j] * target[j]
        left += beta[j] * gradient[j]
        size += abs(beta[j])
        most = max(most, abs(gradient[j]))
    residual = max(square - fitted - left, 0.0)
    scale = min(1.0, penalty / most) if most > 0.0 else 1.0
    dual = scale * (square - fitted) - 0.5 * scale * scale * residual
    return 0.5 * residual + penalty * size - dual


gap_of = _compiled(_gap_of)


def _descend(
    gram: Any,
    gradient: Any,
    target: Any,
    beta: Any,
    penalty: float,
    square: float,
    tolerance: float,
    passes: int,
) -> bool:
    """Minimise ½ b'Gb − c'b + penalty·|b|₁ in place; whether the duality gap fell to ``tolerance``.

    ``gradient`` is c − Gb and is kept so (Friedman, Hastie and Tibshirani 2010, covariance
    updates); ``target`` is c, ``square`` the mean square of what is fitted.
    """
    everything = True
    for step in range(passes):
        most = 0.0
        for j in range(beta.shape[0]):
            old = beta[j]
            curve = gram[j, j]
            if curve <= 0.0 or (not everything and old == 0.0):
                continue
            raw = gradient[j] + curve * old
            new = 0.0
            if raw > penalty:
                new = (raw - penalty) / curve
            elif raw < -penalty:
                new = (raw + penalty) / curve
            change = new - old
            if change != 0.0:
                beta[j] = new
                for k in range(beta.shape[0]):
                    gradient[k] -= gram[j, k] * change
                most = max(most, change * change * curve)
        settled = most <= 1e-3 * tolerance
        asked = (everything and settled) or step % _CHECK_EVERY == _CHECK_EVERY - 1
        if asked and gap_of(gradient, target, beta, penalty, square) <= tolerance:
            return True
        everything = settled or step % _CHECK_EVERY == _CHECK_EVERY - 2
    return False


descend = _compiled(_descend)
