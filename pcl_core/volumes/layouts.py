"""How data sets name their files: which are images, which are labels, what belongs together, who is the patient.

A layout is data. What its patterns do not match follows the general rule: labels end in ``_gt``, ``_seg``, ``_label`` or
``_mask`` (also with a hyphen, and Slicer's ``.seg``), or lie in a folder of labels; everything else is an image, and every
image is a patient of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pcl_core.errors import InputError
from pcl_core.volumes.formats import stem_of


@dataclass(frozen=True)
class Layout:
    """The naming rule of a data set.

    Attributes:
        name: value of ``--layout``.
        images: matches the path of an image without its suffix, below and including the folder that was given; the group
            ``patient`` names the patient, ``case`` what image and labels share, ``channel`` the number of a modality.
        labels: matches the path of labels, with the groups ``case`` and ``patient``.
        sure: what at least half of the paths must match for ``auto`` to choose this layout.
        annotated: matches the path of an image that comes with labels.
        telling: whether the name of a case occurs once in the whole data set, so that an image and its labels belong together
            whatever folders they lie in.
    """

    name: str
    images: re.Pattern[str]
    labels: re.Pattern[str]
    sure: re.Pattern[str]
    annotated: re.Pattern[str]
    telling: bool


_NEVER = r"(?!)"


def _layout(name: str, images: str, labels: str, annotated: str, sure: str = "", telling: bool = False) -> Layout:
    sure = sure or f"{images}|{re.sub('[?]P<[a-z]+>', '', labels)}"
    return Layout(
        name, re.compile(images), re.compile(labels), re.compile(sure), annotated=re.compile(annotated), telling=telling
    )


LAYOUTS = {
    layout.name: layout
    for layout in (
        _layout(
            "acdc",
            r"(?:^|/)(?P<case>(?P<patient>patient\d+)_(?:frame\d+|4d))$",
            r"(?:^|/)(?P<case>(?P<patient>patient\d+)_frame\d+)_gt$",
            annotated=r"_frame\d+$",
            telling=True,
        ),
        _layout(
            "mmwhs",
            r"(?:^|/)(?P<case>(?P<patient>(?:ct|mr)_(?:train|test)_\d+))_image$",
            r"(?:^|/)(?P<case>(?P<patient>(?:ct|mr)_(?:train|test)_\d+))_label$",
            annotated=r"_train_\d+_image$",
            telling=True,
        ),
        _layout(
            "chd",
            r"(?:^|/)(?P<case>(?P<patient>ct_\d+))_image$",
            r"(?:^|/)(?P<case>(?P<patient>ct_\d+))_label$",
            annotated=r"_image$",
            telling=True,
        ),
        _layout(
            "hvsmr",
            r"(?:^|/)(?P<case>(?:training|testing)_\w*(?P<patient>pat\d+))$",
            r"(?:^|/)(?P<case>(?:training|testing)_\w*(?P<patient>pat\d+))-label$",
            annotated=r"(?:^|/)training_\w*pat\d+$",
            telling=True,
        ),
        _layout(
            "nnunet",
            r"(?:^|/)(?P<patient>(?P<case>[^/]+))_(?P<channel>\d{4})$",
            r"(?:^|/)labels(?:Tr|Ts)/(?P<patient>(?P<case>[^/]+))$",
            annotated=r"(?:^|/)imagesTr/[^/]+$",
            sure=r"(?:^|/)images(?:Tr|Ts)/[^/]+_\d{4}$",
        ),
        _layout(
            "msd",
            r"(?:^|/)images(?:Tr|Ts)/(?P<patient>(?P<case>[^/]+))$",
            r"(?:^|/)labels(?:Tr|Ts)/(?P<patient>(?P<case>[^/]+))$",
            annotated=r"(?:^|/)imagesTr/[^/]+$",
        ),
        _layout("folder", _NEVER, _NEVER, _NEVER, _NEVER),
    )
}
NAMES = ("auto", *sorted(LAYOUTS))

# Where several label files lie beside one image, the first of these is taken.
_SUFFIXES = ("gt", "label", "mask", "seg")
_LABEL_NAME = re.compile(rf"^(?P<case>.+)(?:[_-](?P<kind>{'|'.join(_SUFFIXES)})|\.(?P<slicer>seg))$", re.IGNORECASE)
_IMAGE_NAME = re.compile(r"^(?P<case>.+)[_-](?:image|img)$", re.IGNORECASE)
_LABEL_FOLDER = re.compile(r"^(?:labels?(?:tr|ts|val?)?|masks?|seg|segmentations?|gt|ground[_-]?truth)$", re.IGNORECASE)
_IMAGE_FOLDER = re.compile(r"^(?:images?(?:tr|ts|val?)?|img)$", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """What the path of a file says about it.

    Attributes:
        labels: whether it is a label map.
        id: the name that results of it are given.
        case: what an image and its labels share.
        patient: the patient, or an empty string when the path does not tell.
        parents: folders below the one given.
        rank: the lower is taken where several label files fit one image.
        channel: whether it is one of the modalities of a case.
        named: whether its name follows the layout.
    """

    labels: bool
    id: str
    case: str
    patient: str
    parents: tuple[str, ...]
    rank: int = 0
    channel: bool = False
    named: bool = False

    @property
    def folder(self) -> tuple[str, ...]:
        """The parents without those that only part images from labels."""
        return tuple(part for part in self.parents if not (_LABEL_FOLDER.match(part) or _IMAGE_FOLDER.match(part)))


def place(root: Path, path: Path, layout: str, stem: str = "") -> Place:
    """Reads what the path of ``path`` below ``root`` says, by the patterns of ``layout`` or the general rule.

    Args:
        root: the folder that was given, or ``path`` itself.
        path: a volume file, or the folder of a DICOM series.
        layout: a key of LAYOUTS.
        stem: the name to go by; the file's own when empty.
    """
    stem = stem or stem_of(path)
    parents = path.relative_to(root).parts[:-1] if path != root else ()
    around = root if path != root else path.parent
    text = str(PurePosixPath(around.absolute().name, *parents, stem))
    if found := LAYOUTS[layout].labels.search(text):
        return Place(True, stem, found["case"], found["patient"], parents, named=True)
    named = _LABEL_NAME.match(stem)
    if named or any(_LABEL_FOLDER.match(part) for part in parents):
        kind = (named["kind"] or named["slicer"]).lower() if named else _SUFFIXES[0]
        return Place(True, stem, _shared(named["case"] if named else stem), "", parents, _SUFFIXES.index(kind))
    if found := LAYOUTS[layout].images.search(text):
        groups = found.groupdict()
        channel = bool(groups.get("channel"))
        own = groups["case"] if channel else stem
        return Place(False, own, groups["case"], groups["patient"], parents, channel=channel, named=True)
    return Place(False, stem, _shared(stem), "", parents)


def is_named_label(path: Path, layout: str) -> bool:
    """Whether a file is named as ``layout`` names label maps; the general rule does not count."""
    return bool(LAYOUTS[layout].labels.search(path.absolute().with_name(stem_of(path)).as_posix()))


def _shared(stem: str) -> str:
    """``x_image`` and ``x`` are the same case."""
    found = _IMAGE_NAME.match(stem)
    return found["case"] if found else stem


def resolve(layout: str, root: Path, paths: Iterable[Path]) -> str:
    """The layout to go by: the one asked for, or for ``auto`` the first that fits at least half of the files.

    Raises:
        InputError: there is no layout of that name.
    """
    if layout in LAYOUTS:
        return layout
    if layout != "auto":
        raise InputError(f"There is no layout {layout}.", f"Choose one of {', '.join(NAMES)}.")
    around = root if root.is_dir() else root.parent
    texts = [str(PurePosixPath(around.absolute().name, *path.relative_to(around).parts[:-1], stem_of(path))) for path in paths]
    images = [text for text in texts if not any(_LABEL_FOLDER.match(part) for part in PurePosixPath(text).parts[:-1])]
    return next((name for name, rule in LAYOUTS.items() if _fits(rule, images or texts)), "folder")


def _fits(layout: Layout, texts: list[str]) -> bool:
    """Whether half of the paths match; and if images are numbered by channel, whether every case has a channel 0."""
    if not texts or 2 * sum(bool(layout.sure.search(text)) for text in texts) < len(texts):
        return False
    found = [match for text in texts if (match := layout.images.search(text)) and "channel" in match.groupdict()]
    cases = {match["case"] for match in found}
    firsts = {match["case"] for match in found if int(match["channel"]) == 0}
    return cases == firsts and (len(cases) != 1 or len(found) == 1)
