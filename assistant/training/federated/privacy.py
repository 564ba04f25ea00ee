"""How much of a site the rounds of DP-FedAvg tell: (ε, δ) of the Gaussian mechanism."""

from __future__ import annotations

import math
from statistics import NormalDist

_NORMAL = NormalDist()


def delta(epsilon: float, noise: float, rounds: int) -> float:
    """δ at ``epsilon`` of ``rounds`` releases of a sum with Gaussian noise of ``noise`` times what
    one site can add.

    Exact: T such releases are one with noise z/√T (Dong, Roth and Su 2022, corollary 3.3), and δ =
    Φ(μ/2 - ε/μ) - exp(ε) Φ(-μ/2 - ε/μ) with μ = √T/z (Balle and Wang 2018, theorem 8).  Every site
    is in every round: nothing is gained from sampling.
    """
    mu = math.sqrt(rounds) / noise
    second = _NORMAL.cdf(-mu / 2 - epsilon / mu)
    # Where ε is large its exponential overflows before the normal tail has gone to nothing.
    weight = math.exp(min(700.0, epsilon + math.log(second))) if second > 0 else 0.0
    return max(0.0, _NORMAL.cdf(mu / 2 - epsilon / mu) - weight)


def epsilon(noise: float, rounds: int, allowed: float = 1e-5) -> float:
    """The least ε at which δ is at most ``allowed``; infinite without noise."""
    if noise <= 0 or rounds <= 0:
        return math.inf if rounds > 0 else 0.0
    low, high = 0.0, 1.0
    while delta(high, noise, rounds) > allowed:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        if delta(middle, noise, rounds) > allowed:
            low = middle
        else:
            high = middle
    return high
