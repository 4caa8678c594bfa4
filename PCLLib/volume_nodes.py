"""Volume nodes as the engine's files: voxels on their own grid, in the engine's coordinates.

A grid is taken in the coordinates of the node itself. A transform that the node stands under, and that is not hardened, is not
part of it: what comes back is put under the same transform.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.writing import write_volume

# MRML counts positions in RAS, the engine in LPS.
_FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])


class NotAVolumeError(Exception):
    """A node that cannot be segmented; the message says why in words."""


def geometry_of(volume: Any) -> Geometry:
    """The grid of a volume node.

    Raises:
        NotAVolumeError: it has no voxels, or several numbers a voxel.
    """
    image = volume.GetImageData()
    if image is None or 0 in image.GetDimensions():
        raise NotAVolumeError(_("{name} has no voxels.").format(name=volume.GetName()))
    if image.GetNumberOfScalarComponents() > 1:
        raise NotAVolumeError(_("{name} has several numbers a voxel, such as a colour image.").format(name=volume.GetName()))
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    affine = _FLIP @ slicer.util.arrayFromVTKMatrix(matrix)
    # The node's own spacing, not the columns' lengths: equal spacings stay equal to the last digit.
    spacing = volume.GetSpacing()
    direction = affine[:3, :3] / np.asarray(spacing)
    size = image.GetDimensions()
    return Geometry(
        size=(size[0], size[1], size[2]),
        spacing=(spacing[0], spacing[1], spacing[2]),
        origin=(float(affine[0, 3]), float(affine[1, 3]), float(affine[2, 3])),
        direction=tuple(float(value) + 0.0 for value in direction.ravel()),
    )


def write_volume_node(volume: Any, path: Path, compressed: bool = True) -> Geometry:
    """Writes the voxels of a volume node as a file for the engine.

    Returns:
        the grid.

    Raises:
        NotAVolumeError: it has no voxels, or several numbers a voxel.
        InputError: the file cannot be written.
    """
    geometry = geometry_of(volume)
    write_volume(path, slicer.util.arrayFromVolume(volume), geometry, compressed)
    return geometry


def ijk_to_ras(geometry: Geometry) -> vtk.vtkMatrix4x4:
    """The matrix that MRML has for a grid."""
    affine = np.eye(4)
    affine[:3, :3] = geometry.matrix * np.asarray(geometry.spacing)
    affine[:3, 3] = geometry.origin
    return slicer.util.vtkMatrixFromArray(_FLIP @ affine)
