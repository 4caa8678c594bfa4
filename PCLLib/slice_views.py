"""Slicer's slice views: which slice of a volume they show, moving them to one, and telling when somebody moves them."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk

from pcl_core.volumes.axes import Axis
from PCLLib.signals import Signal
from PCLLib.slice_lines import SliceLine, line_of
from PCLLib.volume_nodes import NotAVolumeError

# Of three views at right angles one is at least so nearly parallel to any slice.
_SAME_PLANE = 0.577
_AS_NEARLY = 1e-3
_PARALLEL = 1 - 1e-6
_ORIENTATIONS = {"L": "Sagittal", "A": "Coronal", "S": "Axial"}


class SliceViews:
    """The slice views of the layout.

    Signals:
        moved: a view shows this slice, from 0, of this volume node now.
    """

    def __init__(self) -> None:
        self.moved = Signal[[Any, int]]()
        self.axis: Axis = "auto"
        self._observed: list[tuple[Any, int]] = []  # views, and the scene
        self._moving = False

    def start(self) -> None:
        """Watches the views from now on, those of layouts that are chosen later too."""
        self.stop()
        scene = slicer.mrmlScene
        self._observed.append((scene, scene.AddObserver(scene.NodeAddedEvent, self._watch_new)))
        self._watch_new()

    def stop(self) -> None:
        """Watches no more."""
        for view, tag in self._observed:
            view.RemoveObserver(tag)
        self._observed = []

    def shown(self) -> list[Any]:
        """The volume nodes in the backgrounds of the views."""
        nodes = [_background(view) for view in slicer.util.getNodesByClass("vtkMRMLSliceNode")]
        return list(dict.fromkeys(node for node in nodes if node is not None))

    def jump(self, volume: Any, number: int) -> bool:
        """Moves the views that show a volume, in the plane of its slices, to one of them; turns them into an oblique one.

        Returns:
            whether there is such a view.
        """
        try:
            line = line_of(volume, self.axis)
        except NotAVolumeError:
            return False
        views = _views_of(volume, line)
        self._moving = True  # what follows is no movement of a person
        for view in views:
            turned = abs(_normal(view) @ line.normal) < _PARALLEL
            if turned:
                _turn(view, volume, line)
            if turned or _slice_in(view, line) != number:
                view.JumpSliceByOffsetting(*line.centre(number))
        self._moving = False
        return bool(views)

    def _watch_new(self, *_arguments: object) -> None:
        known = [view for view, _tag in self._observed]
        for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            if view not in known:
                self._observed.append((view, view.AddObserver(vtk.vtkCommand.ModifiedEvent, self._modified)))

    def _modified(self, view: Any, _event: str) -> None:
        volume = None if self._moving else _background(view)
        if volume is None:
            return
        try:
            line = line_of(volume, self.axis)
        except NotAVolumeError:
            return
        if view in _views_of(volume, line):
            self.moved.emit(volume, _slice_in(view, line))


def _background(view: Any) -> Any:
    """The volume node that a view shows; None when it shows none."""
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        if composite.GetLayoutName() == view.GetLayoutName():
            return slicer.mrmlScene.GetNodeByID(composite.GetBackgroundVolumeID() or "")
    return None


def _plane(view: Any) -> np.ndarray:
    matrix: np.ndarray = slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())
    return matrix


def _normal(view: Any) -> np.ndarray:
    normal = _plane(view)[:3, 2]
    unit: np.ndarray = normal / np.linalg.norm(normal)
    return unit


def _turn(view: Any, volume: Any, line: SliceLine) -> None:
    """Turns a view into the slices of a volume, seen from the side from which the application shows such slices.

    vtkMRMLSliceNode.RotateToVolumePlane goes by how the view is turned before, and may show the slices as in a mirror.
    """
    usual = _usual(view, line.letter)
    normal = line.normal if line.normal @ usual[:, 2] > 0 else -line.normal
    # A row of pixels stays a row of the view.
    rows = [axis - (axis @ normal) * normal for axis in _axes_of(volume)]
    across = max(rows, key=lambda axis: abs(float(axis @ usual[:, 0])))
    across = across / np.linalg.norm(across) * (1 if across @ usual[:, 0] > 0 else -1)
    up = np.cross(normal, across) * np.sign(np.linalg.det(usual))  # no mirror: some of the usual ones are left-handed
    matrix = _plane(view).copy()
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = across, up, normal
    view.GetSliceToRAS().DeepCopy(slicer.util.vtkMatrixFromArray(matrix))
    view.UpdateMatrices()


def _usual(view: Any, letter: str) -> np.ndarray:
    """(3, 3) directions to the right, up and through of a view of a plane, as the application is set: by columns."""
    preset = view.GetSliceOrientationPreset(_ORIENTATIONS[letter])
    if preset is None:
        return _plane(view)[:3, :3]
    return np.array([[preset.GetElement(row, column) for column in range(3)] for row in range(3)])


def _axes_of(volume: Any) -> list[np.ndarray]:
    """The three (3,) directions of a volume's stored axes in the scene."""
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    to_world = vtk.vtkMatrix4x4()
    parent = volume.GetParentTransformNode()
    if parent is not None and parent.IsTransformToWorldLinear():
        parent.GetMatrixTransformToWorld(to_world)
    axes = (slicer.util.arrayFromVTKMatrix(to_world) @ slicer.util.arrayFromVTKMatrix(matrix))[:3, :3]
    return [axes[:, k] / np.linalg.norm(axes[:, k]) for k in range(3)]


def _views_of(volume: Any, line: SliceLine) -> list[Any]:
    """The views that show a volume in the plane of its slices, or in that which comes nearest to it."""
    views = [view for view in slicer.util.getNodesByClass("vtkMRMLSliceNode") if _background(view) is volume]
    nearly = [abs(float(_normal(view) @ line.normal)) for view in views]
    limit = max(_SAME_PLANE, max(nearly, default=0.0) - _AS_NEARLY)
    return [view for view, one in zip(views, nearly, strict=True) if one >= limit]


def _slice_in(view: Any, line: SliceLine) -> int:
    """The slice that a view shows; the one whose centre is nearest to it when they are not parallel."""
    return line.nearest(_plane(view)[:3, 3], _normal(view))
