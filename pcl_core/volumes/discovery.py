"""From a file or a folder to the volumes in it. Only headers are read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pcl_core.errors import InputError
from pcl_core.volumes.dicom import dicom_sources, looks_like_dicom
from pcl_core.volumes.formats import KNOWN, NotReadableError, format_of
from pcl_core.volumes.ids import Item, unique
from pcl_core.volumes.itk import itk_sources
from pcl_core.volumes.layouts import Place, place, resolve
from pcl_core.volumes.lazy_nifti import nifti_sources
from pcl_core.volumes.volume import Unreadable, VolumeSource


@dataclass(frozen=True)
class Found:
    """The volumes of an input, sorted by path, the files that cannot be used, and the layout that was gone by."""

    sources: tuple[VolumeSource, ...]
    unreadable: tuple[Unreadable, ...]
    layout: str = "folder"


@dataclass(frozen=True)
class Gathered:
    """Everything that an input holds, by kind; ``layout`` is the one that was gone by."""

    images: tuple[Item, ...]
    labels: tuple[Item, ...]
    unreadable: tuple[Unreadable, ...]
    layout: str


def find_volumes(inputs: Path, layout: str = "auto") -> Found:
    """Finds the volumes of an input; label maps are left out.

    Args:
        inputs: a file, a folder with a DICOM series, or a folder of either, at any depth; hidden files are skipped.
        layout: how the data set names its files, one of ``layouts.NAMES``.

    Returns:
        sources sorted by path. Their ids are unique: the file's name without suffix, ``_frame01`` and so on for the frames
        of 4-D files, preceded by folder names where files of the same name lie in several folders.

    Raises:
        InputError: the path does not exist, there is nothing that can be used, or the only file is unreadable.
    """
    gathered = gather(inputs, layout)
    require_some(inputs, gathered)
    return Found(tuple(item.source for item in gathered.images), gathered.unreadable, gathered.layout)


def find_in_all(inputs: Sequence[Path], layout: str = "auto") -> Found:
    """Finds the volumes of several inputs, each as find_volumes does; their ids are unique among all of them.

    Returns:
        sources in the order of the inputs, and the layout of the first.

    Raises:
        InputError: as find_volumes does, for any of them.
    """
    if len(inputs) == 1:
        return find_volumes(inputs[0], layout)
    all_gathered = [gather(one, layout) for one in inputs]
    for one, gathered in zip(inputs, all_gathered, strict=True):
        require_some(one, gathered)
    items: dict[tuple[Path, int | None], Item] = {}  # one input may lie in another
    for gathered in all_gathered:
        for item in gathered.images:
            items.setdefault((item.source.path.absolute(), item.source.frame), item)
    unreadable = tuple(one for gathered in all_gathered for one in gathered.unreadable)
    return Found(tuple(item.source for item in unique(items.values())), unreadable, all_gathered[0].layout)


def gather(inputs: Path, layout: str = "auto", want_images: bool = True, want_labels: bool = False) -> Gathered:
    """Finds volumes and label maps, reading the headers of the wanted ones only.

    A single file is what is wanted, whatever its name. DICOM series are never label maps.

    Raises:
        InputError: the path does not exist, holds no volume files, or is a file that cannot be used.
    """
    if inputs.is_dir():
        everything, misnamed = _valid(_files(inputs))
        paths = [path for path in everything if format_of(path)]
        series = _dicom_folders(path for path in everything if not format_of(path))
    else:
        paths, series = _single(inputs)
        misnamed = []
    if not paths and not series and not misnamed:
        raise InputError(f"There are no volumes in {inputs}.", f"Give {KNOWN}.")
    rule = resolve(layout, inputs, paths)
    items: list[Item] = []
    unreadable: list[Unreadable] = misnamed
    for path in paths:
        where = place(inputs, path, rule)
        if not inputs.is_dir():
            where = replace(where, labels=want_labels)
        if want_labels if where.labels else want_images:
            try:
                items += [Item(source, where) for source in _sources(path)]
            except NotReadableError as error:
                unreadable.append(error.as_unreadable())
    for folder, files in series.items() if want_images else ():
        base = files[0].stem if folder == inputs.parent else folder.absolute().name
        sources, bad = dicom_sources(files, base)
        unreadable += bad
        items += [Item(source, _place_of_series(inputs, folder, rule, source)) for source in sources]
    if not inputs.is_dir() and unreadable:
        raise NotReadableError(inputs, unreadable[0].reason)
    items.sort(key=lambda item: item.source.path)
    images = unique(item for item in items if not item.place.labels)
    labels = unique(item for item in items if item.place.labels)
    return Gathered(images, labels, tuple(sorted(unreadable, key=lambda one: one.path)), rule)


def require_some(inputs: Path, gathered: Gathered) -> None:
    """Raises InputError when nothing was found that can be used."""
    if gathered.images:
        return
    if gathered.unreadable:
        first, count = gathered.unreadable[0], len(gathered.unreadable)
        raise InputError(
            f"None of the {count} volumes in {inputs} can be used; {first.path}: {first.reason}.", "Copy or export them again."
        )
    raise InputError(f"There are only label files in {inputs}.", "Give the folder of the images.")


def _valid(files: Sequence[Path]) -> tuple[list[Path], list[Unreadable]]:
    """The files whose names can be written down, and the volumes among the others: no reader could be given their names."""
    valid, bad = [], []
    for path in files:
        try:
            str(path).encode()
        except UnicodeEncodeError:
            if format_of(path) or looks_like_dicom(path):
                shown = Path(str(path).encode(errors="replace").decode())
                bad.append(Unreadable(shown, "its name has characters that are not valid in UTF-8; rename it"))
        else:
            valid.append(path)
    return valid, bad


def _files(folder: Path) -> list[Path]:
    """All files below a folder in order of their paths, without hidden ones.

    Links to folders are followed when all else was looked at. No folder is looked into twice: links may lead back.
    """
    found: list[Path] = []
    seen: set[str] = set()
    waiting = [folder]
    while waiting:
        for root, folders, names in os.walk(waiting.pop(0)):
            real = os.path.realpath(root)
            if real in seen:
                folders.clear()
                continue
            seen.add(real)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            waiting += [path for path in (Path(root, name) for name in folders) if path.is_symlink()]
            found += [Path(root, name) for name in names if not name.startswith(".")]
    return sorted(found)


def _single(path: Path) -> tuple[list[Path], dict[Path, list[Path]]]:
    """A file that was given alone: a volume file, or a DICOM file."""
    if not path.exists():
        raise InputError(f"{path} does not exist.", "Check the path.")
    if format_of(path):
        return [path], {}
    if looks_like_dicom(path):
        return [], {path.parent: [path]}
    raise NotReadableError(path, "it is no volume of a known format", f"Give {KNOWN}.")


def _dicom_folders(paths: Iterable[Path]) -> dict[Path, list[Path]]:
    """The DICOM files of each folder."""
    folders: dict[Path, list[Path]] = {}
    for path in paths:
        if looks_like_dicom(path):
            folders.setdefault(path.parent, []).append(path)
    return folders


def _place_of_series(inputs: Path, folder: Path, rule: str, source: VolumeSource) -> Place:
    base = source.id if source.frame is None else source.id[: source.id.rindex("_frame")]
    if folder == inputs.parent:
        return Place(False, base, base, "", ())
    where = place(inputs, folder, rule, base)
    return Place(False, base, base, where.patient, where.parents)


def _sources(path: Path) -> list[VolumeSource]:
    kind = format_of(path)
    try:
        return nifti_sources(path) if kind == "nifti" or kind is None else itk_sources(path, kind)
    except OSError as error:
        raise NotReadableError(
            path, f"it cannot be read ({error.strerror or error})", "Check the disk and your rights."
        ) from error
