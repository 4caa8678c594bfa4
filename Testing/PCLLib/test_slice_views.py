"""Slices of the engine and slice views of Slicer are the same places, however a volume is stored: on real MRML nodes."""

from __future__ import annotations

import numpy as np
import pytest

from Testing.PCLLib.test_geometry import GRIDS, SHAPE, make_volume, matrix_of

ORIENTATIONS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}


@pytest.fixture(params=GRIDS)
def volume(request, bench, slicer):
    """A volume whose voxels hold the number of the engine's slice, shown in the slice views."""
    from pcl_core.volumes.geometry import canonical_view
    from PCLLib.volume_nodes import geometry_of

    node = make_volume(slicer, matrix_of(*GRIDS[request.param]))
    voxels = np.zeros(SHAPE, np.int16)
    slices = canonical_view(geometry_of(node), "auto").apply(voxels)
    slices[...] = np.arange(len(slices))[:, None, None]
    slicer.util.updateVolumeFromArray(node, voxels)
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    bench.host.process_events()
    return node


def centres_of(slicer, node):
    """RAS centre of every slice of the engine, from the voxels alone."""
    import vtk

    voxels = slicer.util.arrayFromVolume(node)
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    affine = slicer.util.arrayFromVTKMatrix(matrix)
    middles = [np.argwhere(voxels == number).mean(axis=0)[::-1] for number in range(voxels.max() + 1)]
    return [(affine @ [*middle, 1])[:3] for middle in middles]


def plane(view, slicer):
    matrix = slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())
    return matrix[:3, 3], matrix[:3, 2]


def test_the_line_of_slices_has_the_centres_that_the_voxels_have(volume, slicer):
    from PCLLib.slice_lines import line_of

    line = line_of(volume, "auto")
    for number, centre in enumerate(centres_of(slicer, volume)):
        np.testing.assert_allclose(line.centre(number), centre, atol=1e-6)


def test_a_jump_puts_the_view_into_the_slice_of_the_engine(volume, slicer):
    from PCLLib.slice_views import SliceViews

    views = SliceViews()
    for number in (0, 3, len(centres_of(slicer, volume)) - 1):
        assert views.jump(volume, number)
        centre = centres_of(slicer, volume)[number]
        inside = [view for view in slicer.util.getNodesByClass("vtkMRMLSliceNode") if lies_in(view, centre, volume, slicer)]
        assert len(inside) == 1, "one view shows the slice, edge to edge"


def lies_in(view, centre, node, slicer):
    """Whether a view's plane is that of the slice through a centre: all voxels of the slice lie in it."""
    from PCLLib.slice_lines import line_of

    origin, normal = plane(view, slicer)
    parallel = abs(normal @ line_of(node, "auto").normal) > 1 - 1e-9
    return parallel and abs((centre - origin) @ normal) < 1e-6


def test_moving_a_view_tells_the_slice_that_it_shows(volume, slicer):
    from PCLLib.slice_views import SliceViews

    views, told = SliceViews(), []
    views.moved.connect(lambda node, number: told.append((node, number)))
    views.start()
    views.jump(volume, 2)
    assert told == []  # a jump is no movement of a person
    centres = centres_of(slicer, volume)
    (view,) = [one for one in slicer.util.getNodesByClass("vtkMRMLSliceNode") if lies_in(one, centres[2], volume, slicer)]
    view.JumpSliceByOffsetting(*centres[5])
    assert set(told) == {(volume, 5)}
    views.stop()
    view.JumpSliceByOffsetting(*centres[1])
    assert set(told) == {(volume, 5)}


def test_a_view_of_a_layout_that_is_chosen_later_is_watched_too(bench, slicer):
    from PCLLib.slice_lines import line_of
    from PCLLib.slice_views import SliceViews

    node = make_volume(slicer, matrix_of(*GRIDS["as scanners store"]))
    views, told = SliceViews(), []
    views.moved.connect(lambda volume, number: told.append((volume, number)))
    views.start()
    layout = slicer.app.layoutManager()
    layout.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutThreeByThreeSliceView)
    bench.host.process_events()
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    added = [one for one in slicer.util.getNodesByClass("vtkMRMLSliceNode") if one.GetLayoutName() == "Slice4"]
    (view,) = [one for one in added if one.GetOrientationString() == "Axial"]
    told.clear()
    view.JumpSliceByOffsetting(*line_of(node, "auto").centre(3))
    assert set(told) == {(node, 3)}
    views.stop()
    view.JumpSliceByOffsetting(*line_of(node, "auto").centre(1))
    assert set(told) == {(node, 3)}
    layout.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)


def test_a_transform_moves_the_slices_along(bench, slicer):
    import vtk

    from PCLLib.slice_views import SliceViews

    node = make_volume(slicer, matrix_of(*GRIDS["as scanners store"]))
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    moved = vtk.vtkTransform()
    moved.Translate(0, 0, 100)
    transform.SetMatrixTransformToParent(moved.GetMatrix())
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    red = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed")
    SliceViews().jump(node, 2)
    before = red.GetSliceOffset()
    node.SetAndObserveTransformNodeID(transform.GetID())
    SliceViews().jump(node, 2)
    assert red.GetSliceOffset() == pytest.approx(before + 100)


def test_millimetres_are_the_offset_that_slicer_shows(bench, slicer):
    from PCLLib.slice_lines import line_of
    from PCLLib.slice_views import SliceViews

    for name in ("as scanners store", "flipped", "oblique", "flipped and oblique"):
        node = make_volume(slicer, matrix_of(*GRIDS[name]))
        slicer.util.setSliceViewerLayers(background=node, fit=True)
        SliceViews().jump(node, 4)
        line = line_of(node, "auto")
        offsets = [view.GetSliceOffset() for view in slicer.util.getNodesByClass("vtkMRMLSliceNode")]
        assert any(abs(offset - line.millimetres(4)) < 1e-6 for offset in offsets), (name, offsets, line.millimetres(4))


@pytest.mark.parametrize(
    ("axis", "letter", "color"), [("sagittal", "L", "Yellow"), ("coronal", "A", "Green"), ("axial", "S", "Red")]
)
@pytest.mark.parametrize("grid", ["as scanners store", "flipped"])
def test_the_letter_and_the_sign_of_millimetres_are_those_of_the_view(grid, axis, letter, color, bench, slicer):
    from PCLLib.slice_lines import line_of
    from PCLLib.slice_views import SliceViews

    node = make_volume(slicer, matrix_of(*GRIDS[grid]))
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    views = SliceViews()
    views.axis = axis
    views.jump(node, 4)
    line = line_of(node, axis)
    assert line.letter == letter
    offset = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{color}").GetSliceOffset()
    assert offset == pytest.approx(line.millimetres(4), abs=1e-6)


@pytest.mark.parametrize("name", [name for name in GRIDS if "oblique" in name])
def test_a_view_is_never_turned_to_the_other_side_however_it_was_turned_before(name, bench, slicer):
    import vtk

    from PCLLib.slice_lines import line_of
    from PCLLib.slice_views import SliceViews

    node = make_volume(slicer, matrix_of(*GRIDS[name]))
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    letter = line_of(node, "auto").letter
    color = {"S": "Red", "A": "Green", "L": "Yellow"}[letter]
    view = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{color}")
    usual = slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())[:3, :3].copy()
    for angles in ((0, 0, 0), (20, 0, 0), (0, 30, 10), (10, -30, 40)):
        view.SetOrientation(ORIENTATIONS[color])
        turn = vtk.vtkTransform()
        for turned_by, angle in zip((turn.RotateX, turn.RotateY, turn.RotateZ), angles, strict=True):
            turned_by(angle)
        vtk.vtkMatrix4x4.Multiply4x4(turn.GetMatrix(), view.GetSliceToRAS(), view.GetSliceToRAS())
        view.UpdateMatrices()
        SliceViews().jump(node, 1)
        found = slicer.util.getNodesByClass("vtkMRMLSliceNode")
        inside = [one for one in found if abs(plane(one, slicer)[1] @ line_of(node, "auto").normal) > 1 - 1e-9]
        assert inside
        if view in inside:
            now = slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())[:3, :3]
            np.testing.assert_allclose(now.T @ now, np.eye(3), atol=1e-9)
            assert all(now[:, k] @ usual[:, k] > 0 for k in range(3)), angles
            assert np.linalg.det(now) == pytest.approx(np.linalg.det(usual))
