"""The calls of the engine that a pretraining consists of, word by word."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from PCLLib.output_folder import Interrupted, OutputFolder
from PCLLib.scan_report import ScanReport
from PCLLib.settings import PretrainSettings


def estimate_words(settings: PretrainSettings, report: ScanReport, folder: Path) -> list[object]:
    """The call that times some steps; the lists that it needs are written into a folder, where nothing else is written."""
    words: list[object] = ["pretrain", settings.folder, "--out", folder / "nothing", "--estimate", *settings.plan_words()]
    words += ["--exclude-from", write_names(folder / "left_out.txt", report, settings.left_out)]
    return [*words, "--flip-from", write_names(folder / "flipped.txt", report, settings.flipped)]


def train_words(settings: PretrainSettings, report: ScanReport) -> list[object]:
    """The call that trains, after what it starts on was noted in the output folder. Raises OSError."""
    out = OutputFolder(settings.out)
    left_out, flipped = report.names_of(settings.left_out), report.names_of(settings.flipped)
    lists = out.write_record(settings.folder, settings.device, left_out, flipped)
    words: list[object] = ["pretrain", settings.folder, "--out", out.path, *settings.plan_words()]
    return [*words, "--exclude-from", lists[0], "--flip-from", lists[1]]


def resume_words(settings: PretrainSettings, interrupted: Interrupted) -> list[object]:
    """The call that goes on with the run that stopped in the output folder."""
    out = OutputFolder(settings.out)
    words: list[object] = ["pretrain", interrupted.folder or settings.folder, "--out", out.path]
    words += ["--plan", out.plan, "--resume", "--device", interrupted.device]
    for option, path in (("--exclude-from", out.left_out), ("--flip-from", out.flipped)):
        words += [option, path] if path.is_file() else []
    return words


def write_names(path: Path, report: ScanReport, ids: Collection[str]) -> Path:
    """Writes what the engine understands for some ids, one a line. Raises OSError."""
    path.write_text("".join(f"{name}\n" for name in report.names_of(ids)), encoding="utf-8")
    return path
