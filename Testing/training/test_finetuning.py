from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pcl_core.errors import CancelledError, InputError
from pcl_core.events import Collected
from pcl_core.networks.unet import UNet
from pcl_core.plan import AugmentationPlan
from pcl_core.slices.bank import SliceBank
from pcl_core.training.cases import find_classes, split_cases
from pcl_core.training.finetuning import Annotations, finetune
from pcl_core.training.history import read_history
from pcl_core.training.starting import Start
from pcl_core.training.weights import load_weights, save_weights
from Testing.making import context_of, tiny_plan


def annotations_of(bank: SliceBank, hold_out: str = "none", count: int = 2, **slices: list[int]) -> Annotations:
    """The first volumes of a bank."""
    bank = replace(bank, volumes=bank.volumes[:count])
    return Annotations(bank, find_classes(bank, {1: "disc"}), split_cases(bank.volumes, hold_out, 0), slices)


def model_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_weights(folder / "model.safetensors", "unet")[0]


def state_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_weights(folder / "state" / "state.safetensors", "state")[0]


def state_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The averaged weights in the checkpoint, by the names of the model."""
    return {name.removeprefix("average."): value for name, value in state_of(folder).items() if name.startswith("average.")}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


def cancelled(annotations: Annotations, folder: Path, step: int, **options: object) -> None:
    """Fine-tunes, and asks to stop after so many steps."""
    with pytest.raises(CancelledError):
        finetune(annotations, tiny_plan(), folder, context_of(cancel_at=("finetune", step)), **options)


def test_a_fine_tuning_leaves_a_model_that_says_what_it_is(labelled: SliceBank, tmp_path: Path) -> None:
    result = finetune(annotations_of(labelled), tiny_plan(), tmp_path, context_of(seed=3))
    tensors, about = load_weights(result.model, "unet")
    UNet(4, 3).load_state_dict(tensors)
    assert [(entry.value, entry.name) for entry in about.classes] == [(1, "disc"), (2, "class 2")]
    assert about.plan == tiny_plan()
    facts = about.training
    assert (facts["seed"], facts["steps"], facts["of_steps"], facts["tensors_transferred"]) == (3, 12, 12, 0)
    assert about.data == {volume.id: volume.hash for volume in labelled.volumes[:2]}
    assert result.transferred == 0


def test_every_tensor_of_the_encoder_is_transferred(labelled: SliceBank, encoder: Path, tmp_path: Path) -> None:
    result = finetune(annotations_of(labelled), tiny_plan(), tmp_path, context_of(), Start.encoder(encoder))
    assert result.transferred == len(load_weights(encoder, "encoder")[0]) == 60
    facts = load_weights(result.model, "unet")[1].training
    assert facts["tensors_transferred"] == 60
    assert facts["encoder"] == "pcl, 12 steps"


def test_the_training_begins_at_the_encoders_weights(labelled: SliceBank, encoder: Path, tmp_path: Path) -> None:
    plan = tiny_plan(finetune__steps=1, finetune__learning_rate=1e-12, finetune__ema=0.0)
    finetune(annotations_of(labelled), plan, tmp_path, context_of(), Start.encoder(encoder))
    model, pretrained = model_of(tmp_path), load_weights(encoder, "encoder")[0]
    for name, value in pretrained.items():
        if "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(model[f"encoder.{name}"], value, atol=1e-6, rtol=0)


def test_with_and_without_encoder_the_decoder_begins_alike(labelled: SliceBank, encoder: Path, tmp_path: Path) -> None:
    plan = tiny_plan(finetune__steps=1, finetune__learning_rate=1e-12, finetune__ema=0.0)
    for name, start in (("with", Start.encoder(encoder)), ("without", None)):
        finetune(annotations_of(labelled), plan, tmp_path / name, context_of(), start)
    one, other = model_of(tmp_path / "with"), model_of(tmp_path / "without")
    torch.testing.assert_close(one["decoder.classify.weight"], other["decoder.classify.weight"], atol=1e-6, rtol=0)


def test_an_encoder_that_does_not_match_is_refused_before_anything_is_written(
    labelled: SliceBank, encoder: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="of the encoder's 60 tensors"):
        finetune(
            annotations_of(labelled), tiny_plan(network__filters=8), tmp_path / "out", context_of(), Start.encoder(encoder)
        )
    tensors, about = load_weights(encoder, "encoder")
    part = tmp_path / "part.safetensors"
    save_weights(part, {f"module.{name}": value for name, value in tensors.items()}, about)
    with pytest.raises(InputError, match="Only 0 of the encoder's 60 tensors"):
        finetune(annotations_of(labelled), tiny_plan(), tmp_path / "out", context_of(), Start.encoder(part))
    assert not (tmp_path / "out" / "model.safetensors").exists()
    assert not (tmp_path / "out" / "plan.json").exists()


@pytest.mark.parametrize("step", [1, 5, 11])
@pytest.mark.parametrize("start", ["random", "pretrained"])
def test_a_run_that_was_cancelled_and_resumed_is_the_unbroken_one_bit_for_bit(
    step: int, start: str, labelled: SliceBank, encoder: Path, tmp_path: Path
) -> None:
    annotations, chosen = annotations_of(labelled), Start.encoder(encoder) if start == "pretrained" else None
    finetune(annotations, tiny_plan(), tmp_path / "straight", context_of(), chosen)
    cancelled(annotations, tmp_path / "broken", step, begin=chosen)
    finetune(annotations, tiny_plan(), tmp_path / "broken", context_of(), chosen, resume=True)
    assert same(model_of(tmp_path / "straight"), model_of(tmp_path / "broken"))
    # The state holds the trained and the averaged weights and Adam's moments: nothing of it may differ.
    straight, broken = state_of(tmp_path / "straight"), state_of(tmp_path / "broken")
    assert same(straight, broken)
    assert any(name.startswith("average.") for name in straight)
    assert any(name.endswith("exp_avg_sq") for name in straight)


def test_what_a_cancelled_run_keeps_is_a_model_that_says_how_far_it_came(labelled: SliceBank, tmp_path: Path) -> None:
    cancelled(annotations_of(labelled), tmp_path, 5)
    assert load_weights(tmp_path / "model.safetensors", "unet")[1].training["steps"] == 5


def held_out_dice(folder: Path) -> dict[int, float]:
    """Mean Dice of the held-out case, by step, from the history."""
    rows = [row for row in read_history(folder / "metrics.csv", 10**6) if "dice_1" in row or "dice_2" in row]
    dice = {int(row["step"]): [value for name, value in row.items() if name.startswith("dice")] for row in rows}
    return {step: sum(values) / len(values) for step, values in dice.items()}


@pytest.mark.parametrize("broken_at", [None, 2, 9])
def test_a_cancelled_run_keeps_its_best_model_by_the_held_out_case(
    broken_at: int | None, labelled: SliceBank, tmp_path: Path
) -> None:
    # So large a step that Dice goes up and down.
    annotations, plan = annotations_of(labelled, "case2", count=3), tiny_plan(finetune__learning_rate=0.1, finetune__ema=0.0)
    for stop in [11] if broken_at is None else [broken_at, 11]:
        with pytest.raises(CancelledError):
            finetune(annotations, plan, tmp_path, context_of(cancel_at=("finetune", stop)), resume=stop != broken_at)
    dice = held_out_dice(tmp_path)
    best = max(dice, key=lambda step: dice[step])
    assert best < 11, "the last step must not be the best by chance, or this shows nothing"
    kept, about = load_weights(tmp_path / "model.safetensors", "unet")
    assert (about.training["steps"], about.training["held_out_dice"]) == (best, pytest.approx(dice[best], rel=1e-5))
    with pytest.raises(CancelledError):
        finetune(annotations, plan, tmp_path / "to there", context_of(cancel_at=("finetune", best)))
    assert same(kept, state_weights(tmp_path / "to there"))


def test_a_run_that_ends_keeps_its_last_weights_whatever_the_held_out_case_says(labelled: SliceBank, tmp_path: Path) -> None:
    annotations, plan = annotations_of(labelled, "case2", count=3), tiny_plan(finetune__learning_rate=0.1, finetune__ema=0.0)
    finetune(annotations, plan, tmp_path, context_of())
    assert same(model_of(tmp_path), state_weights(tmp_path))
    assert "held_out_dice" not in load_weights(tmp_path / "model.safetensors", "unet")[1].training


def test_a_new_run_knows_nothing_of_the_best_of_an_earlier_one(labelled: SliceBank, tmp_path: Path) -> None:
    finetune(annotations_of(labelled, "case2", count=3), tiny_plan(), tmp_path, context_of())
    assert (tmp_path / "state" / "best.safetensors").exists()
    cancelled(annotations_of(labelled), tmp_path, 5)
    best = load_weights(tmp_path / "state" / "best.safetensors", "unet")[1].training
    assert best["steps"] == 5
    assert "held_out_dice" not in best
    assert load_weights(tmp_path / "model.safetensors", "unet")[1].training["steps"] == 5


def test_without_a_held_out_case_the_weights_of_the_last_checkpoint_lie_ready_for_a_kill(
    labelled: SliceBank, tmp_path: Path
) -> None:
    annotations = annotations_of(labelled)
    cancelled(annotations, tmp_path, 5)
    tensors, about = load_weights(tmp_path / "state" / "best.safetensors", "unet")
    assert about.training["steps"] == 5
    assert same(tensors, model_of(tmp_path))
    cancelled(annotations, tmp_path, 9, resume=True)
    assert load_weights(tmp_path / "state" / "best.safetensors", "unet")[1].training["steps"] == 9
    assert load_weights(tmp_path / "model.safetensors", "unet")[1].training["steps"] == 9


def test_what_changed_keeps_a_run_from_being_resumed_and_is_named(labelled: SliceBank, encoder: Path, tmp_path: Path) -> None:
    annotations = annotations_of(labelled)
    cancelled(annotations, tmp_path / "run", 5, begin=Start.encoder(encoder))
    tensors, about = load_weights(encoder, "encoder")
    retrained = tmp_path / "encoder.safetensors"
    save_weights(retrained, {name: value + 1 for name, value in tensors.items()}, about)
    renamed = replace(annotations, classes=annotations.classes[:1])
    for changed, plan, seed, start, words in (
        (annotations, tiny_plan(finetune__batch=3), 0, encoder, "the plan"),
        (annotations, tiny_plan(), 1, encoder, "the seed"),
        (annotations, tiny_plan(), 0, None, "what it starts from"),
        (annotations, tiny_plan(), 0, retrained, "what it starts from"),
        (annotations_of(labelled, count=3), tiny_plan(), 0, encoder, "the data"),
        (annotations_of(labelled, case0=[1, 2]), tiny_plan(), 0, encoder, "the annotated slices"),
        (renamed, tiny_plan(), 0, encoder, "the classes"),
    ):
        begin = None if start is None else Start.encoder(start)
        with pytest.raises(InputError, match=f"cannot be resumed: {words} changed"):
            finetune(changed, plan, tmp_path / "run", context_of(seed=seed), begin, resume=True)


def test_the_held_out_case_is_scored_and_not_trained_on(labelled: SliceBank, tmp_path: Path) -> None:
    sink = Collected()
    annotations = annotations_of(labelled, "case2", count=3)
    result = finetune(annotations, tiny_plan(), tmp_path, context_of(sink))
    _, about = load_weights(result.model, "unet")
    assert sorted(about.data) == ["case0", "case1"]
    assert about.training["held_out"] == ["case2"]
    assert {"dice_1", "dice_2"} <= sink.named("metric")[-1].keys()
    assert all(0 <= row["dice_1"] <= 1 for row in result.rows if "dice_1" in row)


def test_what_the_held_out_case_says_changes_no_weight(labelled: SliceBank, tmp_path: Path) -> None:
    labels = np.array(labelled.labels)
    labels[20:30] = np.where(labels[20:30] == 1, 0, 1)
    for name, bank in (("as it is", labelled), ("otherwise", replace(labelled, labels=labels))):
        annotations = replace(annotations_of(labelled, "case2", count=3), bank=bank)
        finetune(annotations, tiny_plan(), tmp_path / name, context_of())
    assert same(model_of(tmp_path / "as it is"), model_of(tmp_path / "otherwise"))


def test_without_a_held_out_case_there_is_no_dice_while_training(labelled: SliceBank, tmp_path: Path) -> None:
    result = finetune(annotations_of(labelled), tiny_plan(), tmp_path, context_of())
    assert not any(name.startswith("dice") for row in result.rows for name in row)


def test_only_annotated_slices_are_learned_from(labelled: SliceBank, tmp_path: Path) -> None:
    images = np.array(labelled.images)
    images[[0, 1, 5, 6, 7, 8, 9, 12]] = np.nan  # whoever looks at these slices ends with a loss that is no number
    annotations = annotations_of(replace(labelled, images=images), count=2, case0=[2, 3, 4])
    annotations.bank.labels  # noqa: B018 (still mapped)
    labels = np.array(labelled.labels)
    labels[12] = 255
    annotations = replace(annotations, bank=replace(annotations.bank, labels=labels))
    assert np.isfinite(finetune(annotations, tiny_plan(), tmp_path, context_of()).loss)


def test_voxels_that_are_not_annotated_teach_nothing(labelled: SliceBank, tmp_path: Path) -> None:
    labels = np.full_like(labelled.labels, 255)
    labels[:, 10:22, 10:22] = labelled.labels[:, 10:22, 10:22]
    partly = replace(labelled, labels=labels)
    plan = tiny_plan(finetune__augmentation=AugmentationPlan(), finetune__steps=3)
    result = finetune(annotations_of(partly), plan, tmp_path, context_of())
    assert np.isfinite(result.loss)
    assert {entry.value for entry in load_weights(result.model, "unet")[1].classes} <= {1, 2}


def test_an_average_of_0_keeps_the_last_weights(labelled: SliceBank, tmp_path: Path) -> None:
    finetune(annotations_of(labelled), tiny_plan(finetune__ema=0.0), tmp_path, context_of())
    state = state_of(tmp_path)
    trained = {name.removeprefix("network."): value for name, value in state.items() if name.startswith("network.")}
    for name, value in model_of(tmp_path).items():
        if value.is_floating_point():
            assert torch.equal(value, trained[name])


def test_every_step_sees_other_views(labelled: SliceBank, tmp_path: Path) -> None:
    # One slice, and a rate that leaves the weights as they are: the loss can differ by the views only.
    annotations = annotations_of(labelled, count=1, case0=[5])
    rows = finetune(annotations, tiny_plan(finetune__learning_rate=1e-12), tmp_path, context_of()).rows
    assert len({row["loss"] for row in rows}) == len(rows) == 12


def test_epochs_are_counted_in_passes_over_the_annotated_slices(labelled: SliceBank, tmp_path: Path) -> None:
    rows = finetune(annotations_of(labelled), tiny_plan(), tmp_path, context_of()).rows
    assert [row["epoch"] for row in rows] == [1] * 5 + [2] * 5 + [3] * 2  # 20 slices in batches of 4


def test_a_budget_in_epochs_counts_annotated_slices_only(labelled: SliceBank, tmp_path: Path) -> None:
    plan = tiny_plan()
    plan = replace(plan, finetune=replace(plan.finetune, steps=None, epochs=2))
    annotations = annotations_of(labelled, case0=[0, 1, 2], case1=[4, 5])
    assert finetune(annotations, plan, tmp_path, context_of()).steps == 4  # 5 slices in batches of 4


def test_a_batch_larger_than_the_annotated_slices_is_made_smaller(labelled: SliceBank, tmp_path: Path) -> None:
    annotations = annotations_of(labelled, count=1, case0=[4, 5])
    result = finetune(annotations, tiny_plan(finetune__batch=64, finetune__steps=2), tmp_path, context_of())
    assert np.isfinite(result.loss)


@pytest.mark.parametrize("loss", ["ce", "dice+ce"])
def test_a_single_case_can_be_learned_by_heart(loss: str, labelled: SliceBank, tmp_path: Path) -> None:
    annotations = annotations_of(labelled, "case1", count=2)
    copied = replace(
        annotations,
        bank=replace(labelled, volumes=annotations.bank.volumes),
        # The held-out case is the trained one: its Dice then tells how well it was learned by heart.
        split=replace(annotations.split, held_out=annotations.split.train),
    )
    plan = tiny_plan(
        finetune__loss=loss,
        finetune__steps=120,
        finetune__batch=10,
        finetune__learning_rate=2e-2,
        finetune__augmentation=AugmentationPlan(),
    )
    rows = finetune(copied, plan, tmp_path, context_of()).rows
    assert rows[-1]["dice_1"] > 0.9
    assert rows[-1]["dice_2"] > 0.9
    assert rows[-1]["loss"] < 0.3 * rows[0]["loss"]
