"""``devices``: which GPUs there are, which device would be used, and why."""

from __future__ import annotations

import argparse
from typing import Any

import torch

from pcl_core.cancellation import Cancellation
from pcl_core.commands.planning import start
from pcl_core.events import Reporter
from pcl_core.training.devices import device_facts, device_name, reason_for


def run(args: argparse.Namespace, reporter: Reporter, _cancellation: Cancellation) -> None:
    """Shows one row a device; what is used by default comes first in the summary, with the reason."""
    used = start(args, reporter)
    found = [torch.device("cpu")] + [torch.device("cuda", number) for number in range(_gpus())]
    rows = [_facts(device) for device in found]
    table = [[row["device"], row["name"], f"{row['memory_bytes'] / 2**30:.1f}"] for row in rows]
    reporter.table("Devices", ("Device", "Name", "Memory (GiB)"), table)
    reporter.done(used=str(used), reason=reason_for(used), torch=torch.__version__, devices=rows)


def _gpus() -> int:
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _facts(device: torch.device) -> dict[str, Any]:
    return {"device": str(device), "name": device_name(device), "memory_bytes": device_facts(device).memory_bytes}
