"""How alike slices are by their positions, and what follows for the threshold."""

from __future__ import annotations

import numpy as np
import pytest

from pcl_core.slices.features import PlainFeatures, principal
from pcl_core.slices.likeness import advise, likeness
from pcl_core.slices.neighbours import neighbours


def volumes(width: float, seed: int = 0, count: int = 12, slices: int = 40) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Features whose similarity falls as a Gaussian of the position difference, with a standard deviation of ``width``."""
    rng = np.random.default_rng(seed)
    places = (np.arange(slices) + 0.5) / slices
    centres = np.linspace(-0.5, 1.5, 120)
    bumps = np.exp(-((places[:, None] - centres[None, :]) ** 2) / width**2)
    bumps -= bumps.mean()
    return [bumps + rng.normal(0, 0.05, bumps.shape) for _ in range(count)], [places] * count


@pytest.mark.parametrize("width", [0.05, 0.1, 0.2])
def test_the_advice_grows_with_the_reach_of_the_similarity(width):
    advice = advise(likeness(*volumes(width)))
    assert advice is not None
    assert advice.threshold == pytest.approx(1.18 * width, abs=0.06)
    assert f"{advice.threshold:.2f}"[:3] in advice.reason


def test_positions_that_say_nothing_give_no_advice():
    rng = np.random.default_rng(0)
    features, places = volumes(0.1)
    assert advise(likeness([rng.normal(0, 1, part.shape) for part in features], places)) is None


def test_the_matrix_is_the_mean_cosine_over_pairs_of_volumes():
    features, places = volumes(0.1, count=4, slices=20)
    found = likeness(features, places)
    unit = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in features]
    for row, column in ((0, 0), (3, 7), (19, 2)):
        pairs = [unit[a][row] @ unit[b][column] for a in range(4) for b in range(4) if a != b]
        assert found.matrix[row, column] == pytest.approx(np.mean(pairs))
    assert found.profile[3] == pytest.approx(np.mean(np.diagonal(found.matrix, 3)))


def test_bins_that_no_pair_shares_are_unknown():
    features, places = volumes(0.1, count=2, slices=20)
    half = [part[:10] for part in features], [part[:10] for part in places]
    assert np.isnan(likeness(*half).matrix[15, 15])


def test_neighbours_are_the_most_similar_slices_of_other_volumes():
    features, _ = volumes(0.1, count=4, slices=20)
    found = neighbours(features, most=2)
    unit = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in features]
    for volume in range(4):
        for number in (0, 11):
            most = {other: float((unit[other] @ unit[volume][number]).max()) for other in range(4) if other != volume}
            best = sorted(most, key=most.__getitem__, reverse=True)
            assert [entry[0] for entry in found[volume][number]] == best[:2]
            other, slice_number, cosine = found[volume][number][0]
            assert cosine == pytest.approx(unit[other][slice_number] @ unit[volume][number], abs=1e-5)


def test_plain_features_are_the_same_however_many_are_looked_at_at_once():
    images = np.random.default_rng(0).uniform(0, 1, (300, 32, 32)).astype(np.float16)
    features = PlainFeatures()(images)
    assert features.shape == (300, 272)
    pictures = images.astype(np.float32).reshape(300, 16, 2, 16, 2).mean(axis=(2, 4)).reshape(300, -1)
    np.testing.assert_allclose(features[:, :256], pictures / pictures.std(), rtol=1e-4)
    histogram = np.array([np.histogram(image, bins=16, range=(0, 1))[0] / 1024 for image in images])
    np.testing.assert_allclose(features[:, 256:], histogram / histogram.std(), rtol=1e-4)


def test_principal_components_keep_the_distances_of_a_low_dimensional_cloud():
    rng = np.random.default_rng(0)
    cloud = rng.normal(0, 1, (100, 3)) @ rng.normal(0, 1, (3, 3))
    features = cloud / (cloud.std(axis=0) + 2 * np.sqrt((cloud.std(axis=0) ** 2).mean()))
    found = principal(cloud, 3)
    ours = np.linalg.norm(found[:50] - found[50:], axis=1)
    theirs = np.linalg.norm(features[:50] - features[50:], axis=1)
    np.testing.assert_allclose(ours / theirs, (ours / theirs)[0], rtol=1e-6)
