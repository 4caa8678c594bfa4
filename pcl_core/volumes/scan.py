"""The report of a folder of volumes, before anything is trained: headers, and a look at some voxels."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pcl_core.events import Reporter, plain
from pcl_core.volumes import checks
from pcl_core.volumes.axes import Axis
from pcl_core.volumes.cases import Cases, match
from pcl_core.volumes.data_sets import slice_axis
from pcl_core.volumes.discovery import gather
from pcl_core.volumes.formats import NotReadableError
from pcl_core.volumes.frames import copies_of_frames
from pcl_core.volumes.gaps import Gap, gaps_in_images
from pcl_core.volumes.geometry import CanonicalView, canonical_view
from pcl_core.volumes.reading import SAME_GRID
from pcl_core.volumes.sampling import Sample, sample
from pcl_core.volumes.volume import Unreadable, VolumeSource


@dataclass(frozen=True)
class Row:
    """What the report says of one volume.

    Attributes:
        source: with path, id, patient, frame, size, spacing and orientation.
        view: its canonical slices: spacing in mm and shape along (slice, row, column), and the slices' normal.
        intensity: smallest and largest of the sampled voxels; None when none could be sampled cheaply.
        labels: the label file that belongs to it.
        warnings: short sentences.
        labels_frame: which frame of a label file of several, from 0; None when it holds one.
    """

    source: VolumeSource
    view: CanonicalView
    intensity: tuple[float, float] | None
    labels: Path | None
    warnings: tuple[str, ...]
    labels_frame: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The row as plain values: lengths in mm; ``size`` and ``spacing`` along the stored axes x, y, z."""
        geometry, view = self.source.geometry, self.view
        return {
            "path": str(self.source.path),
            "id": self.source.id,
            "patient": self.source.patient,
            "frame": self.source.frame,
            "format": self.source.format,
            "size": list(geometry.size),
            "spacing": [round(value, 6) for value in geometry.spacing],
            "orientation": geometry.orientation(),
            "slice_axis": checks.PLANES[view.normal],
            "slice_normal": view.normal,
            "slices": view.shape[0],
            "in_plane_spacing": [round(value, 6) for value in view.spacing[1:]],
            "canonical_shape": list(view.shape),
            "canonical_spacing": [round(value, 6) for value in view.spacing],
            "intensity_range": plain(self.intensity),
            "labels": None if self.labels is None else str(self.labels),
            "labels_frame": self.labels_frame,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class ScanReport:
    """The report of an input.

    Attributes:
        inputs: what was scanned.
        layout: how its files are named.
        volumes: one row a volume, sorted by path.
        unreadable: files that cannot be used, and why.
        warnings: what concerns no single volume, with the path that it is about.
        missing_images: what the layout leads to expect of the images and is not there.
        missing_labels: likewise, for learning from labels; nothing when there are none at all.
    """

    inputs: Path
    layout: str
    volumes: tuple[Row, ...]
    unreadable: tuple[Unreadable, ...]
    warnings: tuple[tuple[Path, str], ...]
    missing_images: tuple[Gap, ...] = ()
    missing_labels: tuple[Gap, ...] = ()

    @property
    def sources(self) -> tuple[VolumeSource, ...]:
        """The volumes' sources."""
        return tuple(row.source for row in self.volumes)

    @property
    def ranges(self) -> list[tuple[float, float]]:
        """Smallest and largest sampled intensity of the volumes of which some were sampled."""
        return [row.intensity for row in self.volumes if row.intensity]

    def to_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "input": str(self.inputs),
            "layout": self.layout,
            "volumes": [row.to_json() for row in self.volumes],
            "unreadable": [{"path": str(one.path), "reason": one.reason} for one in self.unreadable],
            "warnings": [{"path": str(path), "message": message} for path, message in self.warnings],
            "missing": [asdict(gap) for gap in dict.fromkeys((*self.missing_images, *self.missing_labels))],
        }


def scan(
    inputs: Path, layout: str = "auto", axis: Axis = "auto", reporter: Reporter | None = None, thorough: bool = False
) -> ScanReport:
    """Reports what a file or a folder holds, and what is doubtful about it.

    Args:
        inputs: a file, a DICOM series' folder, or a folder of either.
        layout: how the data set names its files, one of ``layouts.NAMES``.
        axis: slice axis.
        reporter: told how far the work is, as stage ``scan``.
        thorough: read all voxels, so that every NaN, constant volume and damaged file is found. Otherwise about half a MiB of
            each volume is looked at: most of such volumes are found, in seconds for a thousand.

    Raises:
        InputError: the path does not exist, holds no volumes, or is a single file that cannot be used.
    """
    gathered = gather(inputs, layout, want_labels=inputs.is_dir())
    axis = slice_axis(axis, gathered.layout)
    samples: dict[VolumeSource, Sample | None] = {}
    unreadable = list(gathered.unreadable)
    total = len(gathered.images)
    for done, item in enumerate(gathered.images, 1):
        try:
            samples[item.source] = sample(item.source, thorough)
        except NotReadableError as error:
            if not inputs.is_dir():
                raise
            unreadable.append(error.as_unreadable())
        if reporter:
            reporter.progress("scan", done, total)
    cases = match(gathered, None, layout)
    intensities, mixed = checks.of_intensities(list(samples.values()))
    copies = copies_of_frames(list(samples), gathered.layout)
    rows = _rows(samples, cases, intensities, axis, copies)
    general = ((inputs, mixed),) if mixed else ()
    return ScanReport(
        inputs=inputs,
        layout=gathered.layout,
        volumes=rows,
        unreadable=tuple(sorted(unreadable, key=lambda one: one.path)),
        warnings=(*general, *_general(inputs, rows, cases, axis)),
        missing_images=gaps_in_images(inputs, list(samples), gathered.layout, unreadable),
        missing_labels=cases.gaps if cases.cases else (),
    )


def _rows(
    samples: dict[VolumeSource, Sample | None],
    cases: Cases,
    intensities: checks.Findings,
    axis: Axis,
    copies: Container[VolumeSource],
) -> tuple[Row, ...]:
    sources = list(samples)
    views = [canonical_view(source.geometry, axis) for source in sources]
    seen = list(samples.values())
    labels = {case.source: case.labels for case in cases.cases}
    findings = zip(
        (checks.of_grid(source, view) for source, view in zip(sources, views, strict=True)),
        (checks.of_voxels(one) for one in seen),
        checks.of_orientations(sources, views),
        intensities,
        checks.of_copies(sources, [None if source in copies else samples[source] for source in sources], _digest),
        (_of_labels(source, labels.get(source)) for source in sources),
        strict=True,
    )
    return tuple(
        Row(
            source=source,
            view=view,
            intensity=(one.low, one.high) if one and one.low <= one.high else None,
            labels=labels[source].path if source in labels else None,
            warnings=tuple(sentence for part in found for sentence in part),
            labels_frame=labels[source].frame if source in labels else None,
        )
        for source, view, one, found in zip(sources, views, seen, findings, strict=True)
    )


def _digest(source: VolumeSource) -> bytes | None:
    try:
        seen = sample(source, thorough=True)
    except NotReadableError:
        return None
    return seen.digest if seen else None


def _of_labels(source: VolumeSource, labels: VolumeSource | None) -> list[str]:
    difference = labels.geometry.differs_from(source.geometry, SAME_GRID) if labels else ""
    return [f"Its labels {labels.path.name} lie on another grid: {difference}."] if labels and difference else []


def _general(inputs: Path, rows: Sequence[Row], cases: Cases, axis: Axis) -> Iterable[tuple[Path, str]]:
    for labels in cases.stray_labels if cases.cases else cases.unmatched_labels:
        yield labels.path, "These labels match no image, or one that has others already."
    equal = sum(max(row.view.spacing) <= 1.001 * min(row.view.spacing) for row in rows)
    if axis == "auto" and equal:
        yield (
            inputs,
            f"{equal} of {len(rows)} volumes have the same spacing along all axes, so their slices are taken across the third "
            "stored axis; --axis axial, coronal or sagittal says which is meant.",
        )
