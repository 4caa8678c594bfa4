import json

import numpy as np
import pytest

from pcl_core.cli import main


@pytest.fixture
def report(tmp_path, volume, capfd):
    """Reads the report of what `make` writes into a folder."""

    def read(make):
        from PCLLib.scan_report import ScanReport

        folder = tmp_path / "data"
        folder.mkdir(exist_ok=True)
        make(folder)
        assert main(["scan", str(folder), "--json", str(tmp_path / "report.json"), "--events"]) == 0
        return ScanReport.read(tmp_path / "report.json")

    return read


def test_the_report_of_the_engine_is_read(report, volume):
    def make(folder):
        volume(folder / "good.nrrd")
        (folder / "bad.nrrd").write_bytes(b"no volume")

    found = report(make)
    (row,) = found.volumes
    assert (row.id, row.path, row.format, row.slices) == ("good", found.folder / "good.nrrd", "nrrd", 6)
    assert (row.size, row.spacing, row.plane) == ((24, 20, 6), (1.0, 1.0, 4.0), "axial")
    (bad,) = found.bad
    assert bad.path.name == "bad.nrrd"
    assert bad.reason


@pytest.mark.parametrize("permutation", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_a_row_has_the_grid_of_its_file_but_for_where_it_lies(report, permutation):
    import nibabel

    from pcl_core.volumes.discovery import find_volumes
    from pcl_core.volumes.geometry import canonical_view

    affine = np.eye(4)
    affine[:3, :3] = np.diag([-1.0, 2.0, -3.0])[:, permutation]
    voxels = np.random.default_rng(0).integers(0, 99, (8, 9, 10)).astype(np.int16)

    (row,) = report(lambda folder: nibabel.save(nibabel.Nifti1Image(voxels, affine), folder / "scan.nii")).volumes
    (source,) = find_volumes(row.path).sources
    assert (row.geometry.size, row.geometry.spacing) == (source.geometry.size, source.geometry.spacing)
    assert np.allclose(row.geometry.matrix, source.geometry.matrix)
    for axis in ("auto", "axial", "sagittal"):
        one, other = canonical_view(row.geometry, axis), canonical_view(source.geometry, axis)
        assert (one.shape, one.spacing, one.normal) == (other.shape, other.spacing, other.normal)
    low, high = row.intensity
    assert 0 <= low < high < 99


def test_volumes_that_are_left_out_are_named_by_their_paths(report, volume):
    found = report(lambda folder: [volume(folder / f"case{k}.nrrd", seed=k) for k in range(3)])
    assert [row.id for row in found.kept({"case1"})] == ["case0", "case2"]
    assert found.names_of({"case1"}) == [str(found.folder / "case1.nrrd")]


def test_a_frame_is_named_by_its_id_since_its_path_means_the_whole_file(report):
    import nibabel

    def make(folder):
        voxels = np.random.default_rng(0).integers(0, 99, (16, 16, 6, 2)).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.0, 1.0, 4.0, 1.0])), folder / "cine.nii")

    found = report(make)
    assert [row.frame for row in found.volumes] == [0, 1]
    assert found.names_of({found.volumes[1].id}) == [found.volumes[1].id]


def test_unknown_keys_of_a_later_engine_are_no_hindrance(report, volume, tmp_path):
    from PCLLib.scan_report import ScanReport

    report(lambda folder: volume(folder / "good.nrrd"))
    data = json.loads((tmp_path / "report.json").read_text())
    data["later"] = data["volumes"][0]["later"] = 1
    (tmp_path / "report.json").write_text(json.dumps(data))
    assert len(ScanReport.read(tmp_path / "report.json").volumes) == 1
