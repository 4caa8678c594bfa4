"""DICOM SEG files, which the extension QuantitativeReporting reads; its plugin sees only what is in Slicer's DICOM database."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import slicer

from PCLLib.temporary import TemporaryFolder

_PLUGIN = "DICOMSegmentationPlugin"


def can_read() -> bool:
    """Whether the extension is installed."""
    return _PLUGIN in getattr(slicer.modules, "dicomPlugins", {})


def load_dicom_segmentation(path: Path) -> list[Any] | None:
    """Loads a file by way of a database of its own, so that the person's database stays as it is.

    Returns:
        the new segmentation nodes; None when the file is no DICOM SEG or cannot be read.
    """
    from DICOMLib import DICOMUtils  # noqa: PLC0415 (a module of Slicer, which is there when the application has started)

    before = set(slicer.util.getNodesByClass("vtkMRMLSegmentationNode"))
    reader = slicer.modules.dicomPlugins[_PLUGIN]()
    with TemporaryFolder("dicom") as folder:
        alone = folder / "file"  # a folder is indexed with all that lies in it
        alone.mkdir()
        shutil.copy(path, alone)
        with DICOMUtils.TemporaryDICOMDatabase(str(folder / "database")) as database:
            DICOMUtils.importDicom(str(alone), database)
            loadables = reader.examineFiles(_files_in(database))
            if not loadables or not reader.load(loadables[0]):
                return None
    return [node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if node not in before]


def _files_in(database: Any) -> list[str]:
    """The paths as the database writes them, which may differ in the separators."""
    return [
        file
        for patient in database.patients()
        for study in database.studiesForPatient(patient)
        for series in database.seriesForStudy(study)
        for file in database.filesForSeries(series)
    ]
