"""The pretext tasks by name."""

from __future__ import annotations

import pytest
import torch

from pcl_core import pretext
from pcl_core.arguments import METHODS
from pcl_core.errors import InputError
from pcl_core.networks.unet import Encoder
from pcl_core.presets import suited_to
from pcl_core.pretext import registry
from pcl_core.pretext.registry import NAMES, make_task
from pcl_core.pretext.task import PretextTask
from Testing.making import tiny_plan


def test_the_command_line_offers_every_registered_method_and_no_other() -> None:
    assert METHODS == NAMES
    assert {"pcl", "gcl", "gcl-gd", "simclr", "rotation", "pirl", "moco", "moco-pcl"} <= set(NAMES)


def test_one_file_and_one_line_make_a_method_that_can_be_asked_for(tmp_path, monkeypatch):
    (tmp_path / "thirds.py").write_text(
        "from pcl_core.pretext.contrastive_task import ContrastiveTask\n"
        "from pcl_core.pretext.positives import same_partition\n\n\n"
        "class Thirds(ContrastiveTask):\n"
        "    name = 'thirds'\n\n"
        "    def pairs(self, batch):\n"
        "        return same_partition(batch.index, batch.count, 3)\n"
    )
    monkeypatch.setattr(pretext, "__path__", [*pretext.__path__, str(tmp_path)])
    monkeypatch.setitem(registry._MAKERS, "thirds", lambda of: registry._task("thirds.Thirds")(*of.embedding))
    assert made("thirds").name == "thirds"


def made(method: str) -> PretextTask:
    plan = suited_to(tiny_plan(pretrain__method=method), method)
    return make_task(plan, Encoder(4), 12, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", NAMES)
def test_a_method_is_made_by_its_name(name: str) -> None:
    assert made(name).name == name


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_makes_the_same_heads_and_memories(name: str) -> None:
    one, other = made(name).state_dict(), made(name).state_dict()
    trained = [key for key in one if not key.startswith("slow_encoder")]  # a copy of the encoder, which is made first
    assert trained
    assert all(torch.equal(one[key], other[key]) for key in trained)


def test_an_unknown_method_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="Did you mean 'simclr'"):
        made("simcrl")
    with pytest.raises(InputError) as caught:
        made("zzz")
    assert all(name in caught.value.hint for name in NAMES)
