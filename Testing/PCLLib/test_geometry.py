"""Volumes and segments go to the engine's files and back exactly on their grid: point by point, on real MRML nodes."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (its own usual name)

SHAPE = (9, 26, 34)  # z, y, x


def turned(a: float, b: float, c: float) -> np.ndarray:
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_x @ about_y @ about_z


# RAS directions (columns are the stored axes) and spacing in mm.
GRIDS = {
    "isotropic": (np.eye(3), (1.0, 1.0, 1.0)),
    "as scanners store": (np.diag([-1.0, -1.0, 1.0]), (0.7, 0.7, 3.0)),
    "anisotropic": (np.diag([-1.0, -1.0, 1.0]), (0.31, 1.9, 8.5)),
    "oblique": (turned(0.4, -0.7, 1.1), (1.2, 0.8, 4.0)),
    "flipped": (np.diag([1.0, -1.0, 1.0]), (1.0, 2.0, 3.0)),
    "flipped and oblique": (turned(0.3, 0.2, -0.5) @ np.diag([1.0, 1.0, -1.0]), (1.5, 0.9, 5.0)),
    "sagittal": (np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]), (0.9, 0.9, 4.4)),
}


def matrix_of(direction: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = direction * np.asarray(spacing)
    affine[:3, 3] = (-37.25, 81.5, -12.75)
    return affine


def make_volume(slicer, affine: np.ndarray, shape=SHAPE, name="scan"):
    voxels = np.random.default_rng(5).integers(-100, 900, shape).astype(np.int16)
    matrix = slicer.util.vtkMatrixFromArray(affine)
    return slicer.util.addVolumeFromArray(voxels, ijkToRAS=matrix, name=name)


def blob(shape, centre, radius) -> np.ndarray:
    """A lopsided solid, so that no flip and no permutation maps it on itself."""
    z, y, x = np.indices(shape)
    mask = ((z - centre[0]) / 2.2) ** 2 + ((y - centre[1]) / radius) ** 2 + ((x - centre[2]) / (radius + 3)) ** 2 < 1
    mask[centre[0], centre[1] :, centre[2] : centre[2] + 4] |= (
        y[centre[0], centre[1] :, centre[2] : centre[2] + 4] < centre[1] + 9
    )
    return mask


def draw(slicer, volume, masks: dict[str, np.ndarray]):
    """A segmentation with a segment a mask, as the Segment Editor makes it: on the volume's grid, cropped to what is drawn."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    for name, mask in masks.items():
        segment = node.GetSegmentation().AddEmptySegment(name, name, [1.0, 0.5, 0.0])
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), node, segment, volume)
    return node


def centroid_in_scene(slicer, node, segment_id) -> np.ndarray:
    """RAS mm, from the image that Slicer keeps of the segment, and its transform."""
    image = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(segment_id, image)
    slicer.vtkSlicerSegmentationsModuleLogic.ApplyParentTransformToOrientedImageData(node, image)
    extent = image.GetExtent()
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    shape = (extent[5] - extent[4] + 1, extent[3] - extent[2] + 1, extent[1] - extent[0] + 1)
    voxels = np.argwhere(vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape) > 0)[:, ::-1]
    ijk = voxels.mean(axis=0) + np.array([extent[0], extent[2], extent[4]])
    return (slicer.util.arrayFromVTKMatrix(matrix) @ [*ijk, 1])[:3]


def centroid_in_file(path, value: int) -> np.ndarray:
    """RAS mm, as ITK measures it."""
    statistics = sitk.LabelShapeStatisticsImageFilter()
    statistics.Execute(sitk.ReadImage(str(path), sitk.sitkUInt8))
    return np.array(statistics.GetCentroid(value)) * (-1, -1, 1)


def to_engine_and_back(slicer, tmp_path, volume, node, names):
    """Writes the engine's files, reads them as the engine does, and makes a segmentation of them."""
    from pcl_core.volumes.discovery import find_volumes
    from pcl_core.volumes.reading import read_labels, read_volume
    from pcl_core.volumes.writing import write_volume
    from PCLLib.segment_classes import SegmentClass
    from PCLLib.segment_nodes import labels_of, new_segmentation
    from PCLLib.volume_nodes import geometry_of, write_volume_node

    classes = [SegmentClass(number, name, (0.1 * number, 0.5, 0.5)) for number, name in enumerate(names, 1)]
    labels, overlapping = labels_of(node, volume, {entry.name: entry.value for entry in classes})
    write_volume_node(volume, tmp_path / "images" / "case.nrrd")
    write_volume(tmp_path / "labels" / "case.nrrd", labels, geometry_of(volume))
    (image,) = find_volumes(tmp_path / "images").sources
    (source,) = find_volumes(tmp_path / "labels").sources
    assert np.array_equal(read_volume(image).voxels, slicer.util.arrayFromVolume(volume))
    back = new_segmentation("back", volume, read_labels(source, image), classes)
    return back, overlapping


def require_same_place(slicer, tmp_path, volume, node, back, mask):
    """The first segment has the same voxels, and the same centre within half a voxel in scene and file."""
    from PCLLib.segment_nodes import mask_of

    first = back.GetSegmentation().GetNthSegmentID(0)
    assert np.array_equal(mask_of(back, first, volume), mask)
    drawn, returned = centroid_in_scene(slicer, node, "lv"), centroid_in_scene(slicer, back, first)
    half = 0.5 * min(volume.GetSpacing())
    assert np.linalg.norm(drawn - returned) < half
    if volume.GetTransformNodeID() is None:
        assert np.linalg.norm(drawn - centroid_in_file(tmp_path / "labels" / "case.nrrd", 1)) < half


@pytest.mark.parametrize("grid", GRIDS)
def test_a_segment_comes_back_voxel_for_voxel(bench, slicer, tmp_path, grid):
    volume = make_volume(slicer, matrix_of(*GRIDS[grid]))
    mask = blob(SHAPE, (3, 9, 12), 6)
    node = draw(slicer, volume, {"lv": mask})
    back, overlapping = to_engine_and_back(slicer, tmp_path, volume, node, ["lv"])
    assert overlapping == 0
    require_same_place(slicer, tmp_path, volume, node, back, mask)


@pytest.mark.parametrize("grid", GRIDS)
def test_a_grid_is_the_same_in_scene_and_file(bench, slicer, tmp_path, grid):
    from pcl_core.volumes.discovery import find_volumes
    from pcl_core.volumes.geometry import canonical_view
    from PCLLib.volume_nodes import geometry_of, ijk_to_ras, write_volume_node

    affine = matrix_of(*GRIDS[grid])
    volume = make_volume(slicer, affine)
    assert np.allclose(slicer.util.arrayFromVTKMatrix(ijk_to_ras(geometry_of(volume))), affine, atol=1e-9)
    write_volume_node(volume, tmp_path / "case.nrrd")
    (source,) = find_volumes(tmp_path / "case.nrrd").sources
    assert not source.geometry.differs_from(geometry_of(volume), 1e-6)
    # Slicer turns the slices of a left-handed file round when it loads it; the anatomy lies where it lay.
    loaded = slicer.util.loadVolume(str(tmp_path / "case.nrrd"))
    views = [canonical_view(geometry_of(one)).apply(slicer.util.arrayFromVolume(one)) for one in (volume, loaded)]
    assert np.array_equal(*views)


def test_a_segment_under_a_hardened_transform_comes_back(bench, slicer, tmp_path):
    volume = make_volume(slicer, matrix_of(*GRIDS["as scanners store"]))
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turned(0.2, 0.5, -0.3), (12.0, -7.0, 33.0)
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(affine))
    mask = blob(SHAPE, (4, 12, 15), 5)
    node = draw(slicer, volume, {"lv": mask})
    for one in (volume, node):
        one.SetAndObserveTransformNodeID(transform.GetID())
        assert one.HardenTransform()
    back, _ = to_engine_and_back(slicer, tmp_path, volume, node, ["lv"])
    require_same_place(slicer, tmp_path, volume, node, back, mask)


def test_a_volume_under_a_transform_takes_its_segmentation_along(bench, slicer, tmp_path):
    volume = make_volume(slicer, matrix_of(*GRIDS["oblique"]))
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turned(0.1, 0.2, 0.3), (5.0, 6.0, 7.0)
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(affine))
    volume.SetAndObserveTransformNodeID(transform.GetID())
    mask = blob(SHAPE, (4, 12, 15), 5)
    node = draw(slicer, volume, {"lv": mask})
    back, _ = to_engine_and_back(slicer, tmp_path, volume, node, ["lv"])
    assert back.GetTransformNodeID() == transform.GetID()
    require_same_place(slicer, tmp_path, volume, node, back, mask)


def test_a_segment_without_the_transform_of_its_volume_is_taken_where_it_lies(bench, slicer):
    from PCLLib.segment_nodes import mask_of

    volume = make_volume(slicer, matrix_of(*GRIDS["isotropic"]))
    mask = blob(SHAPE, (4, 12, 15), 5)
    node = draw(slicer, volume, {"lv": mask})
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    affine = np.eye(4)
    affine[0, 3] = 4.0  # the volume goes four voxels to the right, the segment stays
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(affine))
    volume.SetAndObserveTransformNodeID(transform.GetID())
    assert np.array_equal(mask_of(node, "lv", volume), np.roll(mask, -4, axis=2))


def test_a_segment_of_a_cropped_volume_comes_back_on_the_crop(bench, slicer, tmp_path):
    affine = matrix_of(*GRIDS["oblique"])
    whole = make_volume(slicer, affine)
    mask = blob(SHAPE, (3, 9, 12), 6)
    node = draw(slicer, whole, {"lv": mask})
    part = affine.copy()
    part[:3, 3] = (affine @ [4, 3, 2, 1])[:3]
    volume = make_volume(slicer, part, (6, 20, 25), "crop")
    back, _ = to_engine_and_back(slicer, tmp_path, volume, node, ["lv"])
    cropped = mask[2:8, 3:23, 4:29]
    first = back.GetSegmentation().GetNthSegmentID(0)
    from PCLLib.segment_nodes import mask_of

    assert 0 < cropped.sum() < mask.sum()
    assert np.array_equal(mask_of(back, first, volume), cropped)


def test_segments_of_a_finer_grid_are_resampled_where_they_lie(bench, slicer):
    from PCLLib.segment_nodes import mask_of

    affine = matrix_of(*GRIDS["flipped and oblique"])
    fine = make_volume(slicer, affine, (18, 52, 68), "fine")
    mask = np.zeros((18, 52, 68), bool)
    mask[4:12, 10:30, 20:52] = True
    node = draw(slicer, fine, {"lv": mask})
    coarse = affine.copy()
    coarse[:3, :3] *= 2
    coarse[:3, 3] = (affine @ [0.5, 0.5, 0.5, 1])[:3]
    volume = make_volume(slicer, coarse, (9, 26, 34), "coarse")
    assert np.array_equal(mask_of(node, "lv", volume), mask[::2, ::2, ::2])


def test_of_overlapping_segments_the_later_one_has_the_last_word_and_the_overlap_is_counted(bench, slicer):
    from PCLLib.segment_nodes import labels_of

    volume = make_volume(slicer, matrix_of(*GRIDS["oblique"]))
    first, second = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    first[2:6, 5:15, 5:20] = True
    second[4:8, 10:20, 10:25] = True
    node = draw(slicer, volume, {"lv": first, "rv": second})
    labels, overlapping = labels_of(node, volume, {"lv": 1, "rv": 2})
    assert np.array_equal(labels == 2, second)
    assert np.array_equal(labels == 1, first & ~second)
    assert overlapping == (first & second).sum() > 0


def test_segments_that_are_no_class_and_empty_ones_leave_no_label(bench, slicer):
    from PCLLib.segment_nodes import labels_of

    volume = make_volume(slicer, matrix_of(*GRIDS["isotropic"]))
    node = draw(slicer, volume, {"lv": blob(SHAPE, (3, 9, 12), 6), "note": np.ones(SHAPE, bool)})
    node.GetSegmentation().AddEmptySegment("empty", "empty")
    labels, overlapping = labels_of(node, volume, {"lv": 1, "empty": 3})
    assert (set(np.unique(labels)), overlapping) == ({0, 1}, 0)


def test_a_new_segmentation_has_what_dicom_export_needs(bench, slicer):
    from PCLLib.segment_classes import SegmentClass
    from PCLLib.segment_nodes import new_segmentation, segments_of

    tag = "Segmentation category and type~SCT^91723000^Anatomical Structure~SCT^87878005^Left ventricle~^^~~^^~^^"
    volume = make_volume(slicer, matrix_of(*GRIDS["oblique"]))
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.CreateItem(study, volume)  # in the application a new volume has one
    node = new_segmentation("scan segmentation", volume, np.ones(SHAPE, np.uint8), [SegmentClass(1, "LV", (0, 1, 0), tag)])
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is volume
    assert node.GetSegmentation().GetSourceRepresentationName() == "Binary labelmap"
    (segment,) = segments_of(node)
    assert (segment.name, segment.color, segment.terminology) == ("LV", (0.0, 1.0, 0.0), tag)
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == study


def test_a_colour_image_is_refused_in_words(bench, slicer):
    from PCLLib.volume_nodes import NotAVolumeError, geometry_of

    node = slicer.util.addVolumeFromArray(
        np.zeros((2, 5, 5, 3), np.uint8), nodeClassName="vtkMRMLVectorVolumeNode", name="photo"
    )
    with pytest.raises(NotAVolumeError, match="photo has several numbers a voxel"):
        geometry_of(node)


def test_label_values_above_a_byte_come_back_voxel_for_voxel(bench, slicer):
    from PCLLib.segment_classes import SegmentClass
    from PCLLib.segment_nodes import labels_of, mask_of, new_segmentation

    volume = make_volume(slicer, matrix_of(*next(iter(GRIDS.values()))))
    labels = np.zeros(slicer.util.arrayFromVolume(volume).shape, np.uint16)
    labels[:2, 2:6, 2:6], labels[2:, 2:6, 2:6] = 205, 420
    node = new_segmentation("p", volume, labels, [SegmentClass(205, "LV", (1, 0, 0)), SegmentClass(420, "RA", (0, 1, 0))])
    assert np.array_equal(mask_of(node, "Segment_205", volume), labels == 205)
    assert np.array_equal(mask_of(node, "Segment_420", volume), labels == 420)
    back, overlapping = labels_of(node, volume, {"Segment_205": 205, "Segment_420": 420})
    assert np.array_equal(back, labels)
    assert overlapping == 0
