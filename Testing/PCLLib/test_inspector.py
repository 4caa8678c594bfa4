"""What the inspector decides, without widgets: which slice of each volume, and how it is related to the chosen one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


def placed(name, positions, aligned=None, turned=False, first_row=0):
    from PCLLib.position_report import PlacedVolume
    from PCLLib.slice_lines import SliceLine

    positions = np.asarray(positions, float)
    line = SliceLine.from_lps((0.0, 0.0, 0.0), (0.0, 0.0, 3.0), len(positions))
    aligned = positions if aligned is None else np.asarray(aligned, float)
    return PlacedVolume(name, Path(f"{name}.nrrd"), "nrrd", "axial", line, positions, aligned, turned, (), first_row)


def relative(count):
    return (np.arange(count) + 1) / count


@pytest.fixture
def inspector():
    from PCLLib.inspector import Inspector
    from PCLLib.position_report import PositionReport
    from PCLLib.thumbnails import Thumbnails

    volumes = (placed("a", relative(10)), placed("b", relative(5)), placed("c", relative(10), aligned=0.5 + relative(10) / 2))
    one = Inspector()
    nothing = np.zeros((2, 2))
    one.show(PositionReport("auto", volumes, 0.25, "", nothing, nothing), Thumbnails(np.zeros((25, 64, 64), np.uint8)))
    return one


def shown(inspector):
    return [(tile.number, tile.frame.value) for tile in inspector.tiles()]


def test_the_nearest_slices_are_positive_while_nothing_is_chosen(inspector):
    inspector.move(0.61)
    assert shown(inspector) == [(5, "positive"), (2, "positive"), (5, "positive")]


def test_slices_as_far_from_the_chosen_one_as_the_threshold_are_negative(inspector):
    inspector.move(0.4)
    inspector.choose(inspector.volumes[0], 3)
    assert shown(inspector) == [(3, "chosen"), (1, "positive"), (3, "positive")]
    inspector.move(0.6)
    assert shown(inspector) == [(5, "positive"), (2, "positive"), (5, "positive")]
    inspector.move(0.7)
    assert shown(inspector)[0] == (6, "negative")
    inspector.set_threshold(0.31)
    assert shown(inspector)[0] == (6, "positive")


@pytest.mark.parametrize("chosen", range(9))
def test_a_tie_at_the_threshold_is_a_negative_whatever_binary_numbers_say(chosen, inspector):
    inspector.set_threshold(0.1)
    inspector.choose(inspector.volumes[0], chosen)
    inspector.move(float(inspector.volumes[0].relative[chosen + 1]))
    assert shown(inspector)[0] == (chosen + 1, "negative")


def test_thirds_that_were_rounded_in_the_report_are_compared_as_thirds(inspector):
    from fractions import Fraction

    third = placed("d", np.round(relative(12), 4))
    assert inspector._exact(third, 3) == Fraction(1, 3)


def test_a_volume_without_a_slice_near_the_position_is_told_apart(inspector):
    inspector.place_by(True)
    inspector.move(0.3)
    assert [frame for _, frame in shown(inspector)] == ["positive", "positive", "away"]


def test_a_volume_that_was_flipped_since_is_counted_from_the_other_end_in_m_of_n_only(inspector):
    inspector.mark((), {"a"})
    inspector.move(0.2)
    assert shown(inspector)[0][0] == 8
    inspector.place_by(True)
    assert shown(inspector)[0][0] == 1


def test_a_volume_that_is_left_out_is_neither(inspector):
    inspector.mark({"b"}, ())
    tile = inspector.tiles()[1]
    assert (tile.left_out, tile.frame.value) == (True, "away")


def test_moving_to_the_slice_that_is_shown_already_moves_nothing(inspector):
    moved = []
    inspector.moved.connect(lambda: moved.append(inspector.position))
    inspector.move(0.52)
    inspector.move_to(inspector.volumes[0], 4)
    inspector.move_to(inspector.volumes[1], 0)
    assert moved == [0.52, 0.2]


def test_the_strip_shows_the_band_the_position_and_the_slices_of_the_chosen_volume(inspector):
    from PCLLib.position_strip import WIDTH, draw_strip

    inspector.move(0.9)
    plain = draw_strip(inspector)
    inspector.choose(inspector.volumes[0], 3)  # at 0.4, the band from 0.15 to 0.65
    image = draw_strip(inspector)
    assert (image[0, round(0.9 * WIDTH) - 1] == 0).all()
    band = (image[0] == (170, 222, 205)).all(axis=1)
    assert (round(np.flatnonzero(band)[0] / WIDTH, 2), round(np.flatnonzero(band)[-1] / WIDTH, 2)) == (0.15, 0.65)
    assert (image != plain).any()
    inspector.move(0.0)
    assert draw_strip(inspector).shape == image.shape


def test_pictures_are_enlarged_without_a_shift_and_framed():
    from PCLLib.thumbnails import TILE, Frame, Thumbnails, enlarged

    gradient = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
    large = enlarged(gradient[None])[0].astype(int)
    assert large.shape == (96, 96)
    assert (np.diff(large[0]) >= 0).all()
    assert np.abs(large[0] - np.arange(96) * 256 / 96).max() < 4
    assert (large == enlarged(gradient.T[None])[0].T).all()
    mosaic = Thumbnails(np.stack([gradient] * 5)).mosaic(range(5), list(Frame)).reshape(5, TILE, TILE, 3)
    corners = {tuple(tile[0, 0]) for tile in mosaic}
    assert len(corners) == 5
    inside = [tile[5:-5, 5:-5].mean() for tile in mosaic]
    assert inside[3] < inside[0] / 2  # no slice there: dim
    assert len({inside[0], inside[1], inside[2]}) == 1


def test_the_heat_map_begins_at_the_lower_left_and_greys_what_nobody_knows():
    from PCLLib.heat_map import draw_heat_map, side_of

    matrix = np.full((20, 20), 0.2)
    matrix[0, 0], matrix[19, 19], matrix[10, 0] = 1.0, 0.0, np.nan
    image = draw_heat_map(matrix, 0.25)
    side = side_of(matrix)
    assert image.shape == (side, side, 3)
    assert image[side - 4, 4].mean() > image[side // 2 - 40, 20].mean() > image[4, side - 4].mean()
    assert tuple(image[side - 1 - 94, 4]) == (200, 200, 200)
    assert tuple(image[side - 1 - round(0.25 * side) - 50, 50]) == (255, 255, 255)
    assert draw_heat_map(np.full((20, 20), np.nan), 0.1).shape == image.shape
