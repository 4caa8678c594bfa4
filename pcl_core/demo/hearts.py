"""Generated volumes that look like short-axis cardiac MR, with labels: what the demo learns from.

A stack runs from the base of the heart to its apex, so the position of a slice means anatomy, as it does in real ones: the
right ventricle is wide at the base and gone near the apex, the left one shrinks and closes, atria and great vessels lie above,
liver and stomach come up from below. Pose, size, wall thickness, contrast, coil sensitivity, blur, noise, breathing between
slices and the covered range differ from volume to volume. No patient was involved.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from scipy import ndimage

from pcl_core.demo.chest import Canvas, Chest, Tissue, smooth_noise
from pcl_core.demo.heart_shape import HeartShape, Parts
from pcl_core.events import Reporter
from pcl_core.files import writable_folder, write_text
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.writing import write_volume

CLASS_NAMES: dict[int, str] = {1: "right ventricle", 2: "myocardium", 3: "left ventricle"}
RIGHT, MUSCLE, LEFT = CLASS_NAMES
# A slice is the mean of the anatomy at so many depths within its thickness; the middle one gives the labels.
_DEPTHS = (-0.33, 0.0, 0.33)


def generate_heart(seed: int) -> tuple[np.ndarray, np.ndarray, Geometry]:
    """Draws one volume; the same seed gives the same volume.

    Args:
        seed: any number from 0 on.

    Returns:
        voxels (z, y, x) int16, labels (z, y, x) uint8 (0 background, 1 right ventricle, 2 myocardium, 3 left ventricle), and
        the grid. Slices lie across the third stored axis, which grows from the apex towards the base.
    """
    rng = np.random.default_rng(seed)
    shape = HeartShape.drawn(rng)
    geometry, s, u, v = _placed(rng, shape)
    turn = rng.uniform(-0.6, 0.6)
    canvas = Canvas((s.size, geometry.size[1], geometry.size[0]), edge=geometry.spacing[0])
    tissue, chest = Tissue.drawn(rng), Chest.drawn(rng, shape.cavity + shape.wall)
    chest.paint(canvas, u, v, s, tissue, rng)
    parts = shape.parts(u * np.cos(turn) + v * np.sin(turn), v * np.cos(turn) - u * np.sin(turn), s)
    chest.around_heart(canvas, (u, v, s), parts, tissue, rng)
    _paint_heart(canvas, parts, tissue, rng)
    slices = canvas.signal.reshape(-1, len(_DEPTHS), *canvas.signal.shape[1:]).mean(axis=1)
    labels = _labels(parts)[len(_DEPTHS) // 2 :: len(_DEPTHS)]
    return _scanned(slices, rng), np.ascontiguousarray(labels), geometry


def _placed(rng: np.random.Generator, shape: HeartShape) -> tuple[Geometry, np.ndarray, np.ndarray, np.ndarray]:
    """Draws grid, coverage and pose: (geometry, s (z', 1, 1), u and v (z', y, x) mm), z' counting depths."""
    pixel, step = round(rng.uniform(2.0, 2.5), 3), float(rng.choice([8.0, 8.5, 9.0, 10.0]))
    first, last = rng.uniform(-0.28, 0.1) * shape.length, rng.uniform(0.86, 1.22) * shape.length
    count = int(np.clip(round((last - first) / step) + 1, 8, 14))
    columns, rows = (int(rng.integers(64, 97)) for _ in range(2))
    # Stored from the apex up: the third axis grows towards the head, as canonical positions do.
    middles = first + step * np.arange(count)[::-1]
    depths = (middles[:, None] + step * np.array(_DEPTHS)[None, :]).reshape(-1, 1, 1)
    s = (depths / shape.length).astype(np.float32)
    grid = (len(depths), rows, columns)
    breath = np.repeat(rng.normal(0, 1.3, (count, 2)), len(_DEPTHS), axis=0)
    shift, tilt = rng.uniform((-8.0, -22.0), (20.0, 6.0)), rng.uniform(-0.25, 0.25)
    x = (np.arange(columns) - (columns - 1) / 2) * pixel
    y = (np.arange(rows) - (rows - 1) / 2) * pixel
    u = x[None, None, :] - shift[0] - breath[:, :1, None] + 2.2 * smooth_noise(rng, grid, 7.0)
    v = y[None, :, None] - shift[1] - breath[:, 1:, None] + 2.2 * smooth_noise(rng, grid, 7.0)
    u, v = u * np.cos(tilt) + v * np.sin(tilt), v * np.cos(tilt) - u * np.sin(tilt)
    direction = _oblique(rng)
    corner = direction @ (-0.5 * (np.array([columns, rows, count]) - 1) * (pixel, pixel, step)) + rng.normal(0, 40, 3)
    geometry = Geometry(
        size=(columns, rows, count),
        spacing=(pixel, pixel, step),
        origin=(round(float(corner[0]), 3), round(float(corner[1]), 3), round(float(corner[2]), 3)),
        direction=tuple(float(value) for value in direction.reshape(-1)),
    )
    return geometry, s, u.astype(np.float32), v.astype(np.float32)


def _oblique(rng: np.random.Generator) -> np.ndarray:
    """A rotation (3, 3) of the stack against the patient's axes, at most about 35 degrees, as short-axis planes have."""
    a, b, c = rng.uniform(-0.35, 0.35, 3)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    turned: np.ndarray = about_x @ about_y @ about_z
    return turned


def _paint_heart(canvas: Canvas, parts: Parts, tissue: Tissue, rng: np.random.Generator) -> None:
    shape = canvas.signal.shape
    flow = 1.0 + 0.07 * smooth_noise(rng, (shape[0], shape[1], shape[2]), 4.0)
    canvas.paint(parts.above - 2.0, tissue.muscle)
    canvas.paint(parts.above, tissue.vessel * flow)
    canvas.paint(parts.right_wall, tissue.muscle)
    canvas.paint(parts.right, tissue.right_blood * flow)
    canvas.paint(np.maximum(parts.papillary, parts.right), tissue.muscle, opacity=0.8)
    canvas.paint(parts.muscle, tissue.muscle * (0.5 + 0.5 * flow))
    canvas.paint(parts.cavity, tissue.blood * flow, softness=1.5)
    canvas.paint(np.maximum(parts.papillary, parts.cavity), tissue.muscle, opacity=0.85)


def _labels(parts: Parts) -> np.ndarray:
    labels = np.zeros(parts.muscle.shape, np.uint8)
    labels[parts.right < 0] = RIGHT
    labels[parts.muscle < 0] = MUSCLE
    labels[parts.cavity < 0] = LEFT
    return labels


def _scanned(slices: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What the scanner makes of the signal (z, y, x): coil, texture, slice-wise gain, blur, Rician noise, arbitrary units."""
    count, rows, columns = slices.shape
    y, x = np.linspace(-1, 1, rows)[None, :, None], np.linspace(-1, 1, columns)[None, None, :]
    fall, side, bend = rng.uniform(-0.05, 0.55), rng.uniform(-0.3, 0.3), rng.uniform(-0.25, 0.15, 2)
    coil = np.exp(-fall * y + side * x + bend[0] * x**2 + bend[1] * y**2)
    gain = np.exp(rng.normal(0, 0.05, (count, 1, 1)))
    texture = 1.0 + 0.05 * smooth_noise(rng, (count, rows, columns), 0.7)
    blurred = ndimage.gaussian_filter(slices * coil * gain * texture, (0, *[rng.uniform(0.35, 0.85)] * 2))
    level = rng.uniform(0.02, 0.075)
    real, imaginary = rng.normal(0, level, (2, count, rows, columns))
    measured = np.hypot(blurred + real, imaginary) ** rng.uniform(0.85, 1.2)
    scaled: np.ndarray = measured * rng.uniform(150, 900)
    return scaled.astype(np.int16)


def stored_otherwise(
    arrays: tuple[np.ndarray, np.ndarray], geometry: Geometry, order: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> tuple[np.ndarray, np.ndarray, Geometry]:
    """The same anatomy at the same place in the patient, stored with its axes permuted and turned round.

    Args:
        arrays: voxels and labels (z, y, x).
        geometry: their grid.
        order: the present stored axes (0 x, 1 y, 2 z) that become the new x, y, z.
        flips: whether each new axis runs against the present one.

    Returns:
        voxels, labels and the grid that says so.
    """
    matrix = geometry.matrix
    origin = np.array(geometry.origin)
    columns = []
    for axis, flip in zip(order, flips, strict=True):
        columns.append(-matrix[:, axis] if flip else matrix[:, axis])
        if flip:
            origin = origin + matrix[:, axis] * geometry.spacing[axis] * (geometry.size[axis] - 1)
    reverse = tuple(2 - k for k in range(3) if flips[k])
    voxels, labels = (np.flip(array.transpose([2 - axis for axis in order[::-1]]), reverse) for array in arrays)
    stored = Geometry(
        size=(geometry.size[order[0]], geometry.size[order[1]], geometry.size[order[2]]),
        spacing=(geometry.spacing[order[0]], geometry.spacing[order[1]], geometry.spacing[order[2]]),
        origin=(float(origin[0]), float(origin[1]), float(origin[2])),
        direction=tuple(float(value) for value in np.stack(columns, axis=1).reshape(-1)),
    )
    return np.ascontiguousarray(voxels), np.ascontiguousarray(labels), stored


def write_hearts(folder: Path, count: int, seed: int, reporter: Reporter) -> list[str]:
    """Writes ``count`` volumes as a data set of the nnU-Net and Decathlon kind.

    Images go to ``imagesTr/heart_NNN_0000.nii.gz``, labels to ``labelsTr/heart_NNN.nii.gz``, class names to ``dataset.json``.
    About one volume in four is stored flipped or permuted, with a header that says so.

    Args:
        folder: where to; files of the same names are replaced.
        count: volumes.
        seed: the same seed gives the same files' contents.
        reporter: told of the progress.

    Returns:
        the names of the cases, ``heart_000`` and so on.

    Raises:
        InputError: the folder cannot be written.
    """
    writable_folder(folder)
    names = [f"heart_{number:03d}" for number in range(count)]
    seeds = np.random.SeedSequence(seed).generate_state(count)
    reporter.progress("generate", 0, count)
    for number, (name, own) in enumerate(zip(names, seeds, strict=True)):
        voxels, labels, geometry = generate_heart(int(own))
        rng = np.random.default_rng([int(own), 1])
        if rng.random() < 0.25:
            order = (0, 1, 2) if rng.random() < 0.7 else (2, 0, 1)
            flips = tuple(bool(flip) for flip in rng.random(3) < 0.5)
            voxels, labels, geometry = stored_otherwise((voxels, labels), geometry, order, (flips[0], flips[1], flips[2]))
        write_volume(folder / "imagesTr" / f"{name}_0000.nii.gz", voxels, geometry)
        write_volume(folder / "labelsTr" / f"{name}.nii.gz", labels, geometry)
        reporter.progress("generate", number + 1, count)
    dataset = {
        "name": "Generated short-axis hearts",
        "channel_names": {"0": "MR"},
        "labels": {"background": 0, **{name: value for value, name in CLASS_NAMES.items()}},
        "numTraining": count,
        "file_ending": ".nii.gz",
    }
    write_text(folder / "dataset.json", json.dumps(dataset, indent=2) + "\n")
    return names
