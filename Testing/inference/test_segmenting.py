from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pcl_core.cancellation import Cancellation
from pcl_core.errors import CancelledError, InputError
from pcl_core.events import Collected, Reporter
from pcl_core.inference.predicting import Predictor
from pcl_core.inference.segmenting import Options, Segmented, segment
from pcl_core.networks.unet import UNet
from pcl_core.training.weights import SegmentClass, WeightFile
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.reading import read_labels, read_volume
from pcl_core.volumes.volume import VolumeSource
from Testing.making import CancelAt, grid_of, stack, stored, tiny_plan, untiring_reporter


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    classes = (SegmentClass(1, "disc", (1, 0, 0)), SegmentClass(9, "spot", (0, 1, 0)))
    network = UNet(4, 3, torch.Generator().manual_seed(0))
    return Predictor(network, WeightFile("unet", tiny_plan(), classes), torch.device("cpu"))


@pytest.fixture
def sources(tmp_path: Path) -> list[VolumeSource]:
    """Two volumes, one of them oblique and stored from head to foot."""
    turned = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, -1.0)
    oblique = grid_of((6, 24, 20), (1.5, 1.2, 8.0), turned, (10.0, -20.0, 30.0))
    return [
        stored(tmp_path / "in" / "one.nrrd", stack(1)[0]),
        stored(tmp_path / "in" / "two.nii.gz", stack(2, slices=6)[0][:, :24, :20].copy(), oblique),
    ]


def run(predictor: Predictor, sources: list[VolumeSource], out: Path, sink: Collected, **options: bool) -> Segmented:
    return segment(predictor, sources, out, Reporter(sink), Cancellation(), Options(**options))


def broken(folder: Path) -> VolumeSource:
    return stored(folder / "flat.nrrd", np.full((3, 8, 8), 5, np.int16))


def test_one_label_volume_an_input_on_the_inputs_own_grid(predictor, sources, tmp_path: Path) -> None:
    sink = Collected()
    result = run(predictor, sources, tmp_path / "out", sink)
    assert [path.name for path in result.written] == ["one_seg.nrrd", "two_seg.nrrd"]
    assert result.skipped == ()
    assert [Path(event["path"]) for event in sink.named("artifact")] == list(result.written)
    for path, source in zip(result.written, sources, strict=True):
        (found,) = find_volumes(path).sources
        labels = read_labels(found, source)  # refuses another grid
        assert np.array_equal(labels, predictor.predict(read_volume(source)).labels)
        assert set(np.unique(labels)) <= {0, 1, 9}


def test_probabilities_are_written_a_class_under_its_value(predictor, sources, tmp_path: Path) -> None:
    run(predictor, sources[1:], tmp_path / "out", Collected(), probabilities=True)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["two_probability_0.nrrd", "two_probability_1.nrrd", "two_probability_9.nrrd", "two_seg.nrrd"]
    expected = predictor.predict(read_volume(sources[1]), probabilities=True).probabilities
    for value, channel in zip((0, 1, 9), expected, strict=True):
        (source,) = find_volumes(tmp_path / "out" / f"two_probability_{value}.nrrd").sources
        assert np.array_equal(read_volume(source).voxels, channel)


def test_a_bad_volume_among_good_ones_is_reported_and_left_out(predictor, sources, tmp_path: Path) -> None:
    sink = Collected()
    result = run(predictor, [sources[0], broken(tmp_path), sources[1]], tmp_path / "out", sink)
    assert result.skipped == ("flat",)
    assert len(result.written) == 2
    (warning,) = sink.named("warning")
    assert "flat.nrrd" in warning["message"]
    assert not (tmp_path / "out" / "flat_seg.nrrd").exists()


def test_strict_and_being_alone_refuse_a_bad_volume(predictor, sources, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"flat\.nrrd"):
        run(predictor, [broken(tmp_path), sources[0]], tmp_path / "out", Collected(), strict=True)
    with pytest.raises(InputError, match=r"flat\.nrrd"):
        run(predictor, [broken(tmp_path)], tmp_path / "out", Collected())
    assert not list((tmp_path / "out").iterdir())


def test_only_bad_volumes_are_refused_with_the_first_reason(predictor, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"None of the 2 volumes .*flat\.nrrd"):
        run(predictor, [broken(tmp_path)] * 2, tmp_path / "out", Collected())


def test_an_earlier_segment_is_replaced(predictor, sources, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "one_seg.nrrd").write_text("old")
    run(predictor, sources[:1], tmp_path / "out", Collected())
    (found,) = find_volumes(tmp_path / "out" / "one_seg.nrrd").sources
    assert read_labels(found, sources[0]).shape == (10, 32, 32)


def test_a_cancelled_run_keeps_the_segments_that_are_done_and_names_them(predictor, sources, tmp_path: Path) -> None:
    cancellation = Cancellation()
    sink = CancelAt(cancellation, "segment", 11)  # the ten slices of the first volume, and its writing
    with pytest.raises(CancelledError) as caught:
        segment(predictor, sources, tmp_path / "out", untiring_reporter(sink), cancellation)
    assert caught.value.kept == tmp_path / "out"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["one_seg.nrrd"]


def test_a_run_that_is_cancelled_at_once_keeps_nothing(predictor, sources, tmp_path: Path) -> None:
    cancellation = Cancellation()
    cancellation.request()
    with pytest.raises(CancelledError) as caught:
        segment(predictor, sources, tmp_path / "out", Reporter(), cancellation)
    assert caught.value.kept is None
    assert not list((tmp_path / "out").iterdir())


def test_progress_counts_slices_to_the_end(predictor, sources, tmp_path: Path) -> None:
    sink = Collected()
    segment(predictor, [sources[0], broken(tmp_path)], tmp_path / "out", untiring_reporter(sink), Cancellation())
    done = [event["done"] for event in sink.named("progress")]
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == sink.named("progress")[-1]["total"]


def test_millilitres_are_voxels_times_their_size(predictor, sources, tmp_path: Path) -> None:
    result = run(predictor, sources, tmp_path / "out", Collected())
    for one, source in zip(result.found, sources, strict=True):
        labels = predictor.predict(read_volume(source)).labels
        x, y, z = source.geometry.spacing
        assert one.millilitres == {value: pytest.approx((labels == value).sum() * x * y * z / 1000) for value in (1, 9)}


def test_the_confidence_is_written_beside_the_labels(predictor, sources, tmp_path: Path) -> None:
    run(predictor, sources[1:], tmp_path / "out", Collected(), confidence=True)
    (source,) = find_volumes(tmp_path / "out" / "two_confidence.nrrd").sources
    expected = predictor.predict(read_volume(sources[1]), confidence=True).confidence
    assert np.array_equal(read_volume(source).voxels, expected)


def test_an_empty_prediction_is_said_in_words(sources, tmp_path: Path) -> None:
    classes = (SegmentClass(1, "disc", (1, 0, 0)),)
    network = UNet(4, 2, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()  # all classes are equally likely, and the background comes first
    nothing = Predictor(network, WeightFile("unet", tiny_plan(), classes), torch.device("cpu"))
    sink = Collected()
    result = run(nothing, sources[:1], tmp_path / "out", sink)
    assert result.found[0].millilitres == {1: 0}
    (warning,) = sink.named("warning")
    assert "Nothing was found" in warning["message"]
    assert "one.nrrd" in warning["message"]
