from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pcl_core.errors import InputError
from pcl_core.networks.unet import Encoder, UNet
from pcl_core.training.weights import SegmentClass, WeightFile, load_weights, save_weights, transfer_encoder
from Testing.making import tiny_plan

CLASSES = (SegmentClass(1, "LV", (1.0, 0.5, 0.0)), SegmentClass(7, "Herz ♥", (0.0, 0.0, 1.0), "SCT~123^"))


def about(kind: str = "unet") -> WeightFile:
    classes = CLASSES if kind == "unet" else ()
    return WeightFile(kind, tiny_plan(), classes, {"steps": 3, "loss": 0.5, "held_out": ["a"]}, {"case0": "ab12"})


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def encoder_tensors() -> dict[str, torch.Tensor]:
    return dict(UNet(4, 3, seeded()).encoder.state_dict())


def test_tensors_and_what_they_are_come_back(tmp_path: Path) -> None:
    tensors = UNet(4, 3, seeded()).state_dict()
    save_weights(tmp_path / "model.safetensors", tensors, about())
    loaded, said = load_weights(tmp_path / "model.safetensors", "unet")
    assert said == about()
    assert list(loaded) == sorted(tensors)
    assert all(torch.equal(loaded[name], tensors[name]) and loaded[name].dtype == tensors[name].dtype for name in tensors)


def test_filters_laid_out_with_channels_last_come_back_in_their_shape(tmp_path: Path) -> None:
    weight = torch.randn(8, 4, 3, 3).contiguous(memory_format=torch.channels_last)
    save_weights(tmp_path / "a.safetensors", {"w": weight}, about())
    assert torch.equal(load_weights(tmp_path / "a.safetensors", "unet")[0]["w"], weight)


def test_the_metadata_is_json_that_anybody_can_read(tmp_path: Path) -> None:
    save_weights(tmp_path / "a.safetensors", {"w": torch.zeros(1)}, about())
    raw = (tmp_path / "a.safetensors").read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    facts = json.loads(header["__metadata__"]["pcl"])
    assert {"format", "version", "kind", "network", "plan", "classes", "training", "data"} <= facts.keys()
    assert facts["network"] == {"filters": 4, "projection": 16}
    assert facts["classes"][1]["name"] == "Herz ♥"


def test_the_file_may_be_read_by_those_whom_the_user_allows(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        save_weights(tmp_path / "a.safetensors", {"w": torch.zeros(1)}, about())
    finally:
        os.umask(before)
    assert (tmp_path / "a.safetensors").stat().st_mode & 0o777 == 0o644


def test_an_older_file_is_replaced_and_nothing_else_stays(tmp_path: Path) -> None:
    for value in (1.0, 2.0):
        save_weights(tmp_path / "a.safetensors", {"w": torch.tensor([value])}, about())
    assert load_weights(tmp_path / "a.safetensors", "unet")[0]["w"].item() == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("write", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))], ids=["pt", "pickle"])
def test_a_pickle_is_refused_and_not_opened(write, tmp_path: Path) -> None:
    write({"w": Bomb(tmp_path / "mark")}, tmp_path / "model.pt")
    with pytest.raises(InputError, match=r"model\.pt is not a weight file"):
        load_weights(tmp_path / "model.pt", "unet")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(("written", "wanted"), [("encoder", "unet"), ("unet", "encoder"), ("state", "unet")])
def test_weights_of_another_kind_are_refused_by_name(written: str, wanted: str, tmp_path: Path) -> None:
    save_weights(tmp_path / "a.safetensors", {"w": torch.zeros(1)}, about(written))
    with pytest.raises(InputError, match=rf"a\.safetensors holds .*{written}.*{wanted}") as caught:
        load_weights(tmp_path / "a.safetensors", wanted)
    assert caught.value.hint


def test_a_safetensors_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    save_file({"w": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match="not written by this software"):
        load_weights(tmp_path / "a.safetensors", "unet")


@pytest.mark.parametrize("keep", [0, 4, 8, 60, 0.3, -5])
def test_a_file_that_was_cut_short_is_refused(keep: float, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_weights(path, encoder_tensors(), about())
    raw = path.read_bytes()
    path.write_bytes(raw[: int(keep * len(raw)) if isinstance(keep, float) else keep])
    with pytest.raises(InputError, match=r"a\.safetensors"):
        load_weights(path, "unet")


@pytest.mark.parametrize(
    "facts", ["", "null", "[]", "3", "{}", '{"format": 1}', '{"format": 99}', '{"format": 1, "kind": "unet"}']
)
def test_facts_that_are_not_ours_are_refused(facts: str, tmp_path: Path) -> None:
    save_file({"w": torch.zeros(1)}, tmp_path / "a.safetensors", metadata={"pcl": facts})
    with pytest.raises(InputError, match=r"a\.safetensors"):
        load_weights(tmp_path / "a.safetensors", "unet")


@pytest.mark.parametrize(
    "change",
    [
        {"plan": {"slices": 3}},
        {"classes": [{"value": 1}]},
        {"classes": [{"value": 300, "name": "a", "color": [0, 0, 0], "terminology": ""}]},
        {"classes": 3},
        {"training": None},
    ],
)
def test_facts_that_were_tampered_with_are_refused(change: dict, tmp_path: Path) -> None:
    facts = json.dumps(about().to_json() | change)
    save_file({"w": torch.zeros(1)}, tmp_path / "a.safetensors", metadata={"pcl": facts})
    with pytest.raises(InputError, match=r"a\.safetensors"):
        load_weights(tmp_path / "a.safetensors", "unet")


@pytest.mark.parametrize("name", ["absent.safetensors", "."])
def test_a_path_without_a_file_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        load_weights(tmp_path / name, "unet")


def test_all_tensors_of_the_encoder_are_transferred_and_counted() -> None:
    tensors, network = encoder_tensors(), UNet(4, 3, torch.Generator().manual_seed(1))
    decoder = {name: value.clone() for name, value in network.decoder.state_dict().items()}
    assert transfer_encoder(network.encoder, tensors, Path("e")) == len(tensors) == 60
    assert all(torch.equal(value, tensors[name]) for name, value in network.encoder.state_dict().items())
    assert all(torch.equal(value, decoder[name]) for name, value in network.decoder.state_dict().items())


@pytest.mark.parametrize("left", [0, 1, 59])
def test_a_transfer_of_none_or_a_part_is_refused_with_the_count(left: int) -> None:
    tensors = dict(list(encoder_tensors().items())[:left])
    encoder = Encoder(4)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    with pytest.raises(InputError, match=rf"Only {left} of the encoder's 60 tensors are in e\.safetensors") as caught:
        transfer_encoder(encoder, tensors, Path("e.safetensors"))
    assert caught.value.hint
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_an_encoder_of_another_width_is_refused() -> None:
    with pytest.raises(InputError, match="--filters"):
        transfer_encoder(Encoder(8), encoder_tensors(), Path("e"))
