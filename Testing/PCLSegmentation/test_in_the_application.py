"""What the module leaves in Slicer, and what of Slicer it does not offer."""

from __future__ import annotations

import sys

import numpy as np
import pytest

ICON = ("Resources", "Icons", "PCLSegmentation.png")


@pytest.fixture
def source(page):
    """What the module Sample Data offers of this extension."""
    import SampleData

    return SampleData.SampleDataLogic().sourceForSampleName("GeneratedHearts")


def test_label_maps_are_not_offered_as_volumes(page, slicer, new_volume):
    new_volume("scan")
    slicer.util.addVolumeFromArray(np.ones((4, 8, 8), np.uint8), name="labels", nodeClassName="vtkMRMLLabelMapVolumeNode")
    box = page.ui.volumeComboBox
    assert [box.nodeFromIndex(index).GetName() for index in range(box.nodeCount())] == ["scan"]


def test_a_reloaded_module_leaves_no_keys_of_its_old_editor(page, slicer, qt):
    def keys():
        return [shortcut.key.toString() for shortcut in slicer.util.mainWindow().findChildren(qt.QShortcut)]

    assert keys().count("1") == 1
    slicer.util.reloadScriptedModule("PCLSegmentation")
    slicer.util.selectModule("Data")
    assert keys() == []
    slicer.util.selectModule("PCLSegmentation")
    assert keys().count("1") == 1


@pytest.mark.parametrize("folder", ["PCLSegmentation", ""])
def test_the_sample_data_has_its_picture_in_a_checkout_and_when_it_is_installed(page, tmp_path, folder):
    from PCLLib.sample_data import icon_below

    assert icon_below(tmp_path) is None
    icon = (tmp_path / folder).joinpath(*ICON)
    icon.parent.mkdir(parents=True)
    icon.write_bytes(b"")
    assert icon_below(tmp_path) == str(icon)


def test_the_sample_data_is_registered_with_its_picture(source):
    assert source.thumbnailFileName.endswith("PCLSegmentation.png")


def test_sample_data_that_lacks_a_package_says_so_in_a_dialog(page, source, monkeypatch):
    for name in [name for name in sys.modules if name.startswith(("pcl_core.demo", "scipy"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "scipy", None)
    page.bench.answer("OK")
    assert source.customDownloader(source) == []
    (shown,) = page.bench.dialogs
    assert "scipy" in shown.text
    assert "Open PCL Segmentation and install it there" in shown.text
