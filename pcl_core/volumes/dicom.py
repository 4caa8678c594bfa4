"""DICOM series, through SimpleITK (GDCM): the slice files of a folder become sources, series by series.

Slices are sorted by where they lie along their common normal. What is stored several times at every position (the phases of a
heart, echoes, contrasts) becomes frames. Coordinates are LPS already.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pcl_core.volumes.formats import NotReadableError, checked_geometry, frame_id, refuse_vectors, stem_of
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.itk import dtype_of, header_geometry, header_reader
from pcl_core.volumes.simple_itk import simple_itk
from pcl_core.volumes.volume import Unreadable, VolumeSource

_SUFFIXES = (".dcm", ".dicom", ".ima")
_SERIES, _NUMBER, _DESCRIPTION = "0020|000e", "0020|0011", "0008|103e"
_PATIENT, _MODALITY, _POSITION = "0010|0020", "0008|0060", "0020|0032"
_THICKNESS = "0018|0050"
_SLOPE, _INTERCEPT = "0028|1053", "0028|1052"
# What tells repetitions of one position apart, in this order: temporal position, trigger time, acquisition, instance.
_MOMENTS = ("0020|0100", "0018|1060", "0020|0012", "0020|0013")
# Slices belong together when their axes differ by no more; positions are the same when they differ by fewer mm.
_SAME_DIRECTION = 1e-2
_SAME_POSITION = 1e-2
# Gaps between slices count as equal within 1 % and this many mm (positions are stored as rounded text).
_SAME_GAP_MM = 2e-2
_EXPORT = "Export the series again."


@dataclass(frozen=True)
class _Slice:
    """The header of one file; ``placed`` says whether it tells where the slice lies."""

    path: Path
    geometry: Geometry
    tags: dict[str, str]
    dtype: str
    placed: bool

    @property
    def moment(self) -> tuple[float, ...]:
        return tuple(_number(self.tags[tag]) for tag in _MOMENTS)


def looks_like_dicom(path: Path) -> bool:
    """Whether a file is named like DICOM or has its mark at byte 128; an index (DICOMDIR) is not meant."""
    if path.name.upper() == "DICOMDIR":
        return False
    if path.suffix.lower() in _SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def dicom_sources(files: Sequence[Path], base: str) -> tuple[list[VolumeSource], list[Unreadable]]:
    """Reads the headers of the DICOM files of one folder.

    Args:
        files: the files.
        base: the folder's name, which becomes the id; several series get their description or number behind it.

    Returns:
        one source a series, orientation and size, with one a frame where positions repeat, and one for each multi-frame
        file; and the files that are no images.
    """
    slices: list[_Slice] = []
    unreadable: list[Unreadable] = []
    for path in files:
        try:
            slices.append(_read_header(path))
        except NotReadableError as error:
            unreadable.append(error.as_unreadable())
    volumes = [one for one in slices if one.geometry.size[2] > 1]
    groups = _groups([one for one in slices if one.geometry.size[2] == 1])
    sources: list[VolumeSource] = []
    for group in [[one] for one in volumes] + groups:
        label = re.sub(r"[^\w.+-]+", "_", group[0].tags[_DESCRIPTION] or group[0].tags[_NUMBER]).strip("_")
        name = f"{base}_{label}" if len(groups) > 1 and label else base
        try:
            sources += _series(group, name) if group[0].geometry.size[2] == 1 else _multi_frame(group[0])
        except NotReadableError as error:
            unreadable.append(error.as_unreadable())
    return sources, unreadable


def read_dicom(source: VolumeSource) -> np.ndarray:
    """Reads the voxels (z, y, x) of a series or of a multi-frame file, rescaled to their real values.

    Returns:
        the stored integers where no file has a rescale slope or intercept, else 32-bit floats.

    Raises:
        NotReadableError: a file is missing, has changed, is cut short, or is packed in a way that GDCM cannot unpack.
    """
    planes = []
    depth = source.geometry.size[2] // len(source.files)
    for path in source.files:
        reader = header_reader(path, "dicom")
        if reader.GetSize()[:3] != (*source.geometry.size[:2], depth):
            raise NotReadableError(path, "it has changed since its header was read", "Start again.")
        planes.append(_pixels(reader, path))
    return np.concatenate([plane.astype(source.dtype, copy=False) for plane in planes])


def _pixels(reader: Any, path: Path) -> np.ndarray:
    sitk = simple_itk()
    try:
        return np.asarray(sitk.GetArrayFromImage(reader.Execute()))
    except RuntimeError as error:
        raise NotReadableError(path, "its pixels are cut short, damaged, or compressed in an unknown way", _EXPORT) from error


def _read_header(path: Path) -> _Slice:
    reader = header_reader(path, "dicom")
    present = set(reader.GetMetaDataKeys())
    wanted = (_SERIES, _NUMBER, _DESCRIPTION, _PATIENT, _MODALITY, _POSITION, _THICKNESS, _SLOPE, _INTERCEPT, *_MOMENTS)
    tags = {tag: reader.GetMetaData(tag).strip("\0 ") if tag in present else "" for tag in wanted}
    if tags[_MODALITY] in ("SEG", "RTSTRUCT", "RTDOSE", "SR", "PR"):
        raise NotReadableError(path, f"it is a DICOM object of kind {tags[_MODALITY]}, not an image", "Leave it out.")
    dtype = dtype_of(reader)
    if dtype is None or len(reader.GetSize()) != 3:
        raise refuse_vectors(path)
    geometry = header_geometry(reader)
    scaled = _number(tags[_SLOPE] or "1") != 1 or _number(tags[_INTERCEPT]) != 0
    return _Slice(path, geometry, tags, "float32" if scaled or dtype == "float64" else dtype, bool(tags[_POSITION]))


def _groups(slices: list[_Slice]) -> list[list[_Slice]]:
    """Slices that belong to one volume: same series, size, pixel spacing and orientation; in order of first appearance."""
    groups: list[list[_Slice]] = []
    for one in slices:
        for group in groups:
            if _together(group[0], one):
                group.append(one)
                break
        else:
            groups.append([one])
    return groups


def _together(first: _Slice, second: _Slice) -> bool:
    return (
        first.tags[_SERIES] == second.tags[_SERIES]
        and first.geometry.size == second.geometry.size
        and first.placed == second.placed
        and bool(np.allclose(first.geometry.spacing[:2], second.geometry.spacing[:2], rtol=1e-3))
        and bool(np.allclose(first.geometry.direction, second.geometry.direction, atol=_SAME_DIRECTION))
    )


def _series(group: list[_Slice], base: str) -> list[VolumeSource]:
    """The source of each frame of a group of slices."""
    notes: list[str] = []
    stacks = _stacks(group)
    repeats = [len(stack) for stack in stacks]
    frames = min(repeats)
    if max(repeats) > frames:
        notes.append(f"Some slice positions are stored {max(repeats)} times, others {frames}; {frames} of each are used.")
    first = stacks[0][0]
    spacing, more = _distance(stacks)
    geometry, checked = checked_geometry(
        first.path.parent,
        replace(
            first.geometry,
            size=(*first.geometry.size[:2], len(stacks)),
            spacing=(*first.geometry.spacing[:2], spacing),
        ),
    )
    dtypes = {one.dtype for one in group}
    dtype = dtypes.pop() if len(dtypes) == 1 else "float32"
    return [
        VolumeSource(
            id=frame_id(base, k, frames) if frames > 1 else base,
            files=tuple(stack[k].path for stack in stacks),
            format="dicom",
            geometry=geometry,
            dtype=dtype,
            patient=first.tags[_PATIENT],
            frame=k if frames > 1 else None,
            notes=(*notes, *more, *checked),
        )
        for k in range(frames)
    ]


def _stacks(group: list[_Slice]) -> list[list[_Slice]]:
    """The slices of each position, in order of position; at one position in order of time."""
    if not group[0].placed:
        return [[one] for one in sorted(group, key=lambda one: (one.moment[-1], one.path.name))]
    stacks: list[list[_Slice]] = []
    last = -np.inf
    for position, one in sorted(zip(_positions(group), group, strict=True), key=lambda pair: pair[0]):
        if position - last > _SAME_POSITION:
            stacks.append([])
            last = position
        stacks[-1].append(one)
    return [sorted(stack, key=lambda one: (*one.moment, one.path.name)) for stack in stacks]


def _positions(group: list[_Slice]) -> list[float]:
    """Where the slices lie along the normal of the first, in mm."""
    normal = group[0].geometry.matrix[:, 2]
    return [float(np.dot(normal, one.geometry.origin)) for one in group]


def _distance(stacks: list[list[_Slice]]) -> tuple[float, list[str]]:
    """The mean distance between slices in mm, and what is doubtful about it."""
    first, last = stacks[0][0], stacks[-1][0]
    thickness = _number(first.tags[_THICKNESS]) or first.geometry.spacing[2]
    if not first.placed:
        return thickness, ["Its header does not say where the slices lie; they are taken in the order of their numbers."]
    if len(stacks) == 1:
        return thickness, []
    notes = []
    gaps = np.diff(_positions([stack[0] for stack in stacks]))
    mean = float(gaps.mean())
    if gaps.max() - gaps.min() > _SAME_GAP_MM + 0.01 * mean:
        notes.append(f"Its slices are {gaps.min():.3g} to {gaps.max():.3g} mm apart; is a slice missing?")
    way = np.subtract(last.geometry.origin, first.geometry.origin)
    normal = first.geometry.matrix[:, 2]
    aside = float(np.linalg.norm(way - normal * np.dot(normal, way)))
    if aside > 0.01 * float(np.linalg.norm(way)):
        notes.append(f"Its slices are shifted sideways by {aside:.3g} mm from first to last (a tilted gantry?).")
    return mean, notes


def _multi_frame(one: _Slice) -> list[VolumeSource]:
    """The source of a file that holds a whole volume."""
    geometry, notes = checked_geometry(one.path, one.geometry)
    base = stem_of(one.path)
    return [VolumeSource(base, (one.path,), "dicom", geometry, one.dtype, one.tags[_PATIENT], None, notes)]


def _number(text: str) -> float:
    """A number of a DICOM header; what is missing or no number counts as 0."""
    try:
        return float(text.split("\\", maxsplit=1)[0])
    except ValueError:
        return 0.0
