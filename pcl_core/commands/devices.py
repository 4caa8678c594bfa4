"""``devices``: which GPUs there are, which device would be used, and why."""

from __future__ import annotations

import argparse
from typing import Any

import torch

from pcl_core.cancellation import Cancellation
from pcl_core.commands.planning import start
from pcl_core.errors import OutOfMemoryError
from pcl_core.events import Reporter
from pcl_core.training.choosing import reason_for, why_not_served
from pcl_core.training.devices import device_name, machine_memory


def run(args: argparse.Namespace, reporter: Reporter, _cancellation: Cancellation) -> None:
    """Shows one row a device that works; what is used by default comes first in the summary, with the reason."""
    used = start(args, reporter)
    gpus = [torch.device("cuda", number) for number in range(_gpus())]
    found = [torch.device("cpu"), *(gpu for gpu in gpus if _works(gpu))]
    rows = [_facts(device) for device in found]
    table = [[row["device"], row["name"], f"{row['memory_bytes'] / 2**30:.1f}"] for row in rows]
    reporter.table("Devices", ("Device", "Name", "Memory (GiB)"), table)
    reporter.done(used=str(used), reason=reason_for(used, args.device), torch=torch.__version__, devices=rows)


def _gpus() -> int:
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _works(gpu: torch.device) -> bool:
    try:
        return not why_not_served(gpu)[0]
    except OutOfMemoryError:  # it would, if others had not all of its memory
        return True


def _facts(device: torch.device) -> dict[str, Any]:
    on_gpu = device.type == "cuda"  # of a GPU without asking for any of its memory
    memory = torch.cuda.get_device_properties(device).total_memory if on_gpu else machine_memory()
    return {"device": str(device), "name": device_name(device), "memory_bytes": memory}
