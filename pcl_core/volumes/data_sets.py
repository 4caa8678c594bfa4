"""What the label values of known data sets mean.

The values are those that the data sets' own descriptions give:

* CHD: Xu et al., MICCAI 2019; values above 7 are structures that neither they nor the paper segment.
* MMWHS: Zhuang et al., STACOM 2017. One of its MR label maps holds 421 where 420 is meant.
* ACDC: Bernard et al., IEEE TMI 2018.
* HVSMR: Pace et al., MICCAI 2015; challenge of 2016.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from pcl_core.volumes.axes import Axis
from pcl_core.volumes.volume import NOT_ANNOTATED

# Label maps are stored in at most 16 bits.
LARGEST_VALUE = 2**16 - 2
_UNKNOWN = LARGEST_VALUE + 1


@dataclass(frozen=True)
class DataSet:
    """The classes of a data set.

    Attributes:
        name: that of its layout.
        classes: names by label value; 0 is background, 255 not annotated, in all data sets.
        background_above: larger values are background; None when there are none.
        meant: values that are slips of the annotators, and what they mean.
        axis: of the slices, where the spacing does not tell: stacks whose slices are closer than pixels are wide.
    """

    name: str
    classes: Mapping[int, str]
    background_above: int | None = None
    meant: Mapping[int, int] = field(default_factory=dict)
    axis: Axis = "auto"

    @cached_property
    def coded(self) -> tuple[int, ...]:
        """The values in rising order where they do not fit into a byte; slice banks hold their ranks, from 1, instead."""
        return tuple(sorted(self.classes)) if max(self.classes) >= NOT_ANNOTATED else ()

    def clean(self, labels: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
        """Slips corrected, and what is background made so.

        Args:
            labels: of any shape, whole numbers from 0 to LARGEST_VALUE.

        Returns:
            8-bit labels, or 16-bit ones where the data set's values need it, and the values in them that are none of its.
        """
        table = np.full(max(int(labels.max()), NOT_ANNOTATED) + 1, _UNKNOWN, dtype=np.uint16)
        if self.background_above is not None:
            table[self.background_above + 1 :] = 0
        for value in (0, NOT_ANNOTATED, *self.classes):
            table[value : value + 1] = value
        for slip, value in self.meant.items():
            table[slip : slip + 1] = value
        cleaned = table[labels]
        strange = np.unique(labels[cleaned == _UNKNOWN])
        return cleaned if self.coded else cleaned.astype(np.uint8), tuple(strange.tolist())

    def codes(self, labels: np.ndarray) -> np.ndarray:
        """Clean labels as bytes: the values themselves, or their ranks among ``coded``."""
        if not self.coded:
            return labels
        table = np.zeros(max(self.coded) + 1, dtype=np.uint8)
        table[NOT_ANNOTATED] = NOT_ANNOTATED
        table[list(self.coded)] = np.arange(1, len(self.coded) + 1)
        ranks: np.ndarray = table[labels]
        return ranks

    def described(self) -> str:
        """``1 (myocardium), 2 (blood pool)``."""
        return ", ".join(f"{value} ({name})" for value, name in sorted(self.classes.items()))


DATA_SETS: Mapping[str, DataSet] = {
    data_set.name: data_set
    for data_set in (
        DataSet(
            "chd",
            {
                1: "left ventricle", 2: "right ventricle", 3: "left atrium", 4: "right atrium", 5: "myocardium", 6: "aorta",
                7: "pulmonary artery",
            },
            background_above=7,
            axis="axial",
        ),
        DataSet(
            "mmwhs",
            {
                205: "myocardium", 420: "left atrium", 500: "left ventricle", 550: "right atrium", 600: "right ventricle",
                820: "ascending aorta", 850: "pulmonary artery",
            },
            meant={421: 420},
            axis="axial",
        ),
        DataSet("acdc", {1: "right ventricle", 2: "myocardium", 3: "left ventricle"}),
        DataSet("hvsmr", {1: "myocardium", 2: "blood pool"}, axis="axial"),
    )
}  # fmt: skip


def slice_axis(axis: Axis, layout: str) -> Axis:
    """The slice axis to go by: the one asked for, or for ``auto`` that of a known data set, which the paper's slices have."""
    return DATA_SETS[layout].axis if axis == "auto" and layout in DATA_SETS else axis


def can_be_class(value: int) -> bool:
    """Whether a label value can be that of a class: 1 to 254 in any label map, larger ones in a data set that has them."""
    return 0 < value < NOT_ANNOTATED or any(value in data_set.classes for data_set in DATA_SETS.values())


def labels_of(values: tuple[int, ...]) -> DataSet | None:
    """The data set with large values whose labels these can be."""
    large = (one for one in DATA_SETS.values() if one.coded)
    return next((one for one in large if {*values} <= {0, NOT_ANNOTATED, *one.classes, *one.meant}), None)
