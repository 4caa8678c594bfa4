from __future__ import annotations

import gc
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pcl_core.cancellation import Cancellation
from pcl_core.errors import CancelledError, InputError
from pcl_core.events import Collected, Event
from pcl_core.networks.unet import Encoder
from pcl_core.plan import AugmentationPlan, load_plan
from pcl_core.presets import suited_to
from pcl_core.pretext.registry import NAMES
from pcl_core.slices.bank import BankedVolume, BankItem, SliceBank
from pcl_core.training.context import Context
from pcl_core.training.history import read_history
from pcl_core.training.pretraining import pretrain
from pcl_core.training.weights import load_weights, transfer_encoder
from Testing.making import CancelAt, bank_of, context_of, stored, stored_items, tiny_plan, untiring_reporter


def encoder_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_weights(folder / "encoder.safetensors", "encoder")[0]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


def cancelled(bank: SliceBank, folder: Path, step: int, **options: object) -> None:
    """Pretrains, and asks to stop after so many steps."""
    with pytest.raises(CancelledError) as caught:
        pretrain(bank, tiny_plan(), folder, context_of(cancel_at=("pretrain", step)), **options)
    assert caught.value.kept == folder / "state"


def test_a_pretraining_leaves_an_encoder_its_facts_its_curve_and_its_plan(bank: SliceBank, tmp_path: Path) -> None:
    result = pretrain(bank, tiny_plan(), tmp_path, context_of(seed=5))
    tensors, about = load_weights(result.encoder, "encoder")
    assert transfer_encoder(Encoder(4), tensors, result.encoder) == len(tensors)
    assert about.plan == load_plan(tmp_path / "plan.json") == tiny_plan()
    assert about.training == {"seed": 5, "steps": 12, "of_steps": 12, "method": "pcl"}
    assert about.data == {volume.id: volume.hash for volume in bank.volumes}
    rows = read_history(tmp_path / "metrics.csv", 12)
    assert [row["step"] for row in rows] == list(range(1, 13))
    assert [row["epoch"] for row in rows] == [1] * 4 + [2] * 4 + [3] * 4
    assert rows[-1]["loss"] == pytest.approx(result.loss, rel=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["encoder.safetensors", "metrics.csv", "plan.json", "state"]


@pytest.mark.parametrize("method", ["pcl", "gcl", "simclr"])
def test_every_method_trains_the_encoder(method: str, bank: SliceBank, tmp_path: Path) -> None:
    pretrain(bank, tiny_plan(pretrain__method=method, pretrain__steps=2), tmp_path, context_of())
    about = load_weights(tmp_path / "encoder.safetensors", "encoder")[1]
    assert about.training["method"] == method


def test_the_seed_decides_everything(bank: SliceBank, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        torch.manual_seed(hash(name))
        pretrain(bank, tiny_plan(pretrain__steps=3), tmp_path / name, context_of(seed=seed))
    assert same(encoder_of(tmp_path / "a"), encoder_of(tmp_path / "b"))
    assert not same(encoder_of(tmp_path / "a"), encoder_of(tmp_path / "c"))


@pytest.mark.parametrize("step", [1, 4, 6, 11])
def test_a_run_that_was_cancelled_and_resumed_is_the_unbroken_one_bit_for_bit(
    step: int, bank: SliceBank, tmp_path: Path
) -> None:
    straight = pretrain(bank, tiny_plan(), tmp_path / "straight", context_of())
    cancelled(bank, tmp_path / "broken", step)
    resumed = pretrain(bank, tiny_plan(), tmp_path / "broken", context_of(), resume=True)
    assert same(encoder_of(tmp_path / "straight"), encoder_of(tmp_path / "broken"))
    assert [row["step"] for row in resumed.rows] == [row["step"] for row in straight.rows]
    for one, other in zip(straight.rows, resumed.rows, strict=True):
        assert other["loss"] == pytest.approx(one["loss"], rel=1e-5)
        assert other["collapse"] == pytest.approx(one["collapse"], rel=1e-4)


def test_a_run_can_be_cancelled_and_resumed_many_times(bank: SliceBank, tmp_path: Path) -> None:
    pretrain(bank, tiny_plan(), tmp_path / "straight", context_of())
    for step in (2, 3, 7):
        cancelled(bank, tmp_path / "broken", step, resume=step > 2)
    pretrain(bank, tiny_plan(), tmp_path / "broken", context_of(), resume=True)
    assert same(encoder_of(tmp_path / "straight"), encoder_of(tmp_path / "broken"))


def test_a_run_that_was_killed_between_two_checkpoints_goes_on_from_the_last_one(bank: SliceBank, tmp_path: Path) -> None:
    pretrain(bank, tiny_plan(), tmp_path / "straight", context_of())
    cancelled(bank, tmp_path / "killed", 4)
    checkpoint = (tmp_path / "killed" / "state" / "state.safetensors").read_bytes()
    cancelled(bank, tmp_path / "killed", 6, resume=True)
    (tmp_path / "killed" / "state" / "state.safetensors").write_bytes(checkpoint)  # but metrics.csv goes to step 6
    resumed = pretrain(bank, tiny_plan(), tmp_path / "killed", context_of(), resume=True)
    assert same(encoder_of(tmp_path / "straight"), encoder_of(tmp_path / "killed"))
    assert [row["step"] for row in resumed.rows] == list(range(1, 13))


def test_what_a_cancelled_run_keeps_is_an_encoder_that_says_how_far_it_came(bank: SliceBank, tmp_path: Path) -> None:
    cancelled(bank, tmp_path, 6)
    _, about = load_weights(tmp_path / "encoder.safetensors", "encoder")
    assert (about.training["steps"], about.training["of_steps"]) == (6, 12)


def test_a_run_that_is_done_is_resumed_without_another_step(bank: SliceBank, tmp_path: Path) -> None:
    first = pretrain(bank, tiny_plan(), tmp_path, context_of())
    before = encoder_of(tmp_path)
    sink = Collected()
    again = pretrain(bank, tiny_plan(), tmp_path, context_of(sink), resume=True)
    assert same(encoder_of(tmp_path), before)
    assert not sink.named("metric")
    assert again.loss == pytest.approx(first.loss, rel=1e-5)


def test_another_plan_seed_or_data_cannot_be_resumed_and_each_is_named(bank: SliceBank, tmp_path: Path) -> None:
    cancelled(bank, tmp_path, 4)
    other_data = replace(bank, volumes=bank.volumes[:2])
    for plan, seed, data, words in (
        (tiny_plan(pretrain__batch=5), 0, bank, "the plan changed"),
        (tiny_plan(), 1, bank, "the seed changed"),
        (tiny_plan(), 0, other_data, "the data changed"),
        (tiny_plan(network__filters=8), 1, other_data, "the plan and the data and the seed changed"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            pretrain(data, plan, tmp_path, context_of(seed=seed), resume=True)
        assert "--resume" in caught.value.hint
    assert load_weights(tmp_path / "encoder.safetensors", "encoder")[1].training["steps"] == 4


def test_other_words_for_the_reasons_do_not_keep_a_run_from_being_resumed(bank: SliceBank, tmp_path: Path) -> None:
    cancelled(bank, tmp_path, 4)
    plan = replace(tiny_plan(), reasons={"slices.size": "As it was."})
    assert pretrain(bank, plan, tmp_path, context_of(), resume=True).steps == 12


def test_resuming_where_there_is_nothing_says_so_and_begins(bank: SliceBank, tmp_path: Path) -> None:
    sink = Collected()
    pretrain(bank, tiny_plan(pretrain__steps=2), tmp_path, context_of(sink), resume=True)
    assert "nothing to resume" in sink.named("warning")[0]["message"]


def test_a_state_of_a_moved_folder_goes_on(bank: SliceBank, tmp_path: Path) -> None:
    cancelled(bank, tmp_path / "here", 6)
    shutil.move(tmp_path / "here", tmp_path / "there")
    pretrain(bank, tiny_plan(), tmp_path / "there", context_of(), resume=True)
    pretrain(bank, tiny_plan(), tmp_path / "straight", context_of())
    assert same(encoder_of(tmp_path / "straight"), encoder_of(tmp_path / "there"))


def test_every_step_sees_other_views(bank: SliceBank, tmp_path: Path) -> None:
    # One batch of all slices, and a rate that leaves the weights as they are: the loss can differ by the views only.
    plan = tiny_plan(pretrain__batch=30, pretrain__learning_rate=1e-12)
    rows = pretrain(bank, plan, tmp_path, context_of()).rows
    assert len({row["loss"] for row in rows}) == len(rows) == 12


def bank_of_equal_slices(folder: Path) -> SliceBank:
    voxels = np.zeros((10, 32, 32), np.int16)
    voxels[0, 0, 0] = 100
    return bank_of(folder, [BankItem(stored(folder / "empty.nrrd", voxels))])


def test_slices_that_cannot_be_told_apart_give_a_warning_of_collapse(tmp_path: Path) -> None:
    bank = bank_of_equal_slices(tmp_path)
    plan = tiny_plan(pretrain__augmentation=AugmentationPlan(), pretrain__steps=3)
    sink = Collected()
    result = pretrain(bank, plan, tmp_path / "out", context_of(sink))
    assert result.collapse > 0.98
    (warning,) = sink.named("warning")
    assert "the encoder has learned nothing" in warning["message"]


def test_a_run_that_stays_collapsed_is_told_of_it_long_before_its_end_and_once(tmp_path: Path) -> None:
    bank = bank_of_equal_slices(tmp_path)
    plan = tiny_plan(pretrain__augmentation=AugmentationPlan(), pretrain__steps=40)
    sink = Collected()
    pretrain(bank, plan, tmp_path / "out", context_of(sink))
    early, _ = sink.named("warning")
    assert "After 21 of 40 steps the embeddings are still all the same" in early["message"]


def test_a_single_slice_is_refused_by_name(tmp_path: Path) -> None:
    bank = bank_of(tmp_path, [BankItem(stored(tmp_path / "one.nrrd", np.eye(32, dtype=np.int16)[None]))])
    with pytest.raises(InputError, match="one has one slice"):
        pretrain(bank, tiny_plan(), tmp_path / "out", context_of())


def test_volumes_that_were_left_out_of_the_bank_are_not_trained_on(bank: SliceBank, tmp_path: Path) -> None:
    # The rows of the middle volume are damaged; were they drawn, the loss would be no number.
    images = np.array(bank.images)
    images[10:20] = np.nan
    gap = replace(bank, images=images, volumes=(bank.volumes[0], bank.volumes[2]))
    assert np.isfinite(pretrain(gap, tiny_plan(), tmp_path, context_of()).loss)


def test_a_rate_that_makes_the_training_diverge_is_told(bank: SliceBank, tmp_path: Path) -> None:
    images = np.array(bank.images)
    images[3] = np.inf
    with pytest.raises(InputError, match="diverged"):
        pretrain(replace(bank, images=images), tiny_plan(), tmp_path, context_of())
    assert not (tmp_path / "encoder.safetensors").exists()


def test_positions_teach_the_encoder_to_tell_slices_apart(tmp_path: Path) -> None:
    bank = bank_of(tmp_path, stored_items(tmp_path, 4, slices=12))
    views = AugmentationPlan(rotation_degrees=20, scale_low=0.95, scale_high=1.05, noise=0.02)
    plan = tiny_plan(pretrain__steps=60, pretrain__batch=16, pretrain__augmentation=views)
    result = pretrain(bank, plan, tmp_path / "out", context_of())
    figures = [row["collapse"] for row in result.rows]
    assert figures[0] > 0.8
    assert np.mean(figures[-10:]) < 0.4


def test_the_last_weights_of_a_bank_of_unequal_volumes_depend_on_every_volume(bank: SliceBank, tmp_path: Path) -> None:
    short = replace(bank, volumes=(*bank.volumes[:2], BankedVolume("case2", "case2", 20, 3, "x", 4.0)))
    for name, data in (("whole", bank), ("short", short)):
        pretrain(data, tiny_plan(pretrain__steps=4), tmp_path / name, context_of())
    assert not same(encoder_of(tmp_path / "whole"), encoder_of(tmp_path / "short"))


@pytest.mark.parametrize("method", NAMES)
def test_every_method_resumes_bit_for_bit_in_the_middle_of_an_epoch(method: str, bank: SliceBank, tmp_path: Path) -> None:
    plan = suited_to(tiny_plan(), method).override(pretrain__method=method)
    straight = pretrain(bank, plan, tmp_path / "straight", context_of())
    assert np.isfinite([row["collapse"] for row in straight.rows]).all()
    with pytest.raises(CancelledError):
        pretrain(bank, plan, tmp_path / "halves", context_of(cancel_at=("pretrain", 5)))
    pretrain(bank, plan, tmp_path / "halves", context_of(), resume=True)
    assert same(encoder_of(tmp_path / "straight"), encoder_of(tmp_path / "halves"))


@pytest.mark.parametrize("method", ["rotation", "pirl", "moco", "moco-pcl", "gcl-gd"])
def test_every_other_method_learns_something_too(method: str, tmp_path: Path) -> None:
    bank = bank_of(tmp_path, stored_items(tmp_path, 4, slices=12))
    views = AugmentationPlan(rotation_degrees=5, scale_low=0.95, scale_high=1.05, noise=0.02)
    plan = suited_to(tiny_plan(pretrain__steps=80, pretrain__batch=16), method)
    result = pretrain(
        bank, plan.override(pretrain__method=method, pretrain__augmentation=views), tmp_path / "out", context_of()
    )
    figures = [row["collapse"] for row in result.rows]
    assert np.mean(figures[-10:]) < 0.93 * np.mean(figures[:5])


def test_in_parts_the_training_is_the_same_up_to_rounding_and_can_go_on_whole(bank: SliceBank, tmp_path: Path) -> None:
    plan = tiny_plan(pretrain__steps=4)
    whole = pretrain(bank, plan, tmp_path / "whole", context_of())
    parts = pretrain(bank, plan.override(pretrain__part=3), tmp_path / "parts", context_of())
    assert [row["loss"] for row in parts.rows] == pytest.approx([row["loss"] for row in whole.rows], rel=0.02)
    assert not same(encoder_of(tmp_path / "whole"), encoder_of(tmp_path / "parts"))  # it was another computation
    with pytest.raises(CancelledError):
        pretrain(bank, plan.override(pretrain__part=3), tmp_path / "mixed", context_of(cancel_at=("pretrain", 2)))
    assert pretrain(bank, plan, tmp_path / "mixed", context_of(), resume=True).steps == 4


def test_a_resumed_run_in_parts_is_the_unbroken_one_bit_for_bit(bank: SliceBank, tmp_path: Path) -> None:
    plan = tiny_plan(pretrain__part=3, pretrain__steps=6)
    pretrain(bank, plan, tmp_path / "straight", context_of())
    with pytest.raises(CancelledError):
        pretrain(bank, plan, tmp_path / "broken", context_of(cancel_at=("pretrain", 3)))
    pretrain(bank, plan, tmp_path / "broken", context_of(), resume=True)
    assert same(encoder_of(tmp_path / "straight"), encoder_of(tmp_path / "broken"))


class Watching(CancelAt):
    """Notes how many bytes of batches are alive after 3 and after 12 steps."""

    def __init__(self, cancellation: Cancellation, steps: int) -> None:
        super().__init__(cancellation, "pretrain", steps)
        self.alive: list[int] = []

    def write(self, event: Event) -> None:
        super().write(event)
        if event["event"] != "progress" or event["done"] not in (3, 12):
            return
        tensors = [found for found in gc.get_objects() if type(found) is torch.Tensor]
        storages = {one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in tensors}
        self.alive.append(sum(size for size in storages.values() if size == 8 * 32 * 32 * 4))


def test_images_of_past_steps_are_given_back_before_the_next_report(bank: SliceBank, tmp_path: Path) -> None:
    cancellation = Cancellation()
    sink = Watching(cancellation, 12)
    context = Context(torch.device("cpu"), 0, untiring_reporter(sink), cancellation)
    with pytest.raises(CancelledError):  # of 10,000 steps every fiftieth is reported
        pretrain(bank, tiny_plan(pretrain__steps=10_000), tmp_path, context)
    early, late = sink.alive
    assert late <= early
