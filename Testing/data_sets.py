"""Miniature copies of the data sets: their names of files and folders and their label values, around generated voxels."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

SHAPE = (6, 32, 32)
CINE_FRAMES, ED, ES = 4, 1, 3


@dataclass(frozen=True)
class Miniature:
    """What was written.

    Attributes:
        layout: that it follows.
        folder: of everything.
        classes: names of the label values that experiments are to show.
        images: number of images, each frame of a 4-D file one.
        each_once: number of images without copies of frames.
        annotated: names of the images with labels.
        patients: of these.
    """

    layout: str
    folder: Path
    classes: dict[int, str]
    images: int
    each_once: int
    annotated: tuple[str, ...]
    patients: tuple[str, ...]


def drawn(seed: int, values: Sequence[int], dtype: type = np.int16) -> tuple[np.ndarray, np.ndarray]:
    """An image (z, y, x) and its labels: squares, one a value, that walk with the slices."""
    random = np.random.default_rng(seed)
    image = random.normal(100, 5, SHAPE)
    labels = np.zeros(SHAPE, dtype)
    for number, value in enumerate(values):
        row, column = 2 + 8 * (number // 4), 1 + 7 * (number % 4)
        for z in range(SHAPE[0]):
            square = (z, slice(row + z // 3, row + z // 3 + 5), slice(column + z % 2, column + z % 2 + 5))
            image[square] += 100 * (number + 1) + 10 * z
            labels[square] = value
    return image.astype(np.int16), labels


def save(path: Path, array: np.ndarray, spacing: tuple[float, float, float] = (1.0, 1.0, 4.0)) -> None:
    """Writes an array (z, y, x) or (frame, z, y, x) as NIfTI in RAS."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array.T, np.diag([*spacing, 1.0])), path)


def write_chd(folder: Path, count: int = 4) -> Miniature:
    """CHD: all files in one folder; structures above 7 are drawn, too."""
    for k in range(count):
        image, labels = drawn(k, (1, 2, 3, 4, 5, 6, 7, 8, 13))
        save(folder / f"ct_{1001 + k}_image.nii.gz", image)
        save(folder / f"ct_{1001 + k}_label.nii.gz", labels)
    names = ("left ventricle", "right ventricle", "left atrium", "right atrium", "myocardium", "aorta", "pulmonary artery")
    patients = tuple(f"ct_{1001 + k}" for k in range(count))
    annotated = tuple(f"{patient}_image" for patient in patients)
    return Miniature("chd", folder, dict(enumerate(names, 1)), count, count, annotated, patients)


def write_mmwhs(folder: Path, count: int = 4) -> Miniature:
    """MMWHS: folders of training, with 421 for 420 in one label map, and of test, which has no labels."""
    classes = {
        205: "myocardium", 420: "left atrium", 500: "left ventricle", 550: "right atrium", 600: "right ventricle",
        820: "ascending aorta", 850: "pulmonary artery",
    }  # fmt: skip
    for k in range(count):
        image, labels = drawn(k, tuple(classes), np.uint16)
        if k == 1:
            labels[labels == 420] = 421
        save(folder / "ct_train" / f"ct_train_{1001 + k}_image.nii.gz", image)
        save(folder / "ct_train" / f"ct_train_{1001 + k}_label.nii.gz", labels)
    save(folder / "ct_test" / "ct_test_2001_image.nii.gz", drawn(count, tuple(classes))[0])
    patients = tuple(f"ct_train_{1001 + k}" for k in range(count))
    return Miniature("mmwhs", folder, classes, count + 1, count + 1, tuple(f"{one}_image" for one in patients), patients)


def write_acdc(folder: Path, count: int = 4) -> Miniature:
    """ACDC: a folder a patient with the cine file, copies of its frames ED and ES, their labels, and Info.cfg."""
    for k in range(1, count + 1):
        patient = f"patient{k:03d}"
        frames = [drawn(10 * k + frame, (1, 2, 3), np.uint8) for frame in range(1, CINE_FRAMES + 1)]
        save(folder / patient / f"{patient}_4d.nii.gz", np.stack([image for image, _ in frames]))
        for frame in (ED, ES):
            image, labels = frames[frame - 1]
            save(folder / patient / f"{patient}_frame{frame:02d}.nii.gz", image)
            save(folder / patient / f"{patient}_frame{frame:02d}_gt.nii.gz", labels)
        info = f"ED: {ED}\nES: {ES}\nGroup: DCM\nHeight: 184.0\nNbFrame: {CINE_FRAMES}\nWeight: 95.0\n"
        (folder / patient / "Info.cfg").write_text(info)
    patients = tuple(f"patient{k:03d}" for k in range(1, count + 1))
    annotated = tuple(f"{patient}_frame{frame:02d}" for patient in patients for frame in (ED, ES))
    classes = {1: "right ventricle", 2: "myocardium", 3: "left ventricle"}
    return Miniature("acdc", folder, classes, count * (CINE_FRAMES + 2), count * CINE_FRAMES, annotated, patients)


def write_hvsmr(folder: Path, count: int = 4) -> Miniature:
    """HVSMR 2016: images and labels in two folders beside each other; slices closer than pixels are wide."""
    for k in range(count):
        image, labels = drawn(k, (1, 2), np.uint8)
        save(folder / "Training dataset" / f"training_axial_full_pat{k}.nii.gz", image, (0.9, 0.9, 0.85))
        save(folder / "Ground truth" / f"training_axial_full_pat{k}-label.nii.gz", labels, (0.9, 0.9, 0.85))
    patients = tuple(f"pat{k}" for k in range(count))
    annotated = tuple(f"training_axial_full_{patient}" for patient in patients)
    return Miniature("hvsmr", folder, {1: "myocardium", 2: "blood pool"}, count, count, annotated, patients)


def write_nnunet(folder: Path, count: int = 4) -> Miniature:
    """nnU-Net's raw form with a dataset.json of its second version."""
    return _imagestr(folder, count, "nnunet", "_0000", {"labels": {"background": 0, "spleen": 1, "liver": 4}})


def write_msd(folder: Path, count: int = 4) -> Miniature:
    """The Decathlon's form, whose dataset.json lists the files."""
    training = [{"image": f"./imagesTr/case_{k:02d}.nii.gz", "label": f"./labelsTr/case_{k:02d}.nii.gz"} for k in range(count)]
    listed = {"training": training, "test": [f"./imagesTs/case_{count:02d}.nii.gz"]}
    return _imagestr(folder, count, "msd", "", {"labels": {"0": "background", "1": "spleen", "4": "liver"}, **listed})


def _imagestr(folder: Path, count: int, layout: str, suffix: str, description: dict) -> Miniature:
    for k in range(count + 1):
        image, labels = drawn(k, (1, 4), np.uint8)
        part = "Tr" if k < count else "Ts"
        save(folder / f"images{part}" / f"case_{k:02d}{suffix}.nii.gz", image)
        if part == "Tr":
            save(folder / "labelsTr" / f"case_{k:02d}.nii.gz", labels)
    (folder / "dataset.json").write_text(json.dumps(description))
    patients = tuple(f"case_{k:02d}" for k in range(count))
    return Miniature(layout, folder, {1: "spleen", 4: "liver"}, count + 1, count + 1, patients, patients)


def write_folder(folder: Path, count: int = 4) -> Miniature:
    """Images and labels by the general rule of names; one image has no labels."""
    for k in range(count + 1):
        image, labels = drawn(k, (1, 2), np.uint8)
        save(folder / f"scan {k}.nii.gz", image)
        if k < count:
            save(folder / f"scan {k}_seg.nii.gz", labels)
    patients = tuple(f"scan {k}" for k in range(count))
    return Miniature("folder", folder, {1: "class 1", 2: "class 2"}, count + 1, count + 1, patients, patients)


WRITERS: dict[str, Callable[..., Miniature]] = {
    "acdc": write_acdc,
    "chd": write_chd,
    "folder": write_folder,
    "hvsmr": write_hvsmr,
    "mmwhs": write_mmwhs,
    "msd": write_msd,
    "nnunet": write_nnunet,
}
