"""A heart as signed distances: chambers and muscle that change from the base to the apex.

Coordinates are in mm in the short-axis plane, heart-centred: u grows to the patient's left (right in the picture), v to the
back (down in the picture). Along the long axis s is 0 in the valve plane and 1 at the apex; s < 0 lies above the base. Every
distance is negative inside a part, positive outside, and approximately in mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# The cavity ends before the muscle does, so the last slices of the ventricle are a closed disc.
_CAVITY_END = 0.93
_MUSCLE_END = 1.04
# Vessels and atria above the base: centre (u, v) and half axes in mm, in a heart whose right ventricle lies at 180 degrees.
_ABOVE = {
    "left atrium": ((14.0, 25.0), (27.0, 17.0)),
    "aortic root": ((-5.0, -5.0), (14.0, 13.0)),
    "right atrium": ((-39.0, 17.0), (20.0, 23.0)),
    "outflow": ((-10.0, -34.0), (18.0, 13.0)),
}


def ellipse(
    u: np.ndarray, v: np.ndarray, centre: tuple[object, object], axes: tuple[object, object], turn: float = 0.0
) -> np.ndarray:
    """Approximate signed distance in mm to an ellipse.

    Args:
        u: coordinate in mm, any shape.
        v: coordinate in mm, of a shape that broadcasts with u.
        centre: (u, v) in mm; numbers or arrays that broadcast.
        axes: half axes in mm before turning; an axis of zero or less leaves the part out.
        turn: angle in radians from u towards v.
    """
    x, y = u - np.asarray(centre[0], np.float32), v - np.asarray(centre[1], np.float32)
    if turn:
        x, y = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    a = np.maximum(np.asarray(axes[0], np.float32), 0.05)
    b = np.maximum(np.asarray(axes[1], np.float32), 0.05)
    distance: np.ndarray = (np.sqrt((x / a) ** 2 + (y / b) ** 2) - 1.0) * np.sqrt(a * b)
    return distance


@dataclass(frozen=True)
class Parts:
    """Signed distances in mm, each (z, y, x): what the labels and the picture are painted from.

    Attributes:
        cavity: left ventricle including papillary muscles.
        muscle: everything within the outer border of the left ventricle.
        right: cavity of the right ventricle.
        right_wall: the right ventricle with its thin wall.
        above: atria and great vessels above the base, with their walls 2 mm outside.
        papillary: papillary muscles and trabeculae of both ventricles.
    """

    cavity: np.ndarray
    muscle: np.ndarray
    right: np.ndarray
    right_wall: np.ndarray
    above: np.ndarray
    papillary: np.ndarray

    def envelope(self) -> np.ndarray:
        """Distance to the heart as a whole."""
        nearest: np.ndarray = np.minimum(np.minimum(self.muscle, self.right_wall), self.above - 2.0)
        return nearest


@dataclass(frozen=True)
class HeartShape:
    """One person's heart.

    Attributes:
        length: mm from the valve plane to the apex.
        cavity: radius in mm of the left ventricle at the base.
        wall: thickness in mm of its wall.
        septum: thickness of the septum relative to the rest.
        lobes: (2, 3, 2) cosine and sine weights of the 2nd to 4th harmonic of the inner and outer border.
        lean: (2,) mm that the axis wanders in u and v from base to apex.
        reach: mm that the right ventricle reaches beyond the left one at the base.
        span: half extent of the right ventricle across, relative to the outer radius.
        right_end: s at which the right ventricle ends.
        right_base: s at which it begins.
        right_shift: mm by which its bulge lies nearer the diaphragm.
        papillary: (m, 4) angle, distance from the wall relative to the radius, radius in mm, s of the middle.
        trabeculae: (k, 3) angle, radius in mm, s of the middle, along the wall of the right ventricle.
        above: size of the atria and vessels.
    """

    length: float
    cavity: float
    wall: float
    septum: float
    lobes: np.ndarray
    lean: np.ndarray
    reach: float
    span: float
    right_end: float
    right_base: float
    right_shift: float
    papillary: np.ndarray
    trabeculae: np.ndarray
    above: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> HeartShape:
        """Draws a heart: most are ordinary, some have thick walls, some a wide thin left ventricle or a wide right one."""
        kind = rng.choice(["ordinary", "thick", "wide", "right"], p=[0.55, 0.15, 0.15, 0.15])
        cavity = rng.uniform(*{"thick": (15, 20), "wide": (27, 32)}.get(kind, (19, 26)))
        wall = rng.uniform(*{"thick": (11, 15), "wide": (5.5, 7.5)}.get(kind, (7, 10.5)))
        angles = np.array([-0.65, 1.15]) + rng.normal(0, 0.25, 2)
        papillary = [(angle, rng.uniform(0.25, 0.4), rng.uniform(2.8, 5.0), rng.uniform(0.4, 0.6)) for angle in angles]
        papillary += [(rng.uniform(-np.pi, np.pi), 0.08, rng.uniform(1.5, 3), rng.uniform(0.5, 0.8)) for _ in range(4)]
        trabeculae = [(rng.uniform(-1.1, 1.1), rng.uniform(1.5, 3.5), rng.uniform(0.1, 0.7)) for _ in range(6)]
        return cls(
            length=rng.uniform(70, 98),
            cavity=cavity,
            wall=wall,
            septum=rng.uniform(1.2, 1.7) if kind == "thick" else rng.uniform(0.9, 1.2),
            lobes=rng.normal(0, 1, (2, 3, 2)) * np.array([0.045, 0.025, 0.012])[:, None] * np.array([1.0, 0.7])[:, None, None],
            lean=rng.normal(0, 6, 2),
            reach=rng.uniform(30, 42) if kind == "right" else rng.uniform(17, 30),
            span=rng.uniform(1.0, 1.3),
            right_end=rng.uniform(0.72, 0.95),
            right_base=rng.uniform(-0.1, 0.04),
            right_shift=rng.uniform(-2, 8),
            papillary=np.array(papillary),
            trabeculae=np.array(trabeculae),
            above=rng.uniform(0.85, 1.25),
        )

    def parts(self, u: np.ndarray, v: np.ndarray, s: np.ndarray) -> Parts:
        """Signed distances to all parts.

        Args:
            u: (z, y, x) mm in the heart's own frame, the right ventricle towards negative u.
            v: (z, y, x) mm, towards the diaphragm.
            s: (z, 1, 1) position along the long axis, 0 base to 1 apex.
        """
        depth = np.clip(s, 0.0, 1.2)
        u = u - depth * self.lean[0]
        v = v - depth * self.lean[1]
        radius, angle = np.hypot(u, v), np.arctan2(v, u)
        inner = self._inner(angle, depth)
        outer = self._outer(angle, depth, inner)
        lid = -s * self.length
        cavity = np.maximum(radius - inner, lid)
        border = radius - outer
        typical = (self.cavity + self.wall) * _close(depth, _MUSCLE_END, 2.8, 0.5)
        size = _close(depth, self.right_end, 2.2, 0.75)
        right_ellipse = ellipse(
            u,
            v,
            (-0.55 * typical, self.right_shift * size),
            (0.45 * typical + self.reach * size, self.span * typical * size**0.6),
        )
        right_ellipse = right_ellipse + np.where(size <= 0, 50.0, 0.0)
        ceiling = (self.right_base - s) * self.length
        return Parts(
            cavity=cavity,
            muscle=np.maximum(border, lid),
            right=np.maximum(np.maximum(right_ellipse, -border), ceiling),
            right_wall=np.maximum(np.maximum(right_ellipse - 3.0, -border - 1.0), ceiling),
            above=self._above(u, v, s),
            papillary=self._papillary(u, v, depth, typical, size),
        )

    def _inner(self, angle: np.ndarray, s: np.ndarray) -> np.ndarray:
        profile = _close(s, _CAVITY_END, 2.4, 0.6)
        return self.cavity * profile * (1.0 + _wave(angle, self.lobes[0])) - np.where(profile <= 0, 3.0, 0.0)

    def _outer(self, angle: np.ndarray, s: np.ndarray, inner: np.ndarray) -> np.ndarray:
        profile = _close(s, _MUSCLE_END, 2.8, 0.5)
        septum = 1.0 + (self.septum - 1.0) * np.exp(-((np.abs(angle) - np.pi) ** 2) / 0.9)
        # Towards the outflow (septal, anterior) the ring is thin near the base.
        away = np.angle(np.exp(1j * (angle + 2.3))).astype(np.float32)
        outlet = 1.0 - 0.7 * np.exp(-(away**2) / 0.3) * np.clip(1.0 - s / 0.14, 0.0, 1.0)
        thickness = self.wall * septum * outlet * (1.0 - 0.25 * s)
        outer = (self.cavity * (1.0 + _wave(angle, self.lobes[0])) + thickness) * (1.0 + _wave(angle, self.lobes[1])) * profile
        return np.where(profile > 0, np.maximum(outer, inner + 0.55 * thickness), -3.0)

    def _above(self, u: np.ndarray, v: np.ndarray, s: np.ndarray) -> np.ndarray:
        grown = np.clip((0.05 - s) / 0.18, 0.0, 1.0) ** 0.5 * self.above
        nearest = np.full(u.shape, 50.0, np.float32)
        for centre, axes in _ABOVE.values():
            part = ellipse(u, v, centre, (axes[0] * grown, axes[1] * grown))
            nearest = np.minimum(nearest, part + np.where(grown <= 0, 50.0, 0.0))
        return nearest

    def _papillary(self, u: np.ndarray, v: np.ndarray, s: np.ndarray, typical: np.ndarray, size: np.ndarray) -> np.ndarray:
        nearest = np.full(u.shape, 50.0, np.float32)
        inner = self.cavity * _close(s, _CAVITY_END, 2.4, 0.6)
        for angle, inside, radius, middle in self.papillary:
            grown = radius * np.sqrt(np.clip(1.0 - ((s - middle) / 0.3) ** 2, 0.0, 1.0))
            at = inner * (1.0 - inside)
            nearest = np.minimum(
                nearest, np.hypot(u - at * np.cos(angle), v - at * np.sin(angle)) - grown + (grown <= 0) * 50.0
            )
        for angle, radius, middle in self.trabeculae:
            grown = radius * np.sqrt(np.clip(1.0 - ((s - middle) / 0.25) ** 2, 0.0, 1.0))
            at_u = -0.55 * typical - (0.45 * typical + self.reach * size) * np.cos(angle)
            at_v = self.span * typical * size**0.6 * np.sin(angle)
            nearest = np.minimum(nearest, np.hypot(u - at_u, v - at_v) - grown + (grown <= 0) * 50.0)
        return nearest


def _close(s: np.ndarray, end: float, shape: float, blunt: float) -> np.ndarray:
    """1 at the base, 0 from ``end`` on; ``blunt`` below 1 makes the end round."""
    closed: np.ndarray = (1.0 - np.clip(s / end, 0.0, 1.0) ** shape) ** blunt
    return closed


def _wave(angle: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum of the 2nd and higher harmonics of the angle, weights (harmonics, 2)."""
    total = np.zeros_like(angle)
    for k, (cosine, sine) in enumerate(weights, start=2):
        total = total + np.float32(cosine) * np.cos(k * angle) + np.float32(sine) * np.sin(k * angle)
    return total
