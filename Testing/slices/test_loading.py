from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from pcl_core.slices.loading import Loader, MappedLoader, PrefetchingLoader, ResidentLoader, loader_for, moved

CPU = torch.device("cpu")
IMAGES = np.random.default_rng(0).random((40, 16, 16)).astype(np.float16)
EPOCH = [np.array(rows) for rows in ([3, 5, 8], [0, 39], [1, 2, 4], [7])]


def loaders() -> list[Loader]:
    return [MappedLoader(IMAGES), ResidentLoader(IMAGES, CPU, rows_at_once=7), PrefetchingLoader(IMAGES, CPU)]


@pytest.mark.parametrize("loader", loaders(), ids=lambda loader: type(loader).__name__)
def test_every_loader_gives_the_same_images_in_the_order_of_the_rows(loader: Loader) -> None:
    for rows, following in zip(EPOCH, [*EPOCH[1:], None], strict=True):
        images = loader.images(rows, following)
        assert images.dtype == torch.float32
        assert torch.equal(images, torch.from_numpy(IMAGES[rows].astype(np.float32))[:, None])


def test_rows_that_were_not_announced_are_read_all_the_same() -> None:
    loader = PrefetchingLoader(IMAGES, CPU)
    loader.images(EPOCH[0], EPOCH[1])
    assert torch.equal(loader.images(EPOCH[2]), torch.from_numpy(IMAGES[EPOCH[2]].astype(np.float32))[:, None])


class Watched(np.ndarray):
    """An array that notes which threads read rows of it."""

    readers: list[str]

    def __getitem__(self, key: object) -> np.ndarray:
        Watched.readers.append(threading.current_thread().name)
        return np.asarray(super().__getitem__(key))


def test_announced_rows_are_read_by_another_thread() -> None:
    Watched.readers = []
    loader = PrefetchingLoader(IMAGES.view(Watched), CPU)
    loader.images(EPOCH[0], EPOCH[1])
    loader.images(EPOCH[1])
    main = threading.current_thread().name
    assert [name == main for name in Watched.readers] == [True, False]


def test_on_the_processor_slices_stay_in_the_mapped_file() -> None:
    assert isinstance(loader_for(IMAGES, CPU), MappedLoader)
    values = torch.arange(3)
    assert moved(values, CPU) is values


@pytest.mark.filterwarnings("error")
def test_a_mapped_file_is_brought_onto_the_device_without_a_word(tmp_path: Path) -> None:
    IMAGES.tofile(tmp_path / "slices.f16")
    mapped = np.memmap(tmp_path / "slices.f16", dtype=np.float16, mode="r", shape=IMAGES.shape)
    assert torch.equal(ResidentLoader(mapped, CPU, 7).images(EPOCH[0]), MappedLoader(IMAGES).images(EPOCH[0]))
