"""A folder is segmented into label files, with a log."""

from __future__ import annotations

import numpy as np
import pytest

from Testing.PCLSegmentation.conftest import SHAPE
from Testing.PCLSegmentation.results import scan


def test_a_folder_is_segmented_into_label_files_and_gone_on_with(ready, tmp_path, slicer):
    from pcl_core.volumes.writing import write_volume
    from PCLLib.volume_nodes import geometry_of
    from Testing.PCLSegmentation.conftest import block

    grid = geometry_of(scan(slicer))
    for seed in range(2):
        write_volume(tmp_path / "in" / f"case{seed}.nrrd", block(seed), grid)

    def run():
        ready.bench.answer_file(tmp_path / "in")
        ready.bench.answer_file(tmp_path / "out")
        ready.bench.click(ready.ui.segmentFolderButton)
        ready.wait("FOLDER")
        ready.wait("IDLE")

    (tmp_path / "out").mkdir()
    run()
    assert "2 volumes are segmented." in ready.message
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["case0_seg.nrrd", "case1_seg.nrrd", "segmented.jsonl"]
    write_volume(tmp_path / "in" / "case2.nrrd", block(2), grid)
    run()
    assert "1 volume is segmented, 2 were done before." in ready.message


@pytest.mark.slow
@pytest.mark.ci_slow
def test_label_files_that_people_made_or_corrected_stay_when_a_folder_is_segmented(ready, tmp_path, slicer, blind_model):
    from pcl_core.volumes.writing import write_volume
    from PCLLib.volume_nodes import geometry_of
    from Testing.PCLSegmentation.conftest import block

    grid = geometry_of(scan(slicer))
    folder = tmp_path / "scans"
    for seed in range(2):
        write_volume(folder / f"case{seed}.nrrd", block(seed), grid)
    manual = np.zeros(SHAPE, np.uint8)
    manual[0, 0:2, 0:2] = 7
    write_volume(folder / "case0_seg.nrrd", manual, grid)
    before = (folder / "case0_seg.nrrd").read_bytes()

    def run():
        ready.bench.answer_file(folder)
        ready.bench.answer_file(folder)
        ready.bench.click(ready.ui.segmentFolderButton)
        ready.wait("FOLDER")
        ready.wait("IDLE")

    run()
    said = "1 label file was there before, or changed by hand, and left as it was: case0_seg.nrrd."
    assert f"1 volume is segmented. {said}" in ready.message
    assert "choose another folder for the label files" in ready.message
    assert (folder / "case0_seg.nrrd").read_bytes() == before
    write_volume(folder / "case1_seg.nrrd", manual, grid)
    ready.parameters.model = str(blind_model)
    run()
    assert "0 volumes are segmented. 2 label files were there before" in ready.message
    assert (folder / "case1_seg.nrrd").read_bytes() == before
