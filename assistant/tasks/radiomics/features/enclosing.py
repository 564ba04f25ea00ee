"""Boxes and ellipsoids around a set of points, and the area of an ellipsoid."""

from __future__ import annotations

import numpy as np
from scipy.special import eval_legendre

from assistant.imaging.volume import Floats

_TERMS = 20
_TOLERANCE = 1e-4
_ROUNDS = 20_000


def ellipsoid_area(a: float, b: float, c: float) -> float:
    """The area of an ellipsoid with semi-axes a ≥ b ≥ c, by the series of 20 terms that IBSI gives
    for RDD2: exact to what a benchmark can tell."""
    alpha = np.sqrt(max(1 - b**2 / a**2, 0.0))
    beta = np.sqrt(max(1 - c**2 / a**2, 0.0))
    if alpha * beta < 1e-12:
        # A ball, or one with two equal long axes, where only the first term is left.
        if beta < 1e-12:
            return float(4 * np.pi * a * b)
        terms = np.arange(_TERMS + 1)
        # The limit of (αβ)^n P_n((α²+β²)/2αβ) for α → 0: (β²)^n (2n)! / (4^n (n!)²).
        lead = np.cumprod(np.concatenate([[1.0], (2 * terms[1:] - 1) / (2 * terms[1:])]))
        series = beta ** (2 * terms) * lead / (1 - 4 * terms**2)
        return float(4 * np.pi * a * b * series.sum())
    terms = np.arange(_TERMS + 1)
    point = (alpha**2 + beta**2) / (2 * alpha * beta)
    series = (alpha * beta) ** terms / (1 - 4 * terms**2) * eval_legendre(terms, point)
    return float(4 * np.pi * a * b * series.sum())


def enclosing_ellipsoid(points: Floats) -> Floats:
    """The semi-axes of the ellipsoid of least volume around ``points`` (n, 3).

    Khachiyan's algorithm, which moves weight to the point farthest outside of the ellipsoid.
    """
    number = len(points)
    lifted = np.vstack([points.T, np.ones(number)])
    weight = np.full(number, 1 / number)
    for _ in range(_ROUNDS):
        shape = (lifted * weight) @ lifted.T
        outside = np.einsum("ij,ij->j", lifted, np.linalg.solve(shape, lifted))
        farthest = int(outside.argmax())
        excess = outside[farthest]
        if excess - 4 <= _TOLERANCE * 4:
            break
        step = (excess - 4) / (4 * (excess - 1))
        weight *= 1 - step
        weight[farthest] += step
    centre = points.T @ weight
    spread = (points.T * weight) @ points - np.outer(centre, centre)
    semi: Floats = np.sqrt(np.maximum(np.linalg.eigvalsh(spread), 0) * 3)
    # What is still outside of it by the tolerance is taken in.
    away = points - centre
    reach = np.einsum("ij,ij->i", away, np.linalg.solve(spread * 3, away.T).T).max()
    return semi * np.sqrt(reach)


def smallest_box(points: Floats, triangles: Floats) -> Floats:
    """The sides of the smallest box around ``points`` of a convex hull, (n, 3).

    ``triangles``: (m, 3, 3), the hull's faces.  Among boxes with a side on a face and another along
    an edge of that face: IBSI leaves the search open, and a smaller box is rare.
    """
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    normal = np.cross(b - a, c - a)
    long = np.linalg.norm(normal, axis=1)
    kept = long > 1e-9 * long.max()
    normal = normal[kept] / long[kept, None]
    # Faces of one plane give one box.
    turned = normal * np.where(normal[:, [0]] + 1e-3 * normal[:, [1]] < 0, -1, 1)
    _, first = np.unique(np.round(turned, 6), axis=0, return_index=True)
    best, sides = np.inf, np.ptp(points, axis=0)
    for k in first:
        up = normal[k]
        height = np.ptp(points @ up)
        corners = (a[kept][k], b[kept][k], c[kept][k])
        for start, end in ((0, 1), (1, 2), (2, 0)):
            along = corners[end] - corners[start]
            along = along / np.linalg.norm(along)
            across = np.cross(up, along)
            length, width = np.ptp(points @ along), np.ptp(points @ across)
            if height * length * width < best:
                best, sides = height * length * width, np.array([height, length, width])
    return sides
