"""Weight files that cannot be used: one line that names the file, and nothing of it is ever run."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

Rewrite = Callable[..., Path]


class _WritesAFile:
    """What a pickle can do to whom loads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.path),))


@pytest.fixture
def rewritten(tmp_path: Path) -> Rewrite:
    """Copies a weight file; ``change`` may alter its tensors and what it says of itself."""

    def rewrite(path: Path, change: Callable[[dict[str, np.ndarray], dict[str, Any]], None]) -> Path:
        with safe_open(path, framework="np") as stream:
            about = json.loads(stream.metadata()["pcl"])
            tensors = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118 (not a mapping)
        change(tensors, about)
        copy = tmp_path / f"own-{path.name}"
        save_file(tensors, copy, {"pcl": json.dumps(about)})
        return copy

    return rewrite


@pytest.fixture
def segment(hearts: Path, tmp_path: Path, pclseg: Callable) -> Callable:
    """Segments a heart by a model."""
    image = hearts / "imagesTr" / "heart_000_0000.nii.gz"
    return lambda model: pclseg("segment", model, image, "--out", tmp_path / "out")


@pytest.fixture
def finetune(hearts: Path, tmp_path: Path, pclseg: Callable) -> Callable:
    """Fine-tunes from an encoder."""
    words = ("finetune", hearts / "imagesTr", hearts / "labelsTr", "--out", tmp_path / "out", "--steps", "1")
    return lambda encoder, *more: pclseg(*words, "--encoder", encoder, *more)


def nothing_written(tmp_path: Path) -> bool:
    return not any(path.is_file() for path in (tmp_path / "out").rglob("*"))


def missing(path: Path) -> None:
    assert not path.exists()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("the weights are on the other disk\n" * 10)


def noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(5000))


def folder(path: Path) -> None:
    path.mkdir()


def foreign(path: Path) -> None:
    save_file({"weight": np.zeros(3, np.float32)}, path)


def with_text(text: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        save_file({"weight": np.zeros(3, np.float32)}, path, {"pcl": text})

    return make


BAD = {
    "missing": missing,
    "empty": empty,
    "text": text,
    "noise": noise,
    "a folder": folder,
    "foreign": foreign,
    "no JSON": with_text("{"),
    "a list": with_text("[]"),
    "a number": with_text("3"),
    "nothing": with_text("{}"),
    "of a later format": with_text('{"format": 99}'),
    "without a kind": with_text('{"format": 1}'),
    "without a plan": with_text('{"format": 1, "kind": "unet", "classes": [], "training": {}, "data": {}}'),
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD.keys())
def test_a_file_that_is_no_weight_file_is_refused_by_name(make, tmp_path, segment, finetune):
    path = tmp_path / "own.safetensors"
    make(path)
    segment(path).refusal(path)
    finetune(path).refusal(path)
    assert nothing_written(tmp_path)


def test_a_pickle_is_refused_and_not_opened(tmp_path, segment, finetune):
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps({"weights": _WritesAFile(tmp_path / "owned")}))
    segment(path).refusal(path, "pickle")
    finetune(path).refusal(path, "pickle")
    assert not (tmp_path / "owned").exists()
    pickle.loads(path.read_bytes())  # the file would have done it
    assert (tmp_path / "owned").exists()


def test_a_weight_file_cut_short_is_refused_by_name(tmp_path, finetuned, pretrained, segment, finetune):
    for path, use in ((finetuned / "model.safetensors", segment), (pretrained / "encoder.safetensors", finetune)):
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes()[:-100])
        use(copy).refusal(copy)


def test_an_encoder_is_no_model_and_a_model_no_encoder(pretrained, finetuned, tmp_path, segment, finetune):
    encoder, model = pretrained / "encoder.safetensors", finetuned / "model.safetensors"
    segment(encoder).refusal(encoder, "finetune wrote")
    finetune(model).refusal(model, "pretrain wrote")
    for state in (pretrained / "state" / "state.safetensors", finetuned / "state" / "state.safetensors"):
        segment(state).refusal(state)
        finetune(state).refusal(state)
    assert nothing_written(tmp_path)


def drop_a_tensor(tensors, about):
    del tensors[sorted(tensors)[3]]


def shrink_a_tensor(tensors, about):
    name = next(name for name in sorted(tensors) if tensors[name].ndim == 4)
    tensors[name] = tensors[name][:1]


def more_filters(tensors, about):
    about["plan"]["network"]["filters"] += 1


def no_filters(tensors, about):
    about["plan"]["network"]["filters"] = 0


def another_class(tensors, about):
    about["classes"].append({**about["classes"][0], "value": 9})


def class_without_name(tensors, about):
    about["classes"] = [{"value": 1}]


def class_of_a_word(tensors, about):
    about["classes"][0]["value"] = "liver"


def unknown_decision(tensors, about):
    about["plan"]["slices"]["colour"] = 3


@pytest.mark.parametrize(
    "change",
    [
        drop_a_tensor,
        shrink_a_tensor,
        more_filters,
        no_filters,
        another_class,
        class_without_name,
        class_of_a_word,
        unknown_decision,
    ],
)
def test_a_model_that_does_not_fit_itself_is_refused_by_name(change, rewritten, finetuned, tmp_path, segment):
    path = rewritten(finetuned / "model.safetensors", change)
    segment(path).refusal(path)
    assert nothing_written(tmp_path)


@pytest.mark.parametrize("change", [drop_a_tensor, shrink_a_tensor, more_filters, no_filters, unknown_decision])
def test_an_encoder_that_does_not_fit_itself_is_refused_by_name(change, rewritten, pretrained, finetune):
    path = rewritten(pretrained / "encoder.safetensors", change)
    finetune(path).refusal(path)


def test_an_encoder_of_another_width_is_refused_with_the_option_to_change(pretrained, finetune):
    encoder = pretrained / "encoder.safetensors"
    finetune(encoder, "--filters", 5).refusal(encoder, "--filters")


@pytest.fixture
def interrupted(hearts: Path, pretrained: Path, tmp_path: Path) -> Path:
    """A copy of the short pretraining, to be resumed."""
    shutil.copytree(pretrained, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def resume(hearts: Path, interrupted: Path, pclseg: Callable, small: tuple[str, ...]) -> Callable:
    """Resumes it."""
    return lambda *words: pclseg("pretrain", hearts / "imagesTr", "--out", interrupted, *small, "--resume", *words)


@pytest.mark.parametrize("make", [empty, text, noise, foreign], ids=lambda make: make.__name__)
def test_a_state_that_cannot_be_read_is_refused_with_the_way_out(make, interrupted, resume):
    state = interrupted / "state" / "state.safetensors"
    make(state)
    resume().refusal(state, "--resume")


@pytest.mark.parametrize("change", [drop_a_tensor, shrink_a_tensor])
def test_a_state_that_does_not_fit_is_refused_with_the_way_out(change, rewritten, interrupted, resume):
    state = interrupted / "state" / "state.safetensors"
    rewritten(state, change).replace(state)
    resume().refusal(state, "--resume")


@pytest.mark.parametrize(
    ("words", "changed"), [(("--seed", 5), "the seed"), (("--temperature", 0.4), "the plan"), (("--steps", 9), "the plan")]
)
def test_a_run_is_not_resumed_with_other_options_and_keeps_its_plan(words, changed, interrupted, resume):
    before = (interrupted / "plan.json").read_bytes()
    resume(*words).refusal(changed, "--resume")
    assert (interrupted / "plan.json").read_bytes() == before
    resume().done()


def test_a_run_is_not_resumed_on_other_data(interrupted, pclseg, small, volume, tmp_path):
    for k in range(4):
        volume(tmp_path / "other" / f"heart_{k:03d}.nii.gz", seed=k, shape=(12, 20, 24))
    plan = ("--plan", interrupted / "plan.json")
    pclseg("pretrain", tmp_path / "other", "--out", interrupted, *plan, "--resume").refusal("the data", "--resume")


@pytest.mark.parametrize("history", [None, "", "step,loss\n1,nonsense\n", "\x00\x01", "a,b\n1,2\n"], ids=repr)
def test_a_run_that_is_done_can_be_resumed_whatever_became_of_its_curve(history, interrupted, resume):
    (interrupted / "metrics.csv").unlink()
    if history is not None:
        (interrupted / "metrics.csv").write_text(history)
    assert resume().done()["steps"] == 4


def test_resuming_where_nothing_is_starts_from_the_beginning_and_says_so(hearts, tmp_path, pclseg, small):
    outcome = pclseg("pretrain", hearts / "imagesTr", "--out", tmp_path / "run", *small, "--resume")
    assert outcome.done()["steps"] == 4
    (warning,) = [text for text in outcome.warnings if "resume" in text]
    assert str(tmp_path / "run") in warning


def test_a_second_run_into_the_same_folder_replaces_the_first_and_says_so(hearts, interrupted, pclseg, small):
    before = (interrupted / "encoder.safetensors").read_bytes()
    outcome = pclseg("pretrain", hearts / "imagesTr", "--out", interrupted, *small, "--seed", 3)
    outcome.done()
    assert any("earlier run" in warning for warning in outcome.warnings)
    assert (interrupted / "encoder.safetensors").read_bytes() != before
    assert (interrupted / "metrics.csv").read_text().count("\n") == 5
