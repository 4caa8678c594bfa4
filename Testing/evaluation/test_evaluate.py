from __future__ import annotations

import json
import math

import numpy as np
import pytest

from pcl_core.errors import InputError
from pcl_core.evaluation.evaluate import evaluate
from pcl_core.evaluation.metrics import PooledDice, case_metrics
from pcl_core.events import Collected, Reporter
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.writing import write_volume

SPACING = (1.5, 1.25, 8.0)


def grid(array, origin=(0.0, 0.0, 0.0)):
    return Geometry(array.shape[::-1], SPACING, origin, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))


def labels(seed, values=(1, 2)):
    rng = np.random.default_rng(seed)
    array = np.zeros((4, 10, 12), np.uint8)
    for value in values:
        z, y, x = rng.integers(0, (2, 5, 6))
        array[z : z + 2, y : y + 4, x : x + 5] = value
    return array


@pytest.fixture
def folders(tmp_path):
    """Three truths as NIfTI and their predictions as NRRD, one of them perfect."""
    truths, predictions = {}, {}
    for number in range(3):
        name = f"heart_{number}"
        truths[name], predictions[name] = labels(number), labels(number if number == 0 else number + 10)
        write_volume(tmp_path / "truth" / f"{name}.nii.gz", truths[name], grid(truths[name]))
        write_volume(tmp_path / "predictions" / f"{name}_seg.nrrd", predictions[name], grid(truths[name]))
    return tmp_path, predictions, truths


def run(folder, strict=False):
    sink = Collected()
    return evaluate(folder / "predictions", folder / "truth", Reporter(sink), strict), sink


def test_cases_are_matched_by_name_and_compared_on_their_grid(folders):
    folder, predictions, truths = folders
    result, sink = run(folder, strict=True)
    assert set(result.cases) == set(truths)
    for name, metrics in result.cases.items():
        assert metrics == case_metrics(predictions[name], truths[name], SPACING[::-1], [1, 2])
    assert result.cases["heart_0"][1].dice == 1
    pooled = PooledDice([1, 2])
    for name, truth in truths.items():
        pooled.add(predictions[name], truth)
    assert result.pooled == pooled.per_class()
    assert sink.named("progress")[-1]["done"] == 3
    assert not sink.named("warning")


def test_the_table_for_people_has_mean_and_deviation_a_class(folders):
    folder, _, _ = folders
    result, sink = run(folder)
    rows = {row[0]: row for row in sink.named("table")[0]["rows"]}
    dice = [result.cases[name][2].dice for name in result.cases]
    assert rows["2"][1] == f"{np.mean(dice):.3f} ± {np.std(dice, ddof=1):.3f}"
    assert rows["mean"][1] == f"{np.mean([[m[k].dice for k in (1, 2)] for m in result.cases.values()]):.3f}"
    assert rows["2"][5] == "3"


def test_the_json_holds_cases_means_and_the_pooled_dice(folders):
    folder, _, _ = folders
    result, _ = run(folder)
    result.save(folder / "out" / "figures.json")
    read = json.loads((folder / "out" / "figures.json").read_text())
    assert read["cases"]["heart_1"]["2"]["hd95_mm"] == pytest.approx(result.cases["heart_1"][2].hd95_mm, nan_ok=True)
    assert read["mean"]["1"]["dice"] == pytest.approx(np.mean([m[1].dice for m in result.cases.values()]))
    assert read["mean"]["all"]["dice"] == pytest.approx((read["mean"]["1"]["dice"] + read["mean"]["2"]["dice"]) / 2)
    assert read["pooled_dice"]["all"] == pytest.approx((read["pooled_dice"]["1"] + read["pooled_dice"]["2"]) / 2)
    assert read["skipped"] == []


def test_class_names_come_from_the_data_set_beside_the_truths(folders):
    folder, _, _ = folders
    (folder / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "ventricle": 1, "muscle": 2, "unused": 3}}))
    result, sink = run(folder)
    assert result.names == {1: "ventricle", 2: "muscle"}
    assert [row[0] for row in sink.named("table")[0]["rows"]] == ["ventricle", "muscle", "mean"]


@pytest.mark.parametrize("suffix", ["_gt", "_label", "_mask", "-label", "_seg", ""])
@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_suffixes_of_labels_and_formats_do_not_matter(tmp_path, suffix, ending):
    array = labels(0)
    write_volume(tmp_path / "truth" / f"case.1{suffix}{ending}", array, grid(array))
    write_volume(tmp_path / "predictions" / "case.1_seg.nrrd", array, grid(array))
    result, _ = run(tmp_path, strict=True)
    assert result.cases["case.1"][1].dice == 1


def test_a_prediction_made_from_a_file_with_a_modality_number_finds_its_truth(tmp_path):
    array = labels(0)
    write_volume(tmp_path / "truth" / "heart_007.nii.gz", array, grid(array))
    write_volume(tmp_path / "predictions" / "heart_007_0000_seg.nrrd", array, grid(array))
    assert set(run(tmp_path, strict=True)[0].cases) == {"heart_007"}


def test_names_that_end_in_a_number_of_four_digits_stay_apart(tmp_path):
    for number in (1001, 1002):
        array = labels(number)
        write_volume(tmp_path / "truth" / f"scan_{number}_label.nii.gz", array, grid(array))
        write_volume(tmp_path / "predictions" / f"scan_{number}_image_seg.nrrd", array, grid(array))
    result, _ = run(tmp_path, strict=True)
    assert set(result.cases) == {"scan_1001", "scan_1002"}
    assert all(metrics[1].dice == 1 for metrics in result.cases.values())


def test_two_single_files_are_compared_whatever_their_names_are(tmp_path):
    array = labels(0)
    write_volume(tmp_path / "a.nrrd", array, grid(array))
    write_volume(tmp_path / "b.nii.gz", array, grid(array))
    result = evaluate(tmp_path / "a.nrrd", tmp_path / "b.nii.gz", Reporter())
    assert result.cases["b"][2].dice == 1


def test_what_is_not_annotated_is_no_class_and_takes_no_part(tmp_path):
    array = labels(0)
    partly = array.copy()
    partly[2:] = 255
    predicted = array.copy()
    predicted[3] = 9
    write_volume(tmp_path / "a.nrrd", predicted, grid(array))
    write_volume(tmp_path / "b.nrrd", partly, grid(array))
    sink = Collected()
    result = evaluate(tmp_path / "a.nrrd", tmp_path / "b.nrrd", Reporter(sink))
    assert result.classes == (1, 2)
    assert result.cases["b"][1].dice == 1
    assert not sink.named("warning")


def test_a_class_that_a_case_lacks_is_left_out_of_its_mean_and_one_missed_counts_as_0(folders):
    folder, _, _ = folders
    for name, truth, prediction in (("lacks", (1,), (1,)), ("missed", (1, 2), (1,))):
        write_volume(folder / "truth" / f"{name}.nrrd", labels(5, truth), grid(labels(5)))
        write_volume(folder / "predictions" / f"{name}_seg.nrrd", labels(5, prediction), grid(labels(5)))
    result, _ = run(folder)
    assert math.isnan(result.cases["lacks"][2].dice)
    assert result.cases["missed"][2].dice == 0
    assert result.known(2) == 4
    known = [result.cases[name][2].dice for name in ("heart_0", "heart_1", "heart_2", "missed")]
    assert result.over_cases(2, "dice")[0] == pytest.approx(np.mean(known))
    assert result.to_json()["cases"]["lacks"]["2"] == {"dice": None, "hd95_mm": None, "assd_mm": None}
    assert result.lacking(2) >= 1


def test_labels_that_only_predictions_have_are_named_and_not_counted(tmp_path):
    write_volume(tmp_path / "a.nrrd", labels(0, (1, 7)), grid(labels(0)))
    write_volume(tmp_path / "b.nrrd", labels(0, (1,)), grid(labels(0)))
    sink = Collected()
    result = evaluate(tmp_path / "a.nrrd", tmp_path / "b.nrrd", Reporter(sink))
    assert result.classes == (1,)
    assert set(result.pooled) == {1}
    assert "7" in sink.named("warning")[0]["message"]


def spoil_by_shifting_the_grid(folder):
    write_volume(folder / "predictions" / "heart_1_seg.nrrd", labels(1), grid(labels(1), origin=(0.0, 0.0, 8.0)))
    return "origin"


def spoil_by_another_size(folder):
    write_volume(folder / "predictions" / "heart_1_seg.nrrd", labels(1)[:3], grid(labels(1)[:3]))
    return "size"


def spoil_by_cutting_the_file(folder):
    path = folder / "truth" / "heart_1.nii.gz"
    path.write_bytes(path.read_bytes()[:-40])
    return "heart_1.nii.gz"


def spoil_by_text(folder):
    (folder / "truth" / "heart_1.nii.gz").write_text("no volume")
    return "heart_1.nii.gz"


def spoil_by_leaving_out_a_prediction(folder):
    (folder / "predictions" / "heart_1_seg.nrrd").unlink()
    return "heart_1.nii.gz"


def spoil_by_leaving_out_a_truth(folder):
    (folder / "truth" / "heart_1.nii.gz").unlink()
    return "heart_1_seg.nrrd"


def spoil_by_fractions(folder):
    write_volume(folder / "predictions" / "heart_1_seg.nrrd", labels(1) * np.float32(0.5), grid(labels(1)))
    return "heart_1_seg.nrrd"


def spoil_by_two_of_one_name(folder):
    write_volume(folder / "predictions" / "heart_1_gt.nrrd", labels(1), grid(labels(1)))
    return "several"


SPOILS = [
    spoil_by_shifting_the_grid,
    spoil_by_another_size,
    spoil_by_cutting_the_file,
    spoil_by_text,
    spoil_by_leaving_out_a_prediction,
    spoil_by_leaving_out_a_truth,
    spoil_by_fractions,
    spoil_by_two_of_one_name,
]


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_bad_case_is_reported_in_one_line_and_left_out_unless_strict(folders, spoil):
    folder, _, _ = folders
    named = spoil(folder)
    result, sink = run(folder)
    assert set(result.cases) == {"heart_0", "heart_2"}
    messages = [event["message"] for event in sink.named("warning")]
    assert any(named in message for message in messages)
    assert all("\n" not in message for message in messages)
    assert list(result.skipped) == messages
    with pytest.raises(InputError):
        run(folder, strict=True)


def test_nothing_to_compare_is_an_input_error(folders, tmp_path):
    folder, _, _ = folders
    write_volume(tmp_path / "other" / "lung.nrrd", labels(0), grid(labels(0)))
    with pytest.raises(InputError, match="has the name"):
        evaluate(tmp_path / "other", folder / "truth", Reporter())
    with pytest.raises(InputError, match="nowhere"):
        evaluate(tmp_path / "nowhere", folder / "truth", Reporter())
    write_volume(tmp_path / "one" / "heart_0.nrrd", labels(0)[:2], grid(labels(0)[:2]))
    with pytest.raises(InputError, match=r"can be compared.*size"):
        evaluate(tmp_path / "one" / "heart_0.nrrd", folder / "truth", Reporter())


def test_truths_without_any_label_give_no_figures_and_a_warning(tmp_path):
    empty = np.zeros_like(labels(0))
    write_volume(tmp_path / "a.nrrd", empty, grid(empty))
    write_volume(tmp_path / "b.nrrd", empty, grid(empty))
    sink = Collected()
    result = evaluate(tmp_path / "a.nrrd", tmp_path / "b.nrrd", Reporter(sink))
    assert result.classes == ()
    assert result.to_json()["mean"]["all"]["dice"] is None
    assert len(sink.named("warning")) == 1
