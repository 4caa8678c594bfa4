"""The plan's proposals in the panel, with their reasons, and the estimate."""

from __future__ import annotations

import pytest


@pytest.fixture
def proposed(estimates, page, stacks):
    """The panel after the engine has proposed a plan."""
    page.open(stacks)
    page.bench.click(page.ui.advancedButton)
    page.bench.wait_until(lambda: page.session.estimating.proposal, 60)
    yield page
    page.bench.click(page.ui.advancedButton)


def test_the_proposals_are_filled_in_and_say_why(proposed):
    proposal = proposed.session.estimating.proposal
    assert proposed.ui.thresholdSpinBox.value == pytest.approx(proposal.threshold)
    assert proposed.ui.resolutionSpinBox.value == pytest.approx(1.0)
    assert proposed.ui.batchSpinBox.value == proposal.batch == 32
    assert proposed.ui.epochsSpinBox.value == proposal.epochs > 1
    assert "slices a volume" in proposed.ui.thresholdSpinBox.toolTip
    assert "in-plane spacing" in proposed.ui.resolutionSpinBox.toolTip
    assert f"Proposed: {proposal.epochs}" in proposed.ui.epochsSpinBox.toolTip
    assert proposed.parameters.batch == 0, "what is proposed is not set"


def test_a_value_of_ones_own_is_bold_and_can_be_taken_back(proposed):
    proposed.bench.type_text(proposed.ui.batchSpinBox, "8")
    assert proposed.parameters.batch == 8
    assert proposed.ui.batchSpinBox.font.bold()
    assert "Proposed: 32" in proposed.ui.batchSpinBox.toolTip
    assert not proposed.ui.thresholdSpinBox.font.bold()
    proposed.bench.click(proposed.ui.proposalsButton)
    assert proposed.parameters.batch == 0
    assert proposed.ui.batchSpinBox.value == 32
    assert not proposed.ui.batchSpinBox.font.bold()


def test_typing_the_proposed_value_follows_the_proposal(proposed):
    proposed.bench.type_text(proposed.ui.batchSpinBox, "8")
    proposed.bench.type_text(proposed.ui.batchSpinBox, "32")
    assert proposed.parameters.batch == 0


def test_time_and_memory_are_estimated_and_again_after_a_change(proposed):
    assert "being estimated" in proposed.ui.estimateLabel.text
    proposed.bench.wait_until(lambda: proposed.session.estimating.estimate, 60)
    assert proposed.ui.estimateLabel.text.startswith("About ")
    assert "memory" in proposed.ui.estimateLabel.text
    proposed.bench.type_text(proposed.ui.epochsSpinBox, "1")
    proposed.bench.wait_until(lambda: proposed.session.estimating.running)
    assert proposed.session.estimating.proposal.epochs > 1
    proposed.bench.wait_until(
        lambda: proposed.session.estimating.estimate and proposed.session.estimating.estimate.steps == 1, 60
    )


def test_the_graphics_card_is_always_in_view(proposed):
    proposed.bench.wait_until(lambda: proposed.session.graphics.devices, 60)
    text = proposed.ui.deviceLabel.text
    assert text
    report = proposed.session.graphics.devices
    assert (report.gpus[0].name in text) if report.gpus else (report.reason in text)


def test_another_slice_axis_looks_at_the_folder_again(proposed):
    proposed.bench.choose(proposed.ui.axisComboBox, "Coronal")
    proposed.wait("SCANNING")
    proposed.wait("READY")
    assert [row[1] for row in proposed.rows()] == ["32", "32", "32"]
