"""How well a predicted label volume agrees with the true one: Dice, 95th percentile Hausdorff and mean surface distance.

The three come from MONAI, so that figures can be compared with those of others. Its definitions, to which the tests hold it:

- The surface of a class is the set of its voxels that have a face neighbour outside the class; the border of the volume
  counts as outside. Distances run between centres of such voxels, in mm.
- HD95 is the larger of two 95th percentiles (prediction to truth, truth to prediction), interpolated linearly.
- ASSD is the mean over the surface voxels of both volumes together, not the mean of the two directed means.

A class that neither volume has says nothing: all three are NaN and left out of means. A class that only one of them has
was missed or invented: Dice is 0, and its distances, which no number describes, are NaN; how often this happened is counted
beside the means. Voxels whose truth is 255 ("not annotated") are taken out of both volumes first; where such a region cuts
through a class, the cut is a surface of both.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pcl_core.volumes.data_sets import LARGEST_VALUE
from pcl_core.volumes.volume import NOT_ANNOTATED

_VALUES = LARGEST_VALUE + 2


@dataclass(frozen=True)
class ClassMetrics:
    """Agreement on one class in one case.

    Attributes:
        dice: 2 |A and B| / (|A| + |B|), 0 to 1; NaN when both are empty.
        hd95_mm: 95th percentile Hausdorff distance; NaN when one is empty.
        assd_mm: average symmetric surface distance; NaN when one is empty.
    """

    dice: float
    hd95_mm: float
    assd_mm: float

    @property
    def lacks_counterpart(self) -> bool:
        """Whether only one of the two volumes has the class: Dice 0 and no distance."""
        return self.dice == 0 and math.isnan(self.hd95_mm)


def case_metrics(
    prediction: np.ndarray, truth: np.ndarray, spacing_zyx: Sequence[float], classes: Sequence[int]
) -> dict[int, ClassMetrics]:
    """Compares two label volumes on the same grid.

    Args:
        prediction: labels (z, y, x), whole numbers.
        truth: labels (z, y, x) of the same shape; 255 is "not annotated" and takes no part.
        spacing_zyx: mm between voxel centres along (z, y, x).
        classes: labels to compare.

    Returns:
        the metrics of each class, in the order of ``classes``.

    Raises:
        ValueError: the shapes differ.
    """
    prediction, truth = _annotated(prediction, truth)
    return {label: _class_metrics(prediction == label, truth == label, spacing_zyx) for label in classes}


class PooledDice:
    """The published code's Dice: all voxels of all cases are thrown together, then the foreground classes averaged.

    The paper says "averaging Dice" only. Large structures and long volumes weigh more than in the mean over cases. That code
    counts on its resampled grid; here it is whatever grid the volumes given have.

    Args:
        classes: labels to count; None counts all that occur in a truth, but 0.
    """

    def __init__(self, classes: Sequence[int] | None = None) -> None:
        self._classes = None if classes is None else tuple(classes)
        self._common, self._predicted, self._true = np.zeros((3, _VALUES), np.int64)

    def add(self, prediction: np.ndarray, truth: np.ndarray) -> None:
        """Adds a case: two label arrays of the same shape with values of at most 16 bits; 255 in the truth is left out.

        Raises:
            ValueError: the shapes differ.
        """
        prediction, truth = _annotated(prediction, truth)
        self._common += np.bincount(truth[prediction == truth], minlength=_VALUES)
        self._predicted += np.bincount(prediction.ravel(), minlength=_VALUES)
        self._true += np.bincount(truth.ravel(), minlength=_VALUES)

    def per_class(self) -> dict[int, float]:
        """Dice of each class, NaN for one that no volume has."""
        classes = (int(label) + 1 for label in np.nonzero(self._true[1:])[0]) if self._classes is None else self._classes
        sizes = self._predicted + self._true
        return {k: float(2 * self._common[k] / sizes[k]) if sizes[k] else math.nan for k in classes}

    def value(self) -> float:
        """The mean of the classes that some volume has; NaN when there is none."""
        return mean_and_deviation(list(self.per_class().values()))[0]


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation (of the sample, n - 1) of the numbers that are not NaN.

    The mean of nothing is NaN, and so is the deviation of fewer than two.
    """
    known = np.array([value for value in values if not math.isnan(value)], dtype=float)
    mean = float(known.mean()) if known.size else math.nan
    return mean, float(known.std(ddof=1)) if known.size > 1 else math.nan


def _annotated(prediction: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both volumes with 0 where the truth is "not annotated"."""
    if prediction.shape != truth.shape:
        raise ValueError(f"a prediction of {prediction.shape} and a truth of {truth.shape} cannot be compared")
    unknown = truth == NOT_ANNOTATED
    if not unknown.any():
        return prediction, truth
    return np.where(unknown, 0, prediction), np.where(unknown, 0, truth)


def _class_metrics(predicted: np.ndarray, true: np.ndarray, spacing_zyx: Sequence[float]) -> ClassMetrics:
    """Metrics of two masks (z, y, x)."""
    if not predicted.any() or not true.any():
        dice = 0.0 if predicted.any() or true.any() else math.nan
        return ClassMetrics(dice, math.nan, math.nan)
    # Importing these takes seconds, which commands that compare nothing should not wait for.
    import torch  # noqa: PLC0415
    from monai.metrics.hausdorff_distance import compute_hausdorff_distance  # noqa: PLC0415
    from monai.metrics.meandice import compute_dice  # noqa: PLC0415
    from monai.metrics.surface_distance import compute_average_surface_distance  # noqa: PLC0415

    box = _bounding_box(predicted | true)
    a, b = (torch.from_numpy(np.ascontiguousarray(mask[box]))[None, None].float() for mask in (predicted, true))
    spacing = [float(value) for value in spacing_zyx]
    with warnings.catch_warnings():
        # MONAI 1.6 calls a function of its own in a way that it has deprecated.
        warnings.filterwarnings("ignore", category=FutureWarning, module="monai")
        return ClassMetrics(
            dice=float(compute_dice(a, b)),
            hd95_mm=float(compute_hausdorff_distance(a, b, include_background=True, percentile=95, spacing=spacing)),
            assd_mm=float(compute_average_surface_distance(a, b, include_background=True, symmetric=True, spacing=spacing)),
        )


def _bounding_box(mask: np.ndarray) -> tuple[slice, ...]:
    """The smallest box around a mask that is not empty, one voxel wider where the volume goes on."""
    box = []
    for axis in range(mask.ndim):
        filled = np.nonzero(mask.any(axis=tuple(k for k in range(mask.ndim) if k != axis)))[0]
        box.append(slice(max(int(filled[0]) - 1, 0), int(filled[-1]) + 2))
    return tuple(box)
