"""From rows of a slice bank to images on the device, by the shortest way that the device allows."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from pcl_core.gpu_memory import free_bytes

# Of what a GPU has free beside a step's memory, so much may be taken by a bank that stays there.
_SHARE = 0.6


class Loader(Protocol):
    """Gives the images of rows."""

    def images(self, rows: np.ndarray, following: np.ndarray | None = None) -> Tensor:
        """Images (N, 1, S, S), 32-bit floats on the device.

        Args:
            rows: (N,) of the bank.
            following: rows that will be asked for next, when that is known.
        """


class MappedLoader:
    """Reads the mapped file when it is asked; for the CPU, where nothing has to be moved."""

    def __init__(self, images: np.ndarray) -> None:
        self._images = images

    def images(self, rows: np.ndarray, following: np.ndarray | None = None) -> Tensor:
        """Images (N, 1, S, S)."""
        return torch.from_numpy(self._images[rows]).float()[:, None]


class ResidentLoader:
    """Holds all slices in the device's memory, in 16-bit floats."""

    def __init__(self, images: np.ndarray, device: torch.device, rows_at_once: int = 1024) -> None:
        self._images = torch.empty(images.shape, dtype=torch.float16, device=device)
        for first in range(0, len(images), rows_at_once):
            part = slice(first, first + rows_at_once)
            self._images[part] = torch.from_numpy(np.array(images[part])).to(device)  # a mapped file cannot be written to

    def images(self, rows: np.ndarray, following: np.ndarray | None = None) -> Tensor:
        """Images (N, 1, S, S)."""
        chosen = moved(torch.from_numpy(rows), self._images.device)
        return self._images.index_select(0, chosen).float()[:, None]


class PrefetchingLoader:
    """Reads the next rows in a thread while the device computes, into memory that the GPU copies from by itself."""

    def __init__(self, images: np.ndarray, device: torch.device) -> None:
        self._images = images
        self._device = device
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="slices")
        self._ahead: tuple[np.ndarray, Future[Tensor]] | None = None

    def images(self, rows: np.ndarray, following: np.ndarray | None = None) -> Tensor:
        """Images (N, 1, S, S)."""
        ahead, self._ahead = self._ahead, None
        read = ahead[1].result() if ahead is not None and np.array_equal(ahead[0], rows) else self._read(rows)
        if following is not None:
            self._ahead = (following, self._pool.submit(self._read, following))
        return read.to(self._device, non_blocking=True).float()[:, None]

    def _read(self, rows: np.ndarray) -> Tensor:
        read = torch.from_numpy(self._images[rows])
        return read.pin_memory() if self._device.type == "cuda" else read


def loader_for(images: np.ndarray, device: torch.device, step_bytes: int = 0) -> Loader:
    """The loader that suits a bank and a device.

    Args:
        images: (rows, S, S) half floats, mapped.
        device: of the training.
        step_bytes: memory of a step beside the bank.
    """
    if device.type != "cuda":
        return MappedLoader(images)
    if images.nbytes <= _SHARE * max(0, free_bytes(device) - step_bytes):
        return ResidentLoader(images, device)
    return PrefetchingLoader(images, device)


def moved(values: Tensor, device: torch.device) -> Tensor:
    """A small tensor on the device; a GPU fetches it without holding up this process."""
    return values if device.type == "cpu" else values.pin_memory().to(device, non_blocking=True)
