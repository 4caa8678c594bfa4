"""Label files become the annotation of the chosen case, or are refused in words."""

from __future__ import annotations

import numpy as np
import pytest

from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.writing import write_volume
from Testing.PCLSegmentation.conftest import SHAPE, block
from Testing.PCLSegmentation.folders import GRID, add_folder, cine, labels


@pytest.mark.parametrize(("frames", "said"), [(3, ""), (2, "holds the labels of 2 frames, but")], ids=["as many", "fewer"])
def test_a_label_file_of_frames_belongs_to_a_file_of_as_many_frames(page, tmp_path, frames, said):
    own = [np.roll(labels(), 6 * frame, axis=1) for frame in range(frames)]
    cine(tmp_path / "scans" / "cine.nii.gz", [block(seed) for seed in range(3)])
    add_folder(page, tmp_path / "scans")
    name = page.rows()[1][0]
    page.choose(name)
    page.bench.answer_file(cine(tmp_path / "mine.nii.gz", own))
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()[name] == "Annotated" or page.message != "")
    assert said in page.message
    assert bool(page.message) is bool(said)
    if not said:
        from PCLLib.segment_nodes import mask_of
        from PCLLib.segment_roles import annotation_of

        volume = page.panel.desk.volume
        assert np.array_equal(mask_of(annotation_of(volume), "Segment_1", volume), own[1] > 0)


def test_labels_of_frames_for_a_volume_of_the_scene_are_refused_in_words(page, scans, tmp_path):
    page.choose("scan2")
    page.bench.answer_file(cine(tmp_path / "mine.nii.gz", [labels(), labels()]))
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: "holds the labels of 2 frames; which belong to this volume is not known" in page.message)


@pytest.mark.parametrize("name", ["mine.nrrd", "mine.nii.gz", "mine_label.mha"])
def test_a_label_file_becomes_the_annotation_of_the_chosen_case(page, scans, tmp_path, name, slicer):
    volume = scans[2]
    from PCLLib.volume_nodes import geometry_of

    drawn = labels(1, slice(0, 4))
    write_volume(tmp_path / name, drawn, geometry_of(volume))
    page.choose("scan2")
    page.bench.answer_file(tmp_path / name)
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()["scan2"] == "Annotated")
    from PCLLib.segment_nodes import mask_of, segments_of
    from PCLLib.segment_roles import annotation_of

    (segment,) = segments_of(annotation_of(volume))
    assert segment.name == "block"
    assert np.array_equal(mask_of(annotation_of(volume), segment.id, volume), drawn > 0)


def test_a_mask_that_is_white_on_black_is_a_label_of_one_class(page, scans, tmp_path, slicer):
    """Most programs write masks as 0 and 255; elsewhere 255 is what nobody has annotated."""
    from PCLLib.segment_nodes import mask_of, segments_of
    from PCLLib.segment_roles import annotation_of
    from PCLLib.volume_nodes import geometry_of

    write_volume(tmp_path / "mask.nrrd", labels(255, slice(1, 6)), geometry_of(scans[2]))
    page.choose("scan2")
    page.bench.answer_file(tmp_path / "mask.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()["scan2"] == "Annotated")
    (segment,) = segments_of(annotation_of(scans[2]))
    assert segment.name == "block"
    assert np.array_equal(mask_of(annotation_of(scans[2]), segment.id, scans[2]), labels(1, slice(1, 6)) > 0)


def test_slices_of_nothing_but_255_are_no_mask(page, scans, tmp_path):
    from PCLLib.volume_nodes import geometry_of

    nothing = np.zeros(SHAPE, np.uint8)
    nothing[3:] = 255
    write_volume(tmp_path / "nothing.nrrd", nothing, geometry_of(scans[2]))
    page.choose("scan2")
    page.bench.answer_file(tmp_path / "nothing.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: "is empty" in page.message)
    assert page.states()["scan2"] == "Not annotated"


def test_a_label_that_is_no_class_is_told(page, scans, tmp_path):
    from PCLLib.volume_nodes import geometry_of

    write_volume(tmp_path / "mine.nrrd", labels(3), geometry_of(scans[2]))
    page.choose("scan2")
    page.bench.answer_file(tmp_path / "mine.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: "class 3 will not be learned: the classes are block." in page.message)
    assert page.states()["scan2"] == 'Drawn, but no class is called "class 3"'


def test_voxels_that_are_not_annotated_make_the_drawn_slices_count(page, scans, tmp_path):
    from PCLLib.volume_nodes import geometry_of

    partly = np.full(SHAPE, 255, np.uint8)
    partly[3:5] = labels()[3:5]
    write_volume(tmp_path / "mine.nrrd", partly, geometry_of(scans[2]))
    page.choose("scan2")
    page.bench.answer_file(tmp_path / "mine.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()["scan2"] == "Partly annotated (2 of 8 slices)")


@pytest.mark.parametrize(
    ("voxels", "origin", "said"),
    [
        (np.zeros(SHAPE, np.uint8), 0.0, "is empty"),
        (block(0), 0.0, "labels go from 0 to 254"),
        (labels(), 5000.0, "lies elsewhere in the patient"),
    ],
    ids=["empty", "an image", "elsewhere"],
)
def test_labels_that_cannot_be_used_are_refused_in_words(page, scans, tmp_path, voxels, origin, said):
    moved = Geometry(GRID.size, GRID.spacing, (origin, origin, origin), GRID.direction)
    voxels = voxels if voxels.max() < 250 else voxels + 200
    write_volume(tmp_path / "mine.nrrd", voxels, moved)
    page.choose("scan2")
    page.bench.answer_file(tmp_path / "mine.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: said in page.message)
    assert page.states()["scan2"] == "Not annotated"
