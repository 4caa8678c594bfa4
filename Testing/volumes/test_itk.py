from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pcl_core.volumes.formats import Format, NotReadableError
from pcl_core.volumes.itk import itk_sources, read_itk

KINDS: list[tuple[str, Format]] = [("a.nrrd", "nrrd"), ("a.nhdr", "nrrd"), ("a.mha", "metaimage"), ("a.mhd", "metaimage")]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_header_and_voxels_come_as_stored(itk, tmp_path: Path, voxels: np.ndarray, name: str, kind: Format) -> None:
    (source,) = itk_sources(itk(tmp_path / name), kind)
    assert (source.id, source.dtype, source.frame, source.notes) == ("a", "int16", None, ())
    assert source.geometry.size == (3, 4, 5)
    assert source.geometry.spacing == (1.0, 2.0, 4.0)
    assert source.geometry.origin == (5.0, 6.0, 7.0)
    read = read_itk(source)
    assert read.dtype == np.int16
    assert np.array_equal(read, voxels)


def test_doubles_become_32_bit_floats(itk, tmp_path: Path, voxels: np.ndarray) -> None:
    (source,) = itk_sources(itk(tmp_path / "a.nrrd", voxels / 3), "nrrd")
    assert read_itk(source).dtype == np.float32


@pytest.mark.parametrize(("name", "kind"), [KINDS[0], KINDS[2]])
def test_every_frame_of_a_4d_file_is_a_volume(itk, tmp_path: Path, voxels: np.ndarray, name: str, kind: Format) -> None:
    array = np.stack([voxels, voxels + 1])
    sources = itk_sources(itk(tmp_path / name, array), kind)
    assert [source.id for source in sources] == ["a_frame01", "a_frame02"]
    for k, source in enumerate(sources):
        assert source.geometry.size == (3, 4, 5)
        assert np.array_equal(read_itk(source), array[k])


def test_vectors_and_2d_images_are_refused_in_words(itk, tmp_path: Path, voxels: np.ndarray) -> None:
    with pytest.raises(NotReadableError, match="several numbers a voxel"):
        itk_sources(itk(tmp_path / "v.nrrd", np.stack([voxels] * 3, -1), vectors=True), "nrrd")
    with pytest.raises(NotReadableError, match="2-D image"):
        itk_sources(itk(tmp_path / "f.mha", voxels[0]), "metaimage")


@pytest.mark.parametrize(("name", "kind"), [KINDS[0], KINDS[2]])
def test_text_empty_and_missing_files_are_refused_in_words(tmp_path: Path, name: str, kind: Format) -> None:
    path = tmp_path / name
    with pytest.raises(NotReadableError, match="does not exist"):
        itk_sources(path, kind)
    path.write_bytes(b"")
    with pytest.raises(NotReadableError, match="it is empty"):
        itk_sources(path, kind)
    path.write_text("hello\n" * 100)
    with pytest.raises(NotReadableError, match=r"it is not a (NRRD|MetaImage) file"):
        itk_sources(path, kind)


@pytest.mark.parametrize(("name", "kind"), [KINDS[0], KINDS[2]])
def test_a_file_that_is_cut_short_is_refused_when_read(itk, tmp_path: Path, name: str, kind: Format) -> None:
    path = itk(tmp_path / name, np.random.default_rng(0).integers(0, 1000, (9, 30, 20)).astype(np.int16))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(NotReadableError, match="cut short or damaged"):
        read_itk(itk_sources(path, kind)[0])


def test_a_missing_voxel_file_is_refused_when_read(itk, tmp_path: Path) -> None:
    path = itk(tmp_path / "a.mhd", compress=False)
    (tmp_path / "a.raw").unlink()
    with pytest.raises(NotReadableError, match="a file that it refers to is missing"):
        read_itk(itk_sources(path, "metaimage")[0])


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha"])
def test_a_header_that_announces_more_than_the_file_can_hold_is_refused_at_once(itk, tmp_path: Path, name: str) -> None:
    path = itk(tmp_path / name)
    content = path.read_bytes()
    for old in (b"sizes: 3 4 5", b"DimSize = 3 4 5"):
        content = content.replace(old, old.replace(b"3 4 5", b"3000 4000 5000"))
    path.write_bytes(content)
    with pytest.raises(NotReadableError, match="too small for 3000 x 4000 x 5000 voxels"):
        itk_sources(path, "nrrd" if name.endswith("nrrd") else "metaimage")


@pytest.mark.parametrize(("name", "kind"), [KINDS[0], KINDS[2]])
def test_a_plain_file_that_is_cut_short_is_refused_from_its_size(itk, tmp_path: Path, name: str, kind: Format) -> None:
    path = itk(tmp_path / name, compress=False)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(NotReadableError, match="cut short"):
        itk_sources(path, kind)
