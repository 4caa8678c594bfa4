from pathlib import Path

import pytest

from pcl_core.plan import Fingerprint
from pcl_core.presets import DeviceFacts, make_plan

FACTS = Fingerprint(4, 40, 10.0, (8.0, 1.4, 1.4), 128.0, 128.0)


def proposal(preset="recommended", **values):
    from PCLLib.proposal import Proposal

    return Proposal.from_plan(make_plan(preset, FACTS, DeviceFacts("cpu", 2**33)).override(**values).to_json())


def test_the_proposals_are_those_of_the_plan_with_their_reasons():
    found = proposal()
    plan = make_plan("recommended", FACTS, DeviceFacts("cpu", 2**33))
    assert (found.threshold, found.batch) == (plan.pretrain.threshold, plan.pretrain.batch)
    assert found.resolution == plan.slices.resolution_mm
    assert found.reasons["threshold"] == plan.reasons["pretrain.threshold"]
    assert found.reasons["resolution"] == plan.reasons["slices.resolution_mm"]


def test_a_budget_in_steps_is_shown_in_epochs():
    plan = make_plan("recommended", FACTS, DeviceFacts("cpu", 2**33))
    found = proposal()
    assert found.epochs == -(-plan.pretrain.steps // 2)  # 40 slices in batches of 32 are two steps
    assert found.reasons["epochs"].startswith(f"{plan.pretrain.steps} steps.")


def test_a_budget_in_epochs_is_shown_as_it_is():
    assert proposal("paper").epochs == 200


def test_what_a_person_set_does_not_replace_what_was_proposed():
    from PCLLib.settings import PretrainSettings

    first = proposal()
    set_by_hand = PretrainSettings(Path("a"), Path("b"), batch=8)
    later = first.updated(proposal(pretrain__batch=8, pretrain__threshold=0.2), set_by_hand)
    assert later.batch == first.batch == 32
    assert later.reasons["batch"] == first.reasons["batch"]
    assert later.threshold == 0.2


@pytest.mark.parametrize(
    ("device", "memory", "said"),
    [
        ("cpu (2 threads)", 2**30, "About 12 min on the processor, 1.0 GB of memory, 40 MB of disk space."),
        ("NVIDIA H100", None, "About 12 min on NVIDIA H100, 40 MB of disk space."),
    ],
)
def test_an_estimate_is_one_sentence(device, memory, said):
    from PCLLib.estimates import Estimate

    summary = {"steps": 600, "seconds": 720.0, "memory_bytes": memory, "bank_bytes": 40 * 2**20, "device": device}
    assert Estimate.from_summary(summary).sentence() == said
