import numpy as np
import pytest
from PySide6 import QtGui

from Testing.host.tests.making import add_heart, add_segmentation, heart_array


def pixels(path):
    """A photograph as (height, width, 3) in 0 to 255."""
    image = QtGui.QImage(str(path)).convertToFormat(QtGui.QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


@pytest.fixture
def red(bench, slicer):
    """The red slice view in a window that is shown."""
    bench.host.window.show()
    return slicer.app.layoutManager().sliceWidget("Red")


def test_a_slice_shows_the_volume_and_the_segmentation_on_it(bench, slicer, red, tmp_path):
    volume = add_heart(slicer)
    grey = pixels(bench.photograph(tmp_path / "grey.png", red.sliceView()))
    assert (grey.max(axis=2) == grey.min(axis=2)).mean() > 0.95
    assert grey.max() > 200
    add_segmentation(slicer, volume)
    green = pixels(bench.photograph(tmp_path / "green.png", red.sliceView()))
    is_green = green[..., 1] > green[..., 0] + 30
    middle = is_green[is_green.shape[0] // 2, is_green.shape[1] // 2]
    assert middle
    assert 0.1 < is_green.mean() < 0.6


def test_the_overlay_lies_where_its_voxels_are(bench, slicer, red, tmp_path):
    volume = add_heart(slicer)
    grey = pixels(bench.photograph(tmp_path / "grey.png", red.sliceView()))[..., 0]
    add_segmentation(slicer, volume)
    shown = pixels(bench.photograph(tmp_path / "green.png", red.sliceView()))
    is_green = shown[..., 1] > shown[..., 0] + 30
    is_bright = grey > (grey.max() + grey.min()) / 2
    assert (is_green & is_bright).sum() / (is_green | is_bright).sum() > 0.9


def test_the_wheel_and_the_slider_change_the_offset_and_the_picture(bench, slicer, red, qt):
    volume = slicer.util.addVolumeFromArray(np.arange(32)[:, None, None] * np.ones((32, 64, 64)), name="ramp")
    volume.CreateDefaultDisplayNodes()
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    logic = red.sliceLogic()
    logic.SetSliceOffset(10.0)
    slider = red.sliceController().sliceOffsetSlider()
    assert slider.value == 10.0
    slider.setValue(20.0)
    assert logic.GetSliceOffset() == 20.0
    picture = red._raw._picture
    before = picture.image().copy()
    angle = qt.QPoint(0, 120)._raw
    event = QtGui.QWheelEvent(
        QtGui.QCursor.pos(), QtGui.QCursor.pos(), angle, angle, qt.Qt.NoButton.pyside, qt.Qt.NoModifier.pyside,
        qt.Qt.NoScrollPhase.pyside, False,
    )  # fmt: skip
    picture.wheelEvent(event)
    assert logic.GetSliceOffset() == 21.0
    assert picture.image() != before


def test_the_overlay_is_still_there_after_the_scene_was_closed(bench, slicer, red, tmp_path):
    add_segmentation(slicer, add_heart(slicer))
    bench.close_scene()
    node = red.mrmlSliceNode()
    assert slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed") is node
    add_segmentation(slicer, add_heart(slicer))
    shown = pixels(bench.photograph(tmp_path / "green.png", red.sliceView()))
    assert 0.1 < (shown[..., 1] > shown[..., 0] + 30).mean() < 0.6


def test_a_plot_view_comes_with_a_layout_that_has_one_and_shows_the_chart(bench, slicer, tmp_path):
    bench.host.window.show()
    manager = slicer.app.layoutManager()
    chart = slicer.util.plot(np.array([[0.0, 1.0], [1.0, 0.5], [2.0, 0.25]]), 0, ["step", "loss"], "Loss", show=False)
    slicer.modules.plots.logic().ShowChartInLayout(chart)
    assert manager.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotView
    assert manager.plotWidget(0).mrmlPlotViewNode().GetPlotChartNode() is chart
    assert manager.plotWidget(0).plotView().chart().GetNumberOfPlots() == 1
    shown = pixels(bench.photograph(tmp_path / "plot.png", manager.plotWidget(0)))
    assert shown.min() < 100
    assert shown.max() > 200


def test_switching_the_layout_keeps_the_views(bench, slicer):
    manager = slicer.app.layoutManager()
    told = []
    manager.connect("layoutChanged(int)", told.append)
    red = manager.sliceWidget("Red")
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    assert manager.sliceWidget("Red") == red
    assert told == [slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView]


def test_saved_volumes_and_segmentations_are_loaded_again(bench, slicer, tmp_path):
    volume = add_heart(slicer)
    node = add_segmentation(slicer, volume)
    assert slicer.util.saveNode(volume, str(tmp_path / "CT.nrrd"))
    assert slicer.util.saveNode(node, str(tmp_path / "Hearts.seg.nrrd"))
    bench.close_scene()
    loaded = slicer.util.loadVolume(str(tmp_path / "CT.nrrd"))
    assert loaded.GetName() == "CT"
    assert (slicer.util.arrayFromVolume(loaded) == heart_array()).all()
    hearts = slicer.util.loadSegmentation(str(tmp_path / "Hearts.seg.nrrd"))
    voxels = slicer.util.arrayFromSegmentBinaryLabelmap(hearts, "heart", loaded)
    assert (voxels == (heart_array() > 400)).all()
    shown = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode().GetBackgroundVolumeID()
    assert shown == loaded.GetID()


def test_a_file_that_is_no_volume_raises_with_its_name(bench, slicer, tmp_path):
    with pytest.raises(RuntimeError, match=r"missing\.nrrd"):
        slicer.util.loadVolume(str(tmp_path / "missing.nrrd"))


def test_a_scene_is_saved_and_loaded_with_its_data(bench, slicer, tmp_path):
    add_heart(slicer)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    bench.close_scene()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert (slicer.util.arrayFromVolume(slicer.util.getNode("CT")) == heart_array()).all()
