from __future__ import annotations

import pytest

TINY = ("--size", "32", "--filters", "2", "--batch", "4", "--device", "cpu")


@pytest.fixture
def jobs(engine):
    from PCLLib.job_group import JobGroup

    group = JobGroup(engine)
    yield group
    group.end_all()


@pytest.fixture
def training(jobs):
    """A training, and what it told."""
    from PCLLib.pretraining import Pretraining

    one = Pretraining(jobs)
    one.begins, one.losses, one.ends = [], [], []
    one.began.connect(one.begins.append)
    one.measured.connect(lambda step, loss: one.losses.append((step, loss)))
    one.ended.connect(one.ends.append)
    return one


def test_a_training_tells_its_losses_and_ends_with_a_result(bench, training, stacks, tmp_path):
    training.start(["pretrain", stacks, "--out", tmp_path / "out", *TINY, "--steps", "4"], [])
    assert training.begins == [[]]
    bench.wait_until(lambda: training.ends, 60)
    assert training.result.encoder == tmp_path / "out" / "encoder.safetensors"
    assert training.result.steps == 4
    assert training.result.first_loss == training.losses[0][1]
    assert training.result.seconds > 0


def test_a_resumed_training_has_the_first_loss_of_its_earlier_part(bench, training, stacks, tmp_path):
    training.start(["pretrain", stacks, "--out", tmp_path / "out", *TINY, "--steps", "4"], [(1, 7.5), (2, 7.0)])
    assert training.begins == [[(1, 7.5), (2, 7.0)]]
    bench.wait_until(lambda: training.ends, 60)
    assert training.result.first_loss == 7.5


def test_a_training_that_fails_has_no_result(bench, training, tmp_path):
    training.start(["pretrain", tmp_path / "nowhere", "--out", tmp_path / "out", *TINY], [])
    bench.wait_until(lambda: training.ends, 60)
    assert "nowhere" in training.ends[0].message
    assert training.result is None


@pytest.mark.slow
@pytest.mark.ci_slow
def test_a_cancelled_training_keeps_its_state_and_a_left_one_says_nothing(bench, jobs, training, stacks, tmp_path):
    from PCLLib.events import Cancelled

    words = ["pretrain", stacks, "--out", tmp_path / "out", *TINY, "--steps", "10000"]
    training.start(words, [])
    bench.wait_until(lambda: len(training.losses) > 1, 60)
    training.cancel()
    bench.wait_until(lambda: training.ends, 60)
    assert training.ends == [Cancelled(tmp_path / "out" / "state")]
    training.start([*words, "--resume"], training.losses[:1])
    training.leave()
    bench.wait_until(lambda: not jobs.busy, 60)
    assert len(training.ends) == 1
