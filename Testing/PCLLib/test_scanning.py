from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def jobs(engine):
    from PCLLib.job_group import JobGroup

    group = JobGroup(engine)
    yield group
    group.end_all()


@pytest.fixture
def scanning(jobs):
    """Looks at folders, and keeps what came of it."""
    from PCLLib.scanning import Scanning

    one = Scanning(jobs)
    one.reports, one.failures = [], []
    one.found.connect(one.reports.append)
    one.failed.connect(one.failures.append)
    return one


def settings_of(folder: Path):
    from PCLLib.settings import PretrainSettings

    return PretrainSettings(folder=folder, out=folder / "out")


def test_a_look_gives_a_report_and_leaves_no_file_behind(bench, jobs, scanning, stacks, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    scanning.start(settings_of(stacks))
    bench.wait_until(lambda: scanning.reports and not jobs.busy, 60)
    (report,) = scanning.reports
    assert [volume.id for volume in report.volumes] == ["case0", "case1", "case2"]
    assert not scanning.failures
    assert not list(tmp_path.glob("pcl-scan-*"))


def test_a_folder_that_is_not_there_fails_in_words(bench, scanning, tmp_path):
    scanning.start(settings_of(tmp_path / "nowhere"))
    bench.wait_until(lambda: scanning.failures, 60)
    assert "nowhere" in scanning.failures[0].message
    assert not scanning.reports


def test_a_look_that_was_left_says_nothing_more(bench, jobs, scanning, stacks):
    scanning.start(settings_of(stacks))
    scanning.leave()
    bench.wait_until(lambda: not jobs.busy, 60)
    assert not scanning.reports
    assert not scanning.failures
