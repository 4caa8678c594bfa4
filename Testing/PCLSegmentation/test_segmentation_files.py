"""Segmentation files of Slicer and DICOM SEG become annotations where they were drawn, or are refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Testing.dicom_files import write_dicom
from Testing.PCLSegmentation.conftest import block


def test_a_segmentation_file_of_slicer_keeps_its_names(page, scans, tmp_path, slicer, drawn):
    node = drawn(scans[3], slice(1, 3), names=("block",))
    assert slicer.util.saveNode(node, str(tmp_path / "mine.seg.nrrd"))
    slicer.mrmlScene.RemoveNode(node)
    page.bench.wait_until(lambda: page.states()["scan3"] == "Not annotated")
    page.choose("scan3")
    page.bench.answer_file(tmp_path / "mine.seg.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()["scan3"] == "Annotated")
    page.bench.choose(page.ui.countingComboBox, "Drawn slices")
    assert page.states()["scan3"] == "Partly annotated (2 of 8 slices)"


def segmentation_file(folder):
    """A DICOM file that is named as one; what reads it is not of this extension."""
    (write_dicom(folder, block(0)[:1], _00080060="SEG") / "image001.dcm").rename(folder / "seg.dcm")
    write_dicom(folder, block(0)[:2], series="1.2.4")  # of other series in the same folder nothing is wanted
    return folder / "seg.dcm"


def test_dicom_segmentation_objects_need_an_extension_which_is_named(page, scans, tmp_path):
    page.choose("scan2")
    page.bench.answer_file(segmentation_file(tmp_path / "dicom"))
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: "Install the extension QuantitativeReporting to read DICOM SEG" in page.message)
    assert page.states()["scan2"] == "Not annotated"


def test_a_dicom_segmentation_object_is_read_by_the_extension_that_can(page, scans, tmp_path, slicer, drawn, monkeypatch):
    path = segmentation_file(tmp_path / "dicom")

    before = slicer.dicomDatabase

    class DICOMSegmentationPlugin:
        """Plays the plugin of QuantitativeReporting, which cannot be had outside Slicer: its two calls, and what they make.

        Like that one it reads nothing but the database, and takes the file from there.
        """

        def examineFiles(self, files):  # noqa: N802 (Slicer's own name)
            database = slicer.dicomDatabase
            known = [name for name in files if database.fileValue(name, "0008,0060") == "SEG"]
            return [database.fileValue(name, "0008,0018") for name in known]

        def load(self, loadable):
            file = Path(slicer.dicomDatabase.fileForInstance(loadable))
            assert file.read_bytes() == path.read_bytes()
            return drawn(scans[3], slice(2, 5), names=("block",)) is not None

    monkeypatch.setattr(slicer.modules, "dicomPlugins", {"DICOMSegmentationPlugin": DICOMSegmentationPlugin}, raising=False)
    page.choose("scan2")
    page.bench.answer_file(path)
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()["scan2"] == "Annotated")
    page.bench.choose(page.ui.countingComboBox, "Drawn slices")
    assert page.states()["scan2"] == "Partly annotated (3 of 8 slices)"
    assert slicer.dicomDatabase is before, "the database of the person has nothing of it"
    assert before.patients() == []


def test_dicom_that_is_no_segmentation_is_refused(page, scans, tmp_path, slicer, monkeypatch):
    class DICOMSegmentationPlugin:
        def examineFiles(self, files):  # noqa: N802 (Slicer's own name)
            return [name for name in files if slicer.dicomDatabase.fileValue(name, "0008,0060") == "SEG"]

    monkeypatch.setattr(slicer.modules, "dicomPlugins", {"DICOMSegmentationPlugin": DICOMSegmentationPlugin}, raising=False)
    page.choose("scan2")
    path = write_dicom(tmp_path / "dicom", block(0)[:1]) / "image001.dcm"
    page.bench.answer_file(path)
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: f"Slicer could not read {path} as DICOM SEG" in page.message)
    assert page.states()["scan2"] == "Not annotated"


def import_segmentation(page, name, path):
    page.choose(name)
    page.bench.answer_file(path)
    page.bench.click(page.ui.importButton)


def test_a_segmentation_file_for_a_volume_under_a_transform_lies_where_it_was_drawn(page, scans, tmp_path, slicer, drawn):
    import vtk

    from PCLLib.segment_nodes import mask_of, segments_of
    from PCLLib.segment_roles import annotation_of

    volume, node = scans[3], drawn(scans[3], slice(1, 3))
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 10.0)
    transform.SetMatrixTransformToParent(matrix)
    for one in (volume, node):
        one.SetAndObserveTransformNodeID(transform.GetID())
    before = mask_of(node, "block", volume)
    assert slicer.util.saveNode(node, str(tmp_path / "mine.seg.nrrd"))
    slicer.mrmlScene.RemoveNode(node)
    page.bench.wait_until(lambda: page.states()["scan3"] == "Not annotated")
    import_segmentation(page, "scan3", tmp_path / "mine.seg.nrrd")
    page.bench.wait_until(lambda: page.states()["scan3"] == "Annotated")
    again = annotation_of(volume)
    assert again.GetTransformNodeID() == transform.GetID()
    assert np.array_equal(mask_of(again, segments_of(again)[0].id, volume), before)


def test_a_segmentation_file_from_elsewhere_in_the_patient_is_refused_in_words(
    page, scans, tmp_path, slicer, drawn, new_volume
):
    far = new_volume("far", 9)
    far.SetOrigin(500, 500, 500)
    node = drawn(far, slice(1, 3))
    assert slicer.util.saveNode(node, str(tmp_path / "far.seg.nrrd"))
    for one in (node, far):
        slicer.mrmlScene.RemoveNode(one)
    page.bench.wait_until(lambda: "far" not in page.states())
    import_segmentation(page, "scan3", tmp_path / "far.seg.nrrd")
    page.bench.wait_until(lambda: "far.seg.nrrd lies elsewhere in the patient than the volume" in page.message)
    assert page.states()["scan3"] == "Not annotated"
    assert len(slicer.util.getNodesByClass("vtkMRMLSegmentationNode")) == 2
