"""Folders of volumes and labels, and what tests of them do."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np

from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.reading import read_volume
from Testing.PCLSegmentation.conftest import SHAPE

GRID = Geometry(SHAPE[::-1], (1.0, 1.0, 4.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))


def labels(value=1, slices=slice(None)) -> np.ndarray:
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[slices, 8:20, 8:20] = value
    return drawn


def two_labels(first=1, second=2):
    drawn = labels(first)
    drawn[:, 14:20] = np.where(drawn[:, 14:20] > 0, second, 0)
    return drawn


def add_folder(page, folder):
    page.bench.answer_file(folder)
    page.bench.click(page.ui.addFolderButton)
    page.bench.wait_until(lambda: page.doing == "LOOKING")
    page.wait("IDLE")


def voxels_of_case(page, slicer, name):
    """Loads a case by a double click on its row and returns its voxels."""
    row = [one for one, _state in page.rows()].index(name)
    page.ui.caseTable.cellDoubleClicked(row, 0)
    assert page.message == ""
    return slicer.util.arrayFromVolume(page.panel.desk.volume)


def cine(path, volumes):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.stack(volumes).T, np.diag([1.0, 1.0, 4.0, 1.0])), path)
    return path


def training_set(page, tmp_path):
    """What a fine-tuning is given: label maps by case, classes by value, and the slices that count."""
    from PCLLib.training_set import write_training_set

    folder = tmp_path / "training set"
    folder.mkdir()
    found = write_training_set(folder, page.panel.desk.to_learn_from, page.panel.desk.classes, "auto")
    maps = {found.names[path.stem]: read_volume(find_volumes(path).sources[0]).voxels for path in (folder / "labels").iterdir()}
    classes = {entry["value"]: entry["name"] for entry in json.loads((folder / "classes.json").read_text())}
    slices = json.loads((folder / "annotated_slices.json").read_text())
    return maps, classes, {found.names[name]: numbers for name, numbers in slices.items()}
