"""Generated hearts as sample data of Slicer: nothing is downloaded, no patient was involved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PCLLib import overlay
from PCLLib.segment_classes import SegmentClass
from PCLLib.segment_nodes import new_segmentation
from PCLLib.segment_roles import Role, set_choice, set_role
from PCLLib.slice_choice import Counting, SliceChoice
from PCLLib.volume_nodes import ijk_to_ras

CATEGORY = "Positional Contrastive Learning"
NAME = "GeneratedHearts"
COUNT, ANNOTATED = 6, 2
# As in pcl_core.demo.hearts, with the colours that Slicer has for these parts of the heart.
_CLASSES = (
    SegmentClass(1, "right ventricle", (0.71, 0.29, 0.47)),
    SegmentClass(2, "myocardium", (0.75, 0.40, 0.26)),
    SegmentClass(3, "left ventricle", (0.98, 0.76, 0.45)),
)


def register_samples() -> None:
    """Adds the samples to the module Sample Data, once however often the extension's module is loaded."""
    import SampleData  # noqa: PLC0415 (a module of Slicer, which is there when the application has started)

    if SampleData.SampleDataLogic().sourceForSampleName(NAME) is not None:
        return
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=NAME,
        uris="",
        fileNames=NAME,
        nodeNames=NAME,
        thumbnailFileName=icon_below(Path(__file__).resolve().parents[1]),
        customDownloader=_download,
        loadFileTypes="VolumeFile",
    )


def icon_below(root: Path) -> str | None:
    """The picture of the samples: of a checkout, or where Slicer puts the resources of all modules when they are installed."""
    places = (root / folder / "Resources" / "Icons" / "PCLSegmentation.png" for folder in ("PCLSegmentation", ""))
    return next((str(place) for place in places if place.is_file()), None)


def _download(_source: object) -> list[Any]:
    """Draws the samples. What prevents it is shown: Sample Data tells errors to the Python console only."""
    try:
        return add_hearts()
    except RuntimeError as error:
        slicer.util.errorDisplay(str(error))
        return []


def add_hearts(count: int = COUNT, annotated: int = ANNOTATED) -> list[Any]:
    """Draws generated hearts into the scene, the first of them with annotations.

    Returns:
        the volume nodes.

    Raises:
        RuntimeError: a package that the drawing takes is missing.
    """
    try:
        from pcl_core.demo.hearts import generate_heart  # noqa: PLC0415 (SciPy is not there before it is installed)
    except ModuleNotFoundError as error:
        text = _("Drawing the hearts takes the Python package {name}. Open PCL Segmentation and install it there first.")
        raise RuntimeError(text.format(name=error.name)) from error
    nodes = []
    for number in range(count):
        voxels, labels, geometry = generate_heart(number)
        node = slicer.util.addVolumeFromArray(
            np.ascontiguousarray(voxels), ijkToRAS=ijk_to_ras(geometry), name=f"Heart{number + 1}"
        )
        if number < annotated:
            drawn = new_segmentation(f"Heart{number + 1} annotation", node, labels, _CLASSES)
            set_role(drawn, Role.ANNOTATION)
            set_choice(drawn, SliceChoice(Counting.ALL))
        nodes.append(node)
    slicer.util.setSliceViewerLayers(background=nodes[0], fit=True)
    overlay.show_of(nodes[0])
    return nodes
