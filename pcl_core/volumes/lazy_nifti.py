"""NIfTI as far as nibabel is there: 3D Slicer brings the packages for all other formats, but not this one."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np

from pcl_core.volumes.formats import NotReadableError
from pcl_core.volumes.volume import VolumeSource


def nifti_sources(path: Path) -> list[VolumeSource]:
    """``nifti.nifti_sources``. Raises NotReadableError, also when nibabel is missing."""
    sources: list[VolumeSource] = _nifti(path).nifti_sources(path)
    return sources


def read_nifti(source: VolumeSource) -> np.ndarray:
    """``nifti.read_nifti``. Raises NotReadableError, also when nibabel is missing."""
    voxels: np.ndarray = _nifti(source.path).read_nifti(source)
    return voxels


def nifti_part(source: VolumeSource, budget: int) -> np.ndarray:
    """``nifti.nifti_part``. Raises NotReadableError, also when nibabel is missing."""
    voxels: np.ndarray = _nifti(source.path).nifti_part(source, budget)
    return voxels


def is_packed(source: VolumeSource) -> bool:
    """``nifti.is_packed``. Raises NotReadableError when nibabel is missing."""
    packed: bool = _nifti(source.path).is_packed(source)
    return packed


def _nifti(path: Path) -> ModuleType:
    try:
        return importlib.import_module("pcl_core.volumes.nifti")
    except ModuleNotFoundError as error:
        reason = f"reading NIfTI takes the Python package {error.name}, which is not installed"
        raise NotReadableError(path, reason, f"Install {error.name}.") from error
