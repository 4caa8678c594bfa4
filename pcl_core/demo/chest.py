"""What surrounds the heart in a short-axis picture: chest wall, fat, lungs, liver, stomach, spine and the descending aorta.

Coordinates as in heart_shape.py, but turned with the body instead of the heart. Most of it is here to be mistaken for heart:
fat, fluid in the stomach, and vessels are about as bright as blood, and muscle and liver about as grey as myocardium.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pcl_core.demo.heart_shape import Parts, ellipse


@dataclass(frozen=True)
class Tissue:
    """Signal of each tissue, blood in the left ventricle being about 1."""

    blood: float
    right_blood: float
    muscle: float
    fat: float
    lung: float
    liver: float
    vessel: float
    stomach: float
    skeletal: float
    bone: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Tissue:
        """Draws a contrast, from bright blood in dark muscle to hardly any difference."""
        muscle = rng.uniform(0.22, 0.52)
        return cls(
            blood=1.0,
            right_blood=rng.uniform(0.75, 1.08),
            muscle=muscle,
            fat=rng.uniform(0.55, 1.25),
            lung=rng.uniform(0.03, 0.14),
            liver=muscle * rng.uniform(0.8, 1.5),
            vessel=rng.uniform(0.7, 1.05),
            stomach=rng.choice([rng.uniform(0.05, 0.15), rng.uniform(0.7, 1.1), rng.uniform(0.4, 0.7)]),
            skeletal=muscle * rng.uniform(0.6, 1.0),
            bone=rng.uniform(0.25, 0.55),
        )


class Canvas:
    """Signal (z, y, x) that parts are painted onto, with edges one pixel soft."""

    def __init__(self, shape: tuple[int, int, int], edge: float) -> None:
        self.signal = np.zeros(shape, np.float32)
        self._edge = edge

    def paint(self, distance: np.ndarray, value: float | np.ndarray, softness: float = 1.0, opacity: float = 1.0) -> None:
        """Covers where ``distance`` (mm, negative inside) says so with ``value``."""
        cover = np.clip(0.5 - distance / (self._edge * softness), 0.0, 1.0) * np.float32(opacity)
        self.signal += cover * (value - self.signal)


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int, int], pixels: float) -> np.ndarray:
    """Noise (z, y, x) of unit variance, smooth over ``pixels`` within a slice and over 1.5 depths along z."""
    noise = ndimage.gaussian_filter(rng.standard_normal(shape, np.float32), (1.5, pixels, pixels), mode="wrap")
    scaled: np.ndarray = noise / max(float(noise.std()), 1e-6)
    return scaled


@dataclass(frozen=True)
class Chest:
    """One person's chest.

    Attributes:
        centre: (u, v) mm of the thorax, seen from the heart.
        axes: its inner half axes in mm.
        layers: thickness in mm of the muscle layer and of the fat under the skin.
        ribs: phase in radians and how fast it turns along s.
        liver: v in mm of the dome of the liver at the base of the heart.
        rise: mm that liver and stomach come up from the base to the apex.
        stomach: (u, v) mm of its middle.
        fat: mm of fat around the heart.
        pads: (k, 6) fat pads and loops of bowel: u, v, half axes in mm, s of the middle, signal relative to fat.
    """

    centre: tuple[float, float]
    axes: tuple[float, float]
    layers: tuple[float, float]
    ribs: tuple[float, float]
    liver: float
    rise: float
    stomach: tuple[float, float]
    fat: float
    pads: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator, radius: float) -> Chest:
        """Draws slim and stout chests around a heart of ``radius`` mm."""
        depth = rng.uniform(88, 108)
        around = rng.uniform(-2.6, 0.3, 5)
        away = radius + rng.uniform(2, 14, 5)
        pads = [away * np.cos(around), away * np.sin(around), *rng.uniform(4, 15, (2, 5)), rng.uniform(-0.2, 1.2, 5)]
        return cls(
            centre=(rng.uniform(-40, -10), depth - radius - rng.uniform(1, 13)),
            axes=(rng.uniform(90, 115), depth),
            layers=(rng.uniform(8, 16), rng.uniform(4, 28)),
            ribs=(rng.uniform(0, 6.28), rng.uniform(0.5, 1.5)),
            liver=radius + rng.uniform(0, 16),
            rise=rng.uniform(25, 50),
            stomach=(rng.uniform(22, 50), radius + rng.uniform(32, 46)),
            fat=rng.uniform(1, 9),
            pads=np.stack([*pads, rng.uniform(0.5, 1.1, 5)], axis=1),
        )

    def paint(
        self, canvas: Canvas, u: np.ndarray, v: np.ndarray, s: np.ndarray, tissue: Tissue, rng: np.random.Generator
    ) -> None:
        """Paints everything that lies behind the heart. ``u``, ``v`` (z, y, x) mm; ``s`` (z, 1, 1)."""
        shape = canvas.signal.shape
        canvas.signal[:] = tissue.lung
        branches = smooth_noise(rng, (shape[0], shape[1], shape[2]), 1.0)
        canvas.paint((2.2 - branches) * 3.0, 0.75 * tissue.vessel, softness=2.0, opacity=0.8)
        self._spine(canvas, u, v, tissue)
        self._belly(canvas, u, v, s, tissue, rng)
        self._wall(canvas, u, v, s, tissue)

    def around_heart(
        self,
        canvas: Canvas,
        place: tuple[np.ndarray, np.ndarray, np.ndarray],
        parts: Parts,
        tissue: Tissue,
        rng: np.random.Generator,
    ) -> None:
        """Paints fat pads near the chest wall and fat of uneven thickness, before the heart itself.

        ``place`` holds u, v and s as in paint.
        """
        u, v, s = place
        shape = canvas.signal.shape
        for at_u, at_v, a, b, middle, bright in self.pads:
            grown = np.sqrt(np.clip(1.0 - ((s - middle) / 0.35) ** 2, 0.0, 1.0))
            pad = ellipse(u, v, (at_u, at_v), (a * grown, b * grown)) + (grown <= 0) * 50.0
            canvas.paint(pad, bright * tissue.fat)
        uneven = self.fat * (0.6 + 0.8 * smooth_noise(rng, (shape[0], shape[1], shape[2]), 8.0))
        canvas.paint(parts.envelope() - np.maximum(uneven, 0.8), tissue.fat)
        canvas.paint(np.abs(parts.envelope() - 1.2) - 0.4, tissue.lung, opacity=0.5)

    def _spine(self, canvas: Canvas, u: np.ndarray, v: np.ndarray, tissue: Tissue) -> None:
        at_u, at_v = self.centre[0] - 5.0, self.centre[1] + 62.0
        canvas.paint(ellipse(u, v, (at_u, at_v + 8.0), (44.0, 34.0)), tissue.skeletal)
        canvas.paint(ellipse(u, v, (at_u, at_v), (20.0, 16.0)), tissue.bone)
        canvas.paint(ellipse(u, v, (at_u, at_v + 24.0), (9.0, 8.0)), tissue.fat)
        canvas.paint(ellipse(u, v, (at_u + 27.0, at_v - 16.0), (13.0, 13.0)), tissue.muscle)
        canvas.paint(ellipse(u, v, (at_u + 27.0, at_v - 16.0), (11.0, 11.0)), tissue.vessel)

    def _belly(
        self, canvas: Canvas, u: np.ndarray, v: np.ndarray, s: np.ndarray, tissue: Tissue, rng: np.random.Generator
    ) -> None:
        """Liver from below on the right and stomach on the left, both growing towards the apex."""
        shape = canvas.signal.shape
        rise = self.rise * np.clip(s, -0.3, 1.3)
        liver = ellipse(u, v, (-55.0 + 25.0 * np.clip(s, 0.0, 1.2), 56.0 + self.liver - rise), (86.0, 56.0), 0.15)
        canvas.paint(liver - 2.0, 0.5 * tissue.skeletal)
        canvas.paint(liver, tissue.liver)
        branches = smooth_noise(rng, (shape[0], shape[1], shape[2]), 2.0)
        canvas.paint(np.maximum(liver + 5.0, (1.8 - branches) * 4.0), tissue.vessel, softness=2.0)
        cava = ellipse(u, v, (-48.0, self.liver + 14.0 - 0.3 * rise), (13.0, 10.0))
        canvas.paint(np.maximum(cava, liver + 1.0), tissue.vessel)
        grown = np.clip((s - 0.15) / 0.5, 0.0, 1.0) ** 0.5
        at = (self.stomach[0], self.stomach[1] - 0.6 * rise)
        stomach = ellipse(u, v, at, (31.0 * grown, 23.0 * grown), -0.4)
        canvas.paint(stomach - 2.0 + (grown <= 0) * 50.0, tissue.fat)
        canvas.paint(stomach + (grown <= 0) * 50.0, tissue.muscle)
        canvas.paint(stomach + 5.0 + (grown <= 0) * 50.0, tissue.stomach)

    def _wall(self, canvas: Canvas, u: np.ndarray, v: np.ndarray, s: np.ndarray, tissue: Tissue) -> None:
        inner = ellipse(u, v, self.centre, self.axes)
        muscle, fat = self.layers
        canvas.paint(-inner, tissue.fat)
        canvas.paint(-(inner - 2.5), tissue.skeletal)
        angle = np.arctan2(v - self.centre[1], u - self.centre[0])
        turn = np.cos(11.0 * angle + self.ribs[0] + 6.28 * self.ribs[1] * s)
        rib = np.maximum(np.abs(inner - 2.5 - muscle / 2) - muscle / 3, (0.35 - turn) * 7.0)
        canvas.paint(rib, 0.3 * tissue.bone)
        canvas.paint(rib + 2.0, 1.3 * tissue.bone)
        canvas.paint(-(inner - 2.5 - muscle), tissue.fat)
        canvas.paint(-(inner - 2.5 - muscle - fat), 0.8 * tissue.skeletal)
        canvas.paint(-(inner - 5.0 - muscle - fat), 0.01)
