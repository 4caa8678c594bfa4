import numpy as np
import pytest

from Testing.host.tests.making import add_heart, add_segmentation, heart_array


@pytest.fixture
def segmentation(bench, slicer):
    """A volume with a segmentation of one segment."""
    return add_segmentation(slicer, add_heart(slicer))


@pytest.fixture
def editor(segmentation, slicer):
    """A segment editor on that segmentation."""
    widget = slicer.qMRMLSegmentEditorWidget()
    widget.setMRMLScene(slicer.mrmlScene)
    widget.setMRMLSegmentEditorNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode"))
    widget.setSegmentationNode(segmentation)
    widget.setSourceVolumeNode(slicer.util.getNode("CT"))
    return widget


def test_a_table_follows_its_segmentation(segmentation, slicer):
    table = slicer.qMRMLSegmentsTableView()
    table.setSegmentationNode(segmentation)
    assert table.displayedSegmentIDs() == ("heart",)
    second = segmentation.GetSegmentation().AddEmptySegment("", "Myocardium", [1, 1, 0])
    assert table.segmentCount == 2
    segmentation.GetSegmentation().GetSegment(second).SetName("Myo")
    table.textFilter = "myo"
    assert table.displayedSegmentIDs() == (second,)
    segmentation.GetSegmentation().RemoveSegment(second)
    assert table.segmentCount == 0


def test_a_chosen_segment_is_told(segmentation, slicer):
    table, told = slicer.qMRMLSegmentsTableView(), []
    table.setSegmentationNode(segmentation)
    table.selectionChanged.connect(lambda selected, deselected: told.append(table.selectedSegmentIDs()))
    table.setSelectedSegmentIDs(["heart"])
    assert told[-1] == ("heart",)


def test_a_selector_lists_the_segments_of_its_node(segmentation, slicer):
    selector, told = slicer.qMRMLSegmentSelectorWidget(), []
    selector.setMRMLScene(slicer.mrmlScene)
    selector.connect("currentSegmentChanged(QString)", told.append)
    selector.setCurrentNode(segmentation)
    assert selector.currentSegmentID() == "heart"
    assert told == ["heart"]
    assert selector.segmentIDs() == ("heart",)


def test_the_editor_undoes_one_step_at_a_time(editor, segmentation, slicer):
    volume = slicer.util.getNode("CT")
    before = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "heart", volume)
    editor.saveStateForUndo()
    slicer.util.updateSegmentBinaryLabelmapFromArray(np.ones_like(before), segmentation, "heart", volume)
    assert slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "heart", volume).all()
    editor.undo()
    assert (slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "heart", volume) == (heart_array() > 400)).all()
    editor.redo()
    assert slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "heart", volume).all()


def test_the_editor_adds_and_removes_segments_by_its_buttons(bench, editor, segmentation, qt):
    editor.show()
    buttons = {button.text: button for button in editor.findChildren(qt.QPushButton)}
    bench.click(buttons["Add"])
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 2
    added = editor.currentSegmentID()
    assert added != "heart"
    bench.click(buttons["Remove"])
    assert segmentation.GetSegmentation().GetSegment(added) is None
    bench.click(buttons["Undo"])
    assert segmentation.GetSegmentation().GetSegment(added) is not None
    editor.hide()


def test_the_editor_keeps_what_is_chosen_in_its_node(editor, segmentation, slicer):
    node = editor.mrmlSegmentEditorNode()
    assert node.GetSegmentationNode() is segmentation
    assert node.GetSourceVolumeNode() is slicer.util.getNode("CT")
    editor.setActiveEffectByName("Paint")
    assert editor.activeEffect().name == "Paint"
    editor.setActiveEffect(None)
    assert editor.activeEffect() is None


def test_a_removed_segmentation_leaves_the_editor_empty(editor, segmentation, slicer):
    slicer.mrmlScene.RemoveNode(segmentation)
    assert editor.segmentationNode() is None
    assert editor.currentSegmentID() == ""


def test_the_3d_button_makes_a_surface(segmentation, slicer):
    button = slicer.qMRMLSegmentationShow3DButton()
    button.setSegmentationNode(segmentation)
    button.checked = True
    assert segmentation.GetSegmentation().ContainsRepresentation("Closed surface")
    assert segmentation.GetDisplayNode().GetVisibility3D()


def test_labels_are_imported_and_exported(segmentation, slicer):
    logic = slicer.modules.segmentations.logic()
    labels = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    assert logic.ExportAllSegmentsToLabelmapNode(segmentation, labels)
    target = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert logic.ImportLabelmapToSegmentationNode(labels, target)
    assert target.GetSegmentation().GetNumberOfSegments() == 1


def test_the_segment_editor_module_opens_with_its_editor(bench, segmentation, slicer):
    bench.host.window.show()
    slicer.util.selectModule("SegmentEditor")
    editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    assert slicer.util.getModuleWidget("SegmentEditor").editor == editor
    assert editor.visible
    editor.setSegmentationNode(segmentation)
    assert editor.mrmlSegmentEditorNode().GetSegmentationNode() is segmentation
    second = segmentation.GetSegmentation().AddEmptySegment("second")
    editor.selectNextSegment()
    assert editor.currentSegmentID() == second
