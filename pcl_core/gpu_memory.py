"""The memory of a GPU: how much of it a program can have."""

from __future__ import annotations

import torch


def free_bytes(device: torch.device) -> int:
    """Bytes of a GPU that tensors can have: those that nobody has, and those that PyTorch keeps and no tensor uses."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
