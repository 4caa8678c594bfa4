"""Labels that lie beside the volumes of a folder: which classes they are, and which frame they belong to."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pcl_core.volumes.writing import write_volume
from Testing.PCLSegmentation.conftest import block
from Testing.PCLSegmentation.folders import GRID, add_folder, cine, labels, training_set, two_labels


def test_each_frame_of_a_file_has_the_labels_of_its_own_frame(page, tmp_path):
    own = [np.roll(labels(), 6 * frame, axis=1) for frame in range(3)]
    cine(tmp_path / "scans" / "cine.nii.gz", [block(seed) for seed in range(3)])
    cine(tmp_path / "scans" / "cine_seg.nii.gz", own)
    add_folder(page, tmp_path / "scans")
    names = [name for name, _state in page.rows()]
    page.ui.caseTable.cellDoubleClicked(1, 0)
    from PCLLib.segment_nodes import mask_of, segments_of
    from PCLLib.segment_roles import annotation_of

    volume = page.panel.desk.volume
    (segment,) = segments_of(annotation_of(volume))
    assert np.array_equal(mask_of(annotation_of(volume), segment.id, volume), own[1] > 0)
    maps, _classes, _slices = training_set(page, tmp_path)
    for frame, name in enumerate(names):
        assert np.array_equal(maps[name], own[frame])


def decathlon(folder, names):
    """A case in the folders of the Decathlon, whose values 1 and 2 have names."""
    write_volume(folder / "imagesTr" / "case0.nii.gz", block(0), GRID)
    write_volume(folder / "labelsTr" / "case0.nii.gz", two_labels(), GRID)
    values = {"background": 0, **{name: value for value, name in enumerate(names, 1)}}
    (folder / "dataset.json").write_text(json.dumps({"labels": values, "channel_names": {"0": "CT"}, "file_ending": ".nii.gz"}))
    return folder


@pytest.mark.parametrize("opened", [False, True], ids=["not loaded", "opened"])
def test_labels_with_names_are_the_classes_of_these_names_whatever_their_values(page, new_volume, drawn, tmp_path, opened):
    drawn(new_volume("mine", 5), names=("liver", "spleen"))
    add_folder(page, decathlon(tmp_path / "scans", ("spleen", "liver")))
    page.bench.wait_until(lambda: page.states().get("mine") == "Annotated")
    if opened:
        page.ui.caseTable.cellDoubleClicked([name for name, _state in page.rows()].index("case0"), 0)
    maps, classes, _slices = training_set(page, tmp_path)
    assert classes == {1: "liver", 2: "spleen"}
    assert np.array_equal(maps["case0"], two_labels(2, 1))


def test_a_label_file_of_slicer_is_learned_by_the_names_of_its_segments(page, new_volume, drawn, tmp_path, slicer):
    folder = tmp_path / "scans"
    write_volume(folder / "case0.nrrd", block(0), GRID)
    volume = slicer.util.loadVolume(str(folder / "case0.nrrd"))
    assert slicer.util.saveNode(drawn(volume, slice(1, 3), names=("spleen",)), str(folder / "case0.seg.nrrd"))
    page.bench.close_scene()
    page.parameters = page.widget.logic.getParameterNode()
    drawn(new_volume("mine", 5), names=("liver", "spleen"))
    add_folder(page, folder)
    page.bench.wait_until(lambda: page.states().get("mine") == "Annotated")
    maps, classes, _slices = training_set(page, tmp_path)
    assert classes == {1: "liver", 2: "spleen"}
    assert np.array_equal(maps["case0"], labels(2, slice(1, 3)))


@pytest.mark.parametrize("kind", ["values", "names", "segments"])
def test_labels_that_are_no_class_stop_a_training_with_their_file(page, new_volume, drawn, tmp_path, slicer, kind):
    folder = tmp_path / "scans"
    if kind == "names":
        decathlon(folder, ("LV", "aorta"))
        said = ("case0.nii.gz", "none of the classes LV: 2 (aorta).")
    else:
        write_volume(folder / "case0.nrrd", block(0), GRID)
    if kind == "values":
        write_volume(folder / "case0_seg.nrrd", two_labels(), GRID)
        said = ("case0_seg.nrrd", "none of the classes LV: 2.")
    if kind == "segments":
        volume = slicer.util.loadVolume(str(folder / "case0.nrrd"))
        node = drawn(volume, names=("aorta",))
        node.GetSegmentation().AddEmptySegment("", "nothing")
        assert slicer.util.saveNode(node, str(folder / "case0.seg.nrrd"))
        page.bench.close_scene()
        page.parameters = page.widget.logic.getParameterNode()
        said = ("case0.seg.nrrd", "none of the classes LV: 1 (aorta).")
    drawn(new_volume("mine", 5), names=("LV",))
    add_folder(page, folder)
    page.bench.wait_until(lambda: page.states().get("mine") == "Annotated")
    page.small(tmp_path / "models")
    page.bench.click(page.ui.finetuneButton)
    page.wait("IDLE")
    assert all(part in page.message for part in said), page.message
    assert "nothing" not in page.message
    assert page.session.result is None


def test_values_without_names_stay_the_same_classes_when_a_case_is_opened(page, tmp_path):
    folder = tmp_path / "scans"
    for seed, drawn in enumerate((two_labels(1, 4), two_labels(4, 1), two_labels(1, 2))):
        write_volume(folder / f"case{seed}.nrrd", block(seed), GRID)
        write_volume(folder / f"case{seed}_seg.nrrd", drawn, GRID)
    add_folder(page, folder)
    page.ui.caseTable.cellDoubleClicked(0, 0)
    page.check("case2", False)
    assert [(one.value, one.name) for one in page.panel.desk.classes] == [(1, "class 1"), (4, "class 4")]
    maps, _classes, _slices = training_set(page, tmp_path)
    assert np.array_equal(maps["case0"], two_labels(1, 4))
    assert np.array_equal(maps["case1"], two_labels(4, 1))
    page.check("case2", True)
    page.small(tmp_path / "models")
    page.bench.click(page.ui.finetuneButton)
    page.wait("IDLE")
    assert "case2_seg.nrrd has labels that are none of the classes class 1, class 4: 2." in page.message


@pytest.mark.slow
@pytest.mark.ci_slow
def test_masks_of_a_folder_are_learned_from_without_opening_a_case(page, tmp_path):
    for seed in range(2):
        write_volume(tmp_path / "scans" / f"case{seed}.nrrd", block(seed), GRID)
        write_volume(tmp_path / "scans" / f"case{seed}_seg.nrrd", labels(255), GRID)
    add_folder(page, tmp_path / "scans")
    page.finetune(tmp_path / "models")
    assert page.message == ""
    assert [(one.value, one.name) for one in page.panel.desk.classes] == [(1, "class 1")]
