"""Banks and an encoder that the trainings share; a session makes each once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pcl_core.slices.bank import SliceBank
from pcl_core.training.pretraining import pretrain
from Testing.making import bank_of, context_of, stored_items, tiny_plan


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> SliceBank:
    """Three volumes of ten slices of 32 x 32."""
    folder = tmp_path_factory.mktemp("unlabeled")
    return bank_of(folder, stored_items(folder, 3))


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> SliceBank:
    """Four labelled volumes of ten slices of 32 x 32, each of its own patient."""
    folder = tmp_path_factory.mktemp("labelled")
    return bank_of(folder, stored_items(folder, 4, labelled=True))


@pytest.fixture(scope="session")
def encoder(bank: SliceBank, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pretrained encoder of 4 filters."""
    return pretrain(bank, tiny_plan(), tmp_path_factory.mktemp("encoder"), context_of()).encoder
