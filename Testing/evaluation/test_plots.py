from __future__ import annotations

import io

import matplotlib.image
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from pcl_core.evaluation.plots import (
    Curve,
    Level,
    MontageRow,
    Panel,
    colour_of,
    curves_png,
    montage_png,
    overlay_png,
    window_of,
)


def pixels(png):
    return matplotlib.image.imread(io.BytesIO(png), format="png")[..., :3]


def near(picture, colour, tolerance=0.08):
    """Where a picture (row, column, 3) has a colour."""
    return (np.abs(picture - np.array(to_rgb(colour))) < tolerance).all(axis=-1)


def disc(rows, columns, centre, radius):
    y, x = np.mgrid[:rows, :columns]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2


def test_labels_lie_on_the_anatomy_in_their_own_colours():
    labels = np.zeros((60, 40), np.uint8)
    labels[disc(60, 40, (15, 10), 6)] = 1
    labels[disc(60, 40, (45, 28), 6)] = 3
    picture = pixels(overlay_png(Panel(np.zeros((60, 40)), labels)))
    for label, centre in ((1, (15, 10)), (3, (45, 28))):
        rows, columns = np.nonzero(near(picture, colour_of(label)))
        scale = picture.shape[0] / 60
        assert rows.mean() / scale - 0.5 == pytest.approx(centre[0], abs=0.7)
        assert columns.mean() / scale - 0.5 == pytest.approx(centre[1], abs=0.7)
    assert not near(picture, colour_of(2)).any()


def test_voxels_that_are_not_annotated_are_not_drawn():
    bare = pixels(overlay_png(Panel(np.eye(20))))
    unknown = pixels(overlay_png(Panel(np.eye(20), np.full((20, 20), 255, np.uint8))))
    assert np.array_equal(bare, unknown)


def test_the_picture_has_the_proportions_of_the_anatomy():
    picture = pixels(overlay_png(Panel(np.zeros((20, 20))), spacing=(2.0, 1.0)))
    assert picture.shape[0] / picture.shape[1] == pytest.approx(2, rel=0.02)


def test_the_grey_window_ignores_a_few_extreme_voxels():
    image = np.linspace(0, 100, 10_000).reshape(100, 100)
    image[0, 0] = 1e6
    low, high = window_of([Panel(image)])
    assert 0 <= low < 5
    assert 95 < high < 105


def test_a_constant_slice_and_one_of_nan_can_be_drawn():
    for image in (np.full((8, 8), 3.0), np.full((8, 8), np.nan)):
        assert pixels(overlay_png(Panel(image))).size > 0


def test_a_montage_shows_every_panel_at_its_place():
    labels = np.ones((30, 30), np.uint8)
    image = np.zeros((30, 30))
    rows = [
        MontageRow("base", (Panel(image), Panel(image, labels))),
        MontageRow("apex", (Panel(image, 2 * labels), Panel(image))),
    ]
    picture = pixels(montage_png(rows, ("image", "truth")))
    middle = np.array(picture.shape[:2]) / 2
    for label, (above, left) in ((1, (True, False)), (2, (False, True))):
        where_rows, where_columns = np.nonzero(near(picture, colour_of(label)))
        assert (where_rows.mean() < middle[0]) == above
        assert (where_columns.mean() < middle[1]) == left


def test_a_montage_with_a_missing_panel_is_refused():
    with pytest.raises(ValueError, match="zip"):
        montage_png([MontageRow("base", (Panel(np.zeros((4, 4))),))], ("image", "truth"))


def test_a_curve_falls_and_the_level_is_dashed_above_it():
    curve = Curve("loss", range(50), np.linspace(4, 1, 50).tolist())
    picture = pixels(curves_png([curve], "Loss", "loss", levels=[Level("collapsed", 5.0)]))
    rows, columns = np.nonzero(near(picture, "#0072b2"))
    left, right = columns < np.median(columns), columns >= np.median(columns)
    assert rows[left].mean() < rows[right].mean()
    dashed = near(picture, "#888888", 0.02).sum(axis=1)
    assert dashed.argmax() < rows.min()
    without = pixels(curves_png([curve], "Loss", "loss"))
    assert not near(without, "#888888", 0.02).sum(axis=1).max() > 50


def test_two_curves_have_two_colours_and_a_legend_that_one_has_not():
    one, two = Curve("a", [0, 1], [1, 0]), Curve("b", [0, 1], [0, 1])
    both = pixels(curves_png([one, two], "", "loss"))
    assert near(both, "#0072b2").any()
    assert near(both, "#d55e00").any()
    assert not near(pixels(curves_png([one], "", "loss")), "#d55e00").any()


def test_rows_without_the_figure_are_passed_over():
    rows = [{"step": 1, "loss": 3.0}, {"step": 2}, {"step": 3, "loss": 2.0}]
    assert Curve.from_rows("x", rows) == Curve("x", [1, 3], [3.0, 2.0])


def test_a_curve_of_one_point_is_seen():
    assert near(pixels(curves_png([Curve("x", [1], [1])], "", "loss")), "#0072b2").any()


def test_the_first_seven_classes_have_colours_of_their_own():
    assert len({colour_of(label) for label in range(1, 8)}) == 7
