"""From opening the module to an overlay, by clicks only: on generated volumes, and on real ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[3] / "shared" / "data"


def overlap(page, node, truth, volume) -> dict[str, float]:
    """Dice of each class of a segmentation, by name."""
    from PCLLib.segment_nodes import mask_of, segments_of

    there = {segment.name: mask_of(truth, segment.id, volume) for segment in segments_of(truth)}
    found = {segment.name: mask_of(node, segment.id, volume) for segment in segments_of(node)}
    return {name: 2 * (there[name] & found[name]).sum() / (there[name].sum() + found[name].sum()) for name in there}


@pytest.fixture
def samples(host, slicer):
    """The sample data of the extension, as the module Sample Data offers it."""
    import SampleData

    (source,) = slicer.modules.sampleDataSources["Positional Contrastive Learning"]
    return lambda: SampleData.SampleDataLogic().downloadFromSource(source)


def test_the_sample_data_is_offered_once_when_the_module_is_loaded_again(page, slicer):
    from PCLLib.sample_data import CATEGORY, register_samples

    register_samples()
    assert [source.sampleName for source in slicer.modules.sampleDataSources[CATEGORY]] == ["GeneratedHearts"]


def test_from_sample_data_to_an_overlay(estimates, page, samples, slicer, tmp_path):
    nodes = samples()
    page.wait_for_cases(6)
    page.bench.wait_until(lambda: list(page.states().values()) == ["Annotated"] * 2 + ["Not annotated"] * 4)
    page.finetune(tmp_path / "models")
    assert page.message == ""
    from PCLLib.segment_nodes import segments_of

    node = page.segment(nodes[3])
    assert [segment.name for segment in segments_of(node)] == ["right ventricle", "myocardium", "left ventricle"]
    assert page.states()["Heart4"] == "Predicted"
    assert node.GetDisplayNode().GetVisibility()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count", "steps", "least"), [("hippocampus", 6, 400, 0.5), ("chaos_t2", 4, 100, 0.0)])
def test_from_a_folder_of_real_volumes_to_overlays(page, tmp_path, name, count, steps, least):
    if not (SHARED_DATA / name).is_dir():
        pytest.skip(f"the real volumes of {name} are not beside the checkout")
    images = sorted((SHARED_DATA / name / "imagesTr").glob("[!.]*.nii.gz"))[:count]
    for kind, files in (("imagesTr", images), ("labelsTr", images[:2])):
        (tmp_path / "scans" / kind).mkdir(parents=True)
        for file in files:
            labels = SHARED_DATA / name / kind / file.name.replace("_0000.nii.gz", ".nii.gz")
            shutil.copy(file if kind == "imagesTr" else labels, tmp_path / "scans" / kind)
    page.bench.answer_file(tmp_path / "scans")
    page.bench.click(page.ui.addFolderButton)
    page.wait_for_cases(count)
    page.wait("IDLE")
    assert sorted(page.states().values()) == ["Annotated"] * 2 + ["Not annotated"] * (count - 2)
    page.ui.caseTable.cellDoubleClicked(0, 0)
    page.finetune(tmp_path / "models", 800, minutes=steps // 10)
    assert page.message == ""
    page.ui.caseTable.cellDoubleClicked(count - 1, 0)
    page.segment(page.panel.desk.volume)
    from PCLLib.label_import import import_labels

    volume = page.panel.desk.volume
    file = next((SHARED_DATA / name / "labelsTr").glob(f"{images[-1].name.split('.')[0].removesuffix('_0000')}*"))
    truth = import_labels(file, volume, page.panel.desk.classes)
    dice = overlap(page, page.panel.segment.result, truth, volume)
    assert min(dice.values()) >= least, dice
