"""The configurations of the paper's tables, on miniature copies of the data sets with as many patients as the paper has."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from pcl_core.commands.experiment_data import find_material
from pcl_core.evaluation.cells import cells_of
from pcl_core.evaluation.protocol import load_config
from pcl_core.evaluation.series import load_series
from pcl_core.events import Collected, Reporter
from Testing.data_sets import CINE_FRAMES, WRITERS

CONFIGS = Path(__file__).parents[2] / "Docs" / "configs"
METHODS = ("random", "rotation", "pirl", "simclr", "gcl", "pcl")
# What the paper names: M, patients, the data sets' resolution and size, and the network's width and threshold.
TABLES = {
    "table1_chd": ((2, 6, 10, 15, 20, 30, 51), 68, (1.0, 512), (1.0, 512), (32, 0.1)),
    "table1_acdc": ((2, 6, 10, 15, 20, 30, 80), 100, (1.25, 352), (1.25, 352), (48, 0.35)),
    "table2_mmwhs": ((2, 4, 6, 8, 10, 16), 20, (1.0, 512), (1.5, 256), (32, 0.1)),
    "table2_hvsmr": ((2, 4, 6, 8), 10, (1.25, 352), (0.7, 352), (48, 0.35)),
}
# Of the sweep: its own threshold among further ones.
SWEEPS = {"sweep_chd": 0.1, "sweep_acdc": 0.35}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the four data sets where the configurations look for them, and the configurations."""
    folder = tmp_path_factory.mktemp("paper")
    for name, place, count in (
        ("chd", "chd", 68),
        ("acdc", "acdc/training", 100),
        ("mmwhs", "mmwhs", 20),
        ("hvsmr", "hvsmr", 10),
    ):
        WRITERS[name](folder / place, count)
    for path in CONFIGS.glob("*.json"):
        shutil.copy(path, folder)
    return folder


def test_every_table_has_its_configuration() -> None:
    assert {path.stem for path in CONFIGS.glob("*.json")} == TABLES.keys() | SWEEPS.keys() | {"table1", "table2", "sweep"}


@pytest.mark.parametrize(("name", "halves"), [("table1", ("chd", "acdc")), ("table2", ("mmwhs", "hvsmr"))])
def test_a_table_is_one_configuration(name: str, halves: tuple[str, ...]) -> None:
    series = load_series(CONFIGS / f"{name}.json")
    assert list(series.experiments) == [f"{name}_{half}" for half in halves]
    assert [config.layout for config in series.experiments.values()] == list(halves)
    assert {config.setting for config in series.experiments.values()} == {"semi-supervised" if name == "table1" else "transfer"}


@pytest.mark.parametrize("name", TABLES)
def test_a_configuration_finds_its_data_and_plans_as_the_paper(name: str, data: Path) -> None:
    labelled, patients, pretrained_on, tuned_on, network = TABLES[name]
    config = load_config(data / f"{name}.json")
    assert (config.methods, config.labelled, config.folds, config.preset) == (METHODS, labelled, 5, "paper")
    sink = Collected()
    material = find_material(config, torch.device("cpu"), Reporter(sink))
    assert sink.named("warning") == []
    assert (len(set(material.patients.values())), len(material.folds)) == (patients, 5)
    plan, target = material.pretrain_plan, material.finetune_plan
    assert (plan.slices.resolution_mm, plan.slices.size) == pretrained_on
    assert (target.slices.resolution_mm, target.slices.size) == tuned_on
    assert (plan.network.filters, plan.pretrain.threshold) == network
    assert (plan.pretrain.epochs, target.finetune.epochs, target.finetune.batch) == (200, 100, 5)
    assert target.slices.axis == ("auto" if name == "table1_acdc" else "axial")
    assert len(cells_of(config, plan)) == len(METHODS) * len(labelled) * 5


@pytest.mark.parametrize("name", SWEEPS)
def test_a_sweep_has_the_papers_threshold_among_others(name: str, data: Path) -> None:
    config = load_config(data / f"{name}.json")
    material = find_material(config, torch.device("cpu"), Reporter(Collected()))
    thresholds = {cell.threshold for cell in cells_of(config, material.pretrain_plan) if cell.method == "pcl"}
    assert thresholds == {SWEEPS[name], *config.thresholds}
    assert min(thresholds) < SWEEPS[name] < max(thresholds)
    assert list(load_series(data / "sweep.json").experiments) == list(SWEEPS)


def test_encoders_for_acdc_see_every_cine_frame_once(data: Path) -> None:
    material = find_material(load_config(data / "table2_hvsmr.json"), torch.device("cpu"), Reporter(Collected()))
    assert len(material.unlabeled) == 100 * CINE_FRAMES
    assert all(source.frame is not None for source in material.unlabeled)
