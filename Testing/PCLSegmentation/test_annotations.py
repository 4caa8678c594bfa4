"""What counts as drawn: several segmentations of one volume, empty ones, and structures drawn apart."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (its own usual name)

from Testing.PCLSegmentation.conftest import SHAPE, block, draw


@pytest.fixture
def written(page, tmp_path):
    """Writes the training set; returns the label maps and the classes by their names."""

    def write():
        from PCLLib.training_set import write_training_set

        folder = tmp_path / "training"
        folder.mkdir()
        write_training_set(folder, page.panel.desk.to_learn_from, page.panel.desk.classes, "auto")
        labels = [sitk.GetArrayFromImage(sitk.ReadImage(str(path))) for path in sorted((folder / "labels").iterdir())]
        return labels, {entry["name"]: entry["value"] for entry in json.loads((folder / "classes.json").read_text())}

    return write


def segmentation(slicer, volume, name, **boxes):
    """A segmentation as a person makes it, with a box (y) drawn in all slices a segment; None leaves a segment empty."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for segment, box in boxes.items():
        found = node.GetSegmentation().AddEmptySegment(segment, segment, [1.0, 0.0, 0.0])
        if box is not None:
            mask = np.zeros(SHAPE, np.uint8)
            mask[:, box, 8:20] = 1
            slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, found, volume)
    return node


def settled(page):
    """Until the table was read off the scene once more."""
    reads = []
    page.panel._watch.changed.connect(lambda: reads.append(None))
    page.bench.wait_until(lambda: bool(reads))


def tip(page, name):
    row = [one[0] for one in page.rows()].index(name)
    return page.ui.caseTable.item(row, 1).toolTip()


def test_a_later_segmentation_with_an_empty_segment_hides_no_annotation(page, scans, slicer):
    later = segmentation(slicer, scans[0], "later", block=None)
    settled(page)
    assert page.states()["scan0"] == "Annotated"
    from PCLLib.segment_roles import annotation_of

    assert annotation_of(scans[0]) is not later


def test_a_segment_that_was_erased_counts_as_empty(page, scans, slicer):
    later = segmentation(slicer, scans[0], "later", block=slice(8, 20))
    slicer.util.updateSegmentBinaryLabelmapFromArray(np.zeros(SHAPE, np.uint8), later, "block", scans[0])
    settled(page)
    assert page.states()["scan0"] == "Annotated"


def test_strokes_are_seen_although_slicer_draws_into_the_voxels_at_hand(page, new_volume, slicer):
    from PCLLib.segment_nodes import is_drawn

    node = segmentation(slicer, new_volume("one", 1), "drawn", LV=slice(4, 10))
    image = node.GetSegmentation().GetSegment("LV").GetRepresentation("Binary labelmap")
    stroke = slicer.vtkOrientedImageData()
    stroke.DeepCopy(image)
    image.GetPointData().GetScalars().Fill(0)
    image.GetPointData().GetScalars().Modified()
    assert not is_drawn(node, "LV")
    resample = slicer.vtkOrientedImageDataResample  # what the effects of the Segment Editor draw with
    assert resample.ModifyImage(image, stroke, resample.OPERATION_MAXIMUM)
    assert is_drawn(node, "LV")


def test_segments_that_share_a_label_map_are_told_apart(page, new_volume, slicer):
    from PCLLib.segment_classes import SegmentClass
    from PCLLib.segment_nodes import is_drawn, new_segmentation

    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 4:8, 4:8], labels[:, 10:14, 4:8] = 1, 3
    classes = [SegmentClass(value, f"class {value}", (1.0, 0.0, 0.0)) for value in (1, 2, 3, 4)]
    node = new_segmentation("several", new_volume("one", 1), labels, classes)
    assert [is_drawn(node, f"Segment_{value}") for value in (1, 2, 3, 4)] == [True, False, True, False]


def test_structures_drawn_in_two_segmentations_are_learned_together(page, slicer, new_volume, written):
    volume = new_volume("one", 1)
    segmentation(slicer, volume, "first", LV=slice(4, 10))
    segmentation(slicer, volume, "second", RV=slice(12, 20))
    page.wait_for_cases(1)
    page.bench.wait_until(lambda: page.states()["one"].startswith("Annotated"))
    assert page.states()["one"] == "Annotated\nDrawn in 2 segmentations, learned as one: first, second."
    (labels,), classes = written()
    assert classes == {"LV": 1, "RV": 2}
    assert (labels[:, 4:10, 8:20] == 1).all()
    assert (labels[:, 12:20, 8:20] == 2).all()
    assert np.count_nonzero(labels) == SHAPE[0] * 12 * (6 + 8)


def test_of_a_structure_drawn_twice_the_later_drawing_counts_and_that_is_said(page, slicer, new_volume, written):
    volume = new_volume("one", 1)
    segmentation(slicer, volume, "first", LV=slice(4, 10), RV=slice(20, 24))
    segmentation(slicer, volume, "second", LV=slice(12, 20))
    page.wait_for_cases(1)
    page.bench.wait_until(lambda: page.states()["one"].startswith("Annotated"))
    assert 'Of "LV" only that in second counts.' in page.states()["one"]
    (labels,), classes = written()
    assert not (labels[:, 4:10] == classes["LV"]).any()
    assert (labels[:, 12:20, 8:20] == classes["LV"]).all()
    assert (labels[:, 20:24, 8:20] == classes["RV"]).all()


def test_slices_that_count_are_chosen_for_all_segmentations_of_a_case(page, slicer, new_volume, drawn):
    volume = new_volume("one", 1)
    drawn(volume, slice(0, 2), names=("LV",))
    drawn(volume, slice(4, 5), names=("RV",))
    page.wait_for_cases(1)
    page.bench.wait_until(lambda: page.states()["one"].startswith("Partly annotated (3 of 8 slices)"))
    page.choose("one")
    page.bench.choose(page.ui.countingComboBox, "All slices")
    assert page.states()["one"].startswith("Annotated")


@pytest.fixture
def renamed(page, scans):
    """The panel with classes that hold already, after the segments of the only class were renamed in all cases."""
    from PCLLib.segment_classes import class_list
    from PCLLib.segment_roles import annotation_of

    page.parameters.classes = class_list(page.panel.desk.classes)
    for volume in scans[:2]:
        annotation_of(volume).GetSegmentation().GetNthSegment(0).SetName("left ventricle")
    page.bench.wait_until(lambda: page.ui.renameButton.visible and not page.panel._watch.waiting)
    return page


def test_segments_that_no_class_is_called_as_are_named_in_the_table(renamed):
    assert renamed.states()["scan0"] == 'Drawn, but no class is called "left ventricle"'
    assert 'a name that is no class: "left ventricle"' in renamed.ui.finetuneButton.toolTip


def test_a_class_is_renamed_as_its_segments_were(renamed):
    assert renamed.ui.classesButton.text == "New class: left ventricle"
    assert renamed.ui.renameButton.text == 'Call the class "block" "left ventricle"'
    renamed.bench.click(renamed.ui.renameButton)
    assert [(one.value, one.name) for one in renamed.panel.desk.classes] == [(1, "left ventricle")]
    assert renamed.states()["scan0"] == "Annotated"
    assert not renamed.ui.renameButton.visible
    assert not renamed.ui.classesButton.visible


def test_a_model_from_before_the_renaming_calls_its_class_as_people_do_now(renamed, model, scans):
    renamed.parameters.device = type(renamed.parameters.device).CPU
    renamed.parameters.model = str(model)
    renamed.parameters.begin = type(renamed.parameters.begin).MODEL
    renamed.bench.click(renamed.ui.renameButton)
    assert [(one.value, one.name) for one in renamed.panel.desk.classes] == [(1, "left ventricle")]
    from PCLLib.segment_nodes import segments_of

    node = renamed.segment(scans[3])
    assert [segment.name for segment in segments_of(node)] == ["left ventricle"]
    assert renamed.ui.classTable.item(0, 1).text() != ""


def test_no_renaming_is_offered_while_the_class_is_drawn_somewhere(page, scans, slicer):
    segmentation(slicer, scans[2], "other", ventricle=slice(8, 20))
    page.bench.wait_until(lambda: page.ui.classesButton.visible)
    assert not page.ui.renameButton.visible


def test_a_volume_that_shows_another_frame_than_the_one_drawn_on_is_told(page, scans, slicer):
    first = slicer.util.arrayFromVolume(scans[0]).copy()
    slicer.util.updateVolumeFromArray(scans[0], np.ascontiguousarray(first[:, ::-1]))  # as the browser of a sequence does
    page.bench.wait_until(lambda: page.states()["scan0"] != "Annotated")
    assert page.states()["scan0"].startswith('Annotated\nThe image has changed since "scan0 drawn" was made on it.')
    assert page.states()["scan1"] == "Partly annotated (3 of 8 slices)"
    slicer.util.updateVolumeFromArray(scans[0], first)
    page.bench.wait_until(lambda: page.states()["scan0"] == "Annotated")


def test_the_image_that_was_drawn_on_is_remembered_with_the_scene(page, slicer, tmp_path, new_volume, drawn):
    drawn(new_volume("one", 1))
    page.bench.wait_until(lambda: page.states() == {"one": "Annotated"})
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    page.bench.close_scene()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    page.wait_for_cases(1)
    page.bench.wait_until(lambda: page.states() == {"one": "Annotated"})
    (volume,) = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    slicer.util.updateVolumeFromArray(volume, slicer.util.arrayFromVolume(volume) + 1)
    page.bench.wait_until(lambda: "The image has changed" in page.states()["one"])


def test_a_segmentation_without_any_class_is_not_called_learned(page, scans, slicer):
    segmentation(slicer, scans[1], "other", RV=slice(4, 8))
    page.bench.wait_until(lambda: "no class is called so: RV" in tip(page, "scan1"))
    assert page.states()["scan1"] == "Partly annotated (3 of 8 slices)"
    assert page.ui.classesButton.text == "New class: RV"
    page.bench.click(page.ui.classesButton)
    assert page.states()["scan1"] == "Annotated\nDrawn in 2 segmentations, learned as one: scan1 drawn, other."


def test_slices_are_counted_as_the_data_set_of_the_label_values_is_sliced(page, slicer, tmp_path):
    """MMWHS is fine-tuned on by axial slices, also where another direction is thicker."""
    from PCLLib.finetune_beginning import axis_for
    from PCLLib.segment_classes import SegmentClass, class_list
    from PCLLib.training_set import write_training_set

    matrix = slicer.util.vtkMatrixFromArray(np.diag([-4.0, -1.0, 1.0, 1.0]))
    volume = slicer.util.addVolumeFromArray(block(0, (16, 32, 24)), ijkToRAS=matrix, name="heart")
    draw(slicer, volume, slice(4, 7), ("left ventricle",))
    page.parameters.classes = class_list((SegmentClass(500, "left ventricle", (0.9, 0.3, 0.0)),))
    page.bench.wait_until(lambda: [case.annotated for case in page.panel.desk.cases] == [True])
    desk = page.panel.desk
    desk.read()
    assert desk.cases[0].counted == (4, 5, 6)
    axis = axis_for(desk.settings, desk.classes)
    found = write_training_set(tmp_path, desk.to_learn_from, desk.classes, axis)
    assert found.layout == "mmwhs"
    assert list(json.loads((tmp_path / "annotated_slices.json").read_text()).values()) == [[4, 5, 6]]
