from __future__ import annotations

import itertools
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pcl_core.cancellation import Cancellation
from pcl_core.errors import CancelledError, InputError, OutOfMemoryError
from pcl_core.inference.embedding import EncoderFeatures
from pcl_core.inference.predicting import Predictor
from pcl_core.networks.unet import Encoder, UNet
from pcl_core.training.weights import SegmentClass, WeightFile, save_weights
from Testing.making import grid_of, restored, slice_plan, stack, tiny_plan, volume_of

CPU = torch.device("cpu")
CLASSES = (SegmentClass(3, "grey", (1, 0, 0)), SegmentClass(200, "white", (0, 1, 0)))


class Levels(nn.Module):
    """A network that tells air (0), grey (0.5) and white (1) apart by the nearest level, and nothing else."""

    def forward(self, images: Tensor) -> Tensor:
        levels = torch.tensor([0.0, 0.5, 1.0]).to(images)[None, :, None, None]
        return -20 * (images - levels).abs()


class Recorder(Levels):
    """The same, and it remembers the shapes that it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, ...]] = []

    def __deepcopy__(self, memo: dict) -> Recorder:
        return self  # the predictor works on a copy, and this must see what that sees

    def forward(self, images: Tensor) -> Tensor:
        self.shapes.append(tuple(images.shape))
        return super().forward(images)


def predictor_of(network: nn.Module | None = None, size: int = 32, resolution: float = 1.0, **plan: object) -> Predictor:
    slices = slice_plan(size, resolution, low_percentile=0.0, high_percentile=100.0, **plan)
    about = WeightFile("unet", replace(tiny_plan(), slices=slices), CLASSES)
    return Predictor(network or Levels(), about, CPU)


def painted(labels: np.ndarray) -> np.ndarray:
    """An image of air, grey and white where a label map is 0, 3 and 200."""
    return np.choose((labels == 3) + 2 * (labels == 200), [0, 500, 1000]).astype(np.int16)


def anatomy(shape: tuple[int, int, int] = (6, 40, 36), spacing: tuple[float, float, float] = (1.0, 1.0, 5.0)) -> np.ndarray:
    """Labels 0, 3 and 200 of nested ellipses that are symmetrical in no way."""
    places = [(np.arange(n) + 0.5) / n for n in shape]
    z, y, x = np.meshgrid(*places, indexing="ij")
    labels = np.zeros(shape, np.uint8)
    labels[((y - 0.45) / 0.33) ** 2 + ((x - 0.55) / 0.28) ** 2 < 0.5 + 0.5 * z] = 3
    labels[((y - 0.4) / 0.14) ** 2 + ((x - 0.6) / 0.17) ** 2 < 0.5 + 0.5 * z] = 200
    return labels


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * float((a & b).sum()) / float(a.sum() + b.sum())


def test_labels_come_back_on_the_stored_grid_exactly() -> None:
    labels = anatomy((6, 30, 24))
    found = predictor_of().predict(volume_of(painted(labels))).labels
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    assert np.array_equal(found, labels)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", list(itertools.product([False, True], repeat=3)))
def test_the_same_anatomy_stored_otherwise_gets_the_same_labels_in_its_own_order(
    order: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> None:
    labels = anatomy((5, 24, 20))
    geometry = grid_of(labels.shape, (1.1, 0.9, 7.0), origin=(4.0, 5.0, 6.0))
    predictor = predictor_of(resolution=0.8)
    expected = predictor.predict(volume_of(painted(labels), geometry)).labels
    other, other_geometry = restored(painted(labels), geometry, order, flips)
    found = predictor.predict(volume_of(other, other_geometry)).labels
    assert found.shape == other.shape
    assert np.array_equal(found, restored(expected, geometry, order, flips)[0])


@given(
    spacing=st.tuples(st.floats(0.5, 2.0), st.floats(0.5, 2.0)),
    resolution=st.floats(0.5, 1.5),
    size=st.sampled_from([16, 64, 96]),
)
@settings(deadline=None, max_examples=40)
def test_whatever_the_resolution_labels_lie_where_the_anatomy_is(
    spacing: tuple[float, float], resolution: float, size: int
) -> None:
    # Two levels only: between air and white the halfway point is the border, whatever the blur.
    labels = np.where(anatomy((3, 44, 40)) == 0, 0, 200).astype(np.uint8)
    geometry = grid_of(labels.shape, (*spacing, 9.0))
    network = nn.Sequential(Levels(), Without())
    found = predictor_of(network, size, resolution).predict(volume_of(painted(labels), geometry)).labels
    assert dice(found == 200, labels == 200) > 0.95
    for axis in (1, 2):
        where = [np.average(np.indices(plane.shape)[axis], weights=plane == 200) for plane in (found, labels)]
        assert where[0] == pytest.approx(where[1], abs=0.12)


class Without(nn.Module):
    """Takes the middle class out."""

    def forward(self, logits: Tensor) -> Tensor:
        return logits - torch.tensor([0.0, 1e4, 0.0])[None, :, None, None]


def test_slices_larger_than_the_plan_are_padded_to_a_multiple_of_16_and_labelled_to_their_edges() -> None:
    labels = anatomy((3, 70, 45))
    labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1] = 200, 200, 200, 200
    network = Recorder()
    found = predictor_of(network, size=32).predict(volume_of(painted(labels))).labels
    assert {shape[1:] for shape in network.shapes} == {(1, 80, 80)}
    assert np.array_equal(found, labels)


def test_slices_that_fit_are_padded_to_the_plan() -> None:
    network = Recorder()
    predictor_of(network, size=64).predict(volume_of(painted(anatomy((3, 20, 45)))))
    assert {shape[1:] for shape in network.shapes} == {(1, 64, 64)}


@pytest.mark.parametrize("shape", [(1, 1, 2), (1, 8, 8), (2, 1, 40), (3, 100, 1)])
def test_volumes_of_a_few_voxels_are_labelled(shape: tuple[int, int, int]) -> None:
    voxels = (np.arange(np.prod(shape)).reshape(shape) % 2 * 1000).astype(np.int16)
    found = predictor_of().predict(volume_of(voxels)).labels
    assert np.array_equal(found == 200, voxels == 1000)


def test_channels_are_the_classes_in_order_after_the_background() -> None:
    labels = anatomy()
    prediction = predictor_of().predict(volume_of(painted(labels)), probabilities=True)
    assert predictor_of().values.tolist() == [0, 3, 200]
    for channel, value in enumerate((0, 3, 200)):
        inside = prediction.probabilities[channel][labels == value]
        assert inside.mean() > 240


def test_probabilities_lie_on_the_stored_grid_sum_to_one_and_agree_with_the_labels() -> None:
    labels = anatomy((5, 24, 20))
    geometry = grid_of(labels.shape, (1.1, 0.9, 7.0))
    array, stored_otherwise = restored(painted(labels), geometry, (2, 0, 1), (True, False, True))
    prediction = predictor_of(resolution=0.8).predict(volume_of(array, stored_otherwise), probabilities=True)
    shares = prediction.probabilities
    assert (shares.dtype, shares.shape) == (np.uint8, (3, *array.shape))
    assert np.abs(shares.sum(axis=0, dtype=int) - 255).max() <= 2
    best = np.array([0, 3, 200])[shares.argmax(axis=0)]
    clear = np.sort(shares, axis=0)[-1].astype(int) - np.sort(shares, axis=0)[-2] > 2
    assert np.array_equal(best[clear], prediction.labels[clear])


def test_probabilities_are_left_out_unless_asked_for() -> None:
    assert predictor_of().predict(volume_of(painted(anatomy()))).probabilities is None


def test_several_looks_agree_with_one_look_and_stay_in_place() -> None:
    labels = anatomy((3, 48, 48))
    predictor, volume = predictor_of(size=64), volume_of(painted(labels))
    one, several = (predictor.predict(volume, tta=tta, probabilities=True) for tta in (False, True))
    assert not np.array_equal(one.probabilities, several.probabilities)
    for value in (3, 200):
        assert dice(several.labels == value, labels == value) > 0.9
    where = [np.argwhere(prediction.labels == 200).mean(axis=0) for prediction in (one, several)]
    np.testing.assert_allclose(where[0], where[1], atol=0.2)


def test_every_look_is_turned_back_to_where_it_came_from() -> None:
    class Unsure(Levels):
        """The same network with little confidence, so that one look that disagrees is seen in the probabilities."""

        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images) / 10

    labels = np.zeros((1, 48, 48), np.uint8)
    rows, columns = np.indices((48, 48)) - 23.5
    away = np.hypot(rows, columns)
    labels[0][away < 14] = 200
    shares = predictor_of(Unsure(), size=64).predict(volume_of(painted(labels)), tta=True, probabilities=True).probabilities
    one = predictor_of(Unsure(), size=64).predict(volume_of(painted(labels)), probabilities=True).probabilities
    clear = (away < 12) | ((away > 16) & (away < 20))
    assert np.abs(shares[:, 0][:, clear].astype(int) - one[:, 0][:, clear]).max() <= 8


def test_several_looks_do_not_mirror() -> None:
    class Side(nn.Module):
        """Tells left from right by place alone, as a network does that knows which ventricle is which."""

        def forward(self, images: Tensor) -> Tensor:
            place = torch.linspace(-1, 1, images.shape[-1]).expand(images.shape[0], images.shape[-2], -1)
            return torch.stack([torch.full_like(place, -9), 20 * place, -20 * place], dim=1)

    found = predictor_of(Side()).predict(volume_of(painted(anatomy((2, 32, 32)))), tta=True).labels
    assert (found[:, 8:24, 2:12] == 200).all()
    assert (found[:, 8:24, 20:30] == 3).all()


def test_all_slices_go_through_whatever_the_batches() -> None:
    labels = anatomy((67, 20, 24))
    network = Recorder()
    done: list[int] = []
    found = predictor_of(network, size=96).predict(volume_of(painted(labels)), advanced=done.append).labels
    assert np.array_equal(found, labels)
    assert len(network.shapes) > 3
    assert sum(shape[0] for shape in network.shapes) == 67
    assert done == sorted(done)
    assert done[-1] == 67


def test_a_request_to_stop_is_followed_between_batches() -> None:
    cancellation, done = Cancellation(), []

    def advanced(slices: int) -> None:
        done.append(slices)
        cancellation.request()

    with pytest.raises(CancelledError):
        predictor_of(size=96).predict(
            volume_of(painted(anatomy((67, 20, 24)))), cancellation=cancellation, advanced=advanced
        )  # fmt: skip
    assert len(done) == 1


def test_memory_does_not_grow_with_floats_of_the_whole_volume() -> None:
    voxels = np.random.default_rng(0).integers(0, 1000, (500, 96, 96)).astype(np.int16)
    volume = volume_of(voxels, grid_of(voxels.shape, (1.0, 1.0, 1.0)))
    predictor = predictor_of(size=32, resolution=3.0)
    tracemalloc.start()
    predictor.predict(volume)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * voxels.nbytes


def test_fine_volumes_go_through_in_small_batches_also_when_the_plan_is_coarse() -> None:
    network = Recorder()
    voxels = np.zeros((3, 700, 700), np.int16)
    voxels[:, 200:400, 200:400] = 1000
    found = predictor_of(network, size=32, resolution=25.0).predict(volume_of(voxels)).labels
    assert found.shape == voxels.shape
    assert {shape[0] for shape in network.shapes} == {1}


@pytest.mark.parametrize("voxels", [np.full((2, 8, 8), 7.0), np.full((2, 8, 8), np.nan)])
def test_volumes_that_cannot_be_prepared_are_refused_by_name(voxels: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"heart7\.nrrd"):
        predictor_of().predict(volume_of(voxels, name="heart7"))


def test_a_model_from_its_file_labels_as_the_network_that_was_saved(tmp_path: Path) -> None:
    network = UNet(4, 3, torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        for _ in range(3):  # statistics that are not those of the beginning
            network.train()(torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(1)))
    network.eval()
    about = WeightFile("unet", tiny_plan(), CLASSES)
    save_weights(tmp_path / "model.safetensors", network.state_dict(), about)
    volume = volume_of(stack(0)[0])
    loaded = Predictor.load(tmp_path / "model.safetensors", CPU)
    assert loaded.classes == CLASSES
    one = loaded.predict(volume, probabilities=True)
    other = Predictor(network, about, CPU).predict(volume, probabilities=True)
    assert np.array_equal(one.labels, other.labels)
    assert np.array_equal(one.probabilities, other.probabilities)


def test_an_encoder_is_no_model(tmp_path: Path) -> None:
    save_weights(tmp_path / "e.safetensors", {"w": torch.zeros(1)}, WeightFile("encoder", tiny_plan()))
    with pytest.raises(InputError, match=r"e\.safetensors"):
        Predictor.load(tmp_path / "e.safetensors", CPU)


def test_tensors_that_do_not_fit_the_plan_in_their_file_are_refused(tmp_path: Path) -> None:
    about = WeightFile("unet", tiny_plan(network__filters=8), CLASSES)
    save_weights(tmp_path / "m.safetensors", UNet(4, 3).state_dict(), about)
    with pytest.raises(InputError, match=r"m\.safetensors"):
        Predictor.load(tmp_path / "m.safetensors", CPU)


def test_predicting_leaves_the_network_as_it_was() -> None:
    network = UNet(4, 3, torch.Generator().manual_seed(0))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    predictor_of(network).predict(volume_of(painted(anatomy())))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_confidence_is_the_probability_of_the_label_in_percent():
    labels = anatomy()
    prediction = predictor_of().predict(volume_of(painted(labels)), probabilities=True, confidence=True)
    assert prediction.confidence is not None
    assert prediction.confidence.dtype == np.uint8
    assert prediction.confidence.shape == prediction.labels.shape
    largest = prediction.probabilities.max(axis=0) / 255 * 100
    assert np.abs(prediction.confidence - largest).max() <= 1


def test_confidence_is_left_out_unless_asked_for():
    assert predictor_of().predict(volume_of(painted(anatomy()))).confidence is None


@pytest.mark.parametrize(
    ("load", "network", "kind", "module"),
    [
        (Predictor.load, UNet(4, 3), "unet", "pcl_core.inference.predicting"),
        (EncoderFeatures.load, Encoder(4), "encoder", "pcl_core.inference.embedding"),
    ],
)
def test_a_gpu_that_others_have_filled_is_told_as_that_while_loading(
    load, network, kind, module, tmp_path, monkeypatch
) -> None:
    def full(_network: nn.Module, _device: torch.device) -> nn.Module:
        raise torch.AcceleratorError("CUDA error: out of memory")

    about = WeightFile(kind, tiny_plan(), CLASSES if kind == "unet" else ())
    save_weights(tmp_path / "w.safetensors", network.state_dict(), about)
    monkeypatch.setattr(f"{module}.on_device", full)
    with pytest.raises(OutOfMemoryError, match="memory of the device") as caught:
        load(tmp_path / "w.safetensors", torch.device("cuda"))
    assert "--device cpu" in caught.value.hint
