import pytest


@pytest.fixture
def volumes(bench, slicer):
    """A node combo box for volumes in the scene."""
    box = slicer.qMRMLNodeComboBox()
    box.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    box.setMRMLScene(slicer.mrmlScene)
    return box


def add_volume(name="CT"):
    import slicer

    return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)


def test_it_follows_the_scene(volumes, slicer):
    assert volumes.currentNode() is None
    first = add_volume()
    assert volumes.currentNode() is first  # without noneEnabled the first node is taken
    add_volume("MR")
    assert volumes.nodeCount() == 2
    slicer.mrmlScene.RemoveNode(first)
    assert volumes.currentNode().GetName() == "MR"
    slicer.mrmlScene.Clear(False)
    assert volumes.currentNode() is None


def test_with_none_enabled_nothing_is_chosen_by_itself(volumes):
    volumes.noneEnabled = True
    add_volume()
    assert volumes.currentNode() is None
    assert volumes.currentNodeID == ""


def test_it_tells_the_node_the_truth_of_it_or_its_id(volumes):
    volumes.noneEnabled = True
    nodes, truths, ids = [], [], []
    volumes.connect("currentNodeChanged(vtkMRMLNode*)", nodes.append)
    volumes.connect("currentNodeChanged(bool)", truths.append)
    volumes.currentNodeIDChanged.connect(ids.append)
    volume = add_volume()
    volumes.setCurrentNode(volume)
    volumes.setCurrentNode(None)
    assert nodes == [volume, None]
    assert truths == [True, False]
    assert ids == [volume.GetID(), ""]


def test_it_shows_child_types_unless_told_not_to(volumes, slicer):
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    assert volumes.nodeCount() == 1
    volumes.showChildNodeTypes = False
    assert volumes.nodeCount() == 0


def test_only_nodes_with_an_attribute_are_listed_when_one_is_asked_for(volumes):
    volume = add_volume()
    volumes.addAttribute("vtkMRMLScalarVolumeNode", "PCL.Role", "prediction")
    assert volumes.nodeCount() == 0
    volume.SetAttribute("PCL.Role", "prediction")
    volumes.setMRMLScene(volumes.mrmlScene())
    assert volumes.currentNode() is volume


def test_a_renamed_node_is_shown_by_its_new_name(volumes):
    renamed = []
    volumes.currentNodeRenamed.connect(renamed.append)
    volume = add_volume("CT")
    volume.SetName("CT 2")
    assert renamed == ["CT 2"]


def test_a_new_node_is_made_from_its_list(bench, volumes, qt):
    from Testing.host.pythonqt.wrapping import unwrap

    volumes.noneEnabled = True
    volumes.baseName = "Made"
    volumes.show()
    box = volumes.findChild(qt.QComboBox)
    bench.choose(box, "Create new ScalarVolume")
    assert volumes.currentNode().GetName() == "Made"
    assert unwrap(box).currentText() == "Made"
    volumes.hide()


def test_what_the_real_one_does_not_expose_is_refused(volumes):
    for name in ("setNodeTypes", "setNoneEnabled", "count", "nodes"):
        with pytest.raises(AttributeError, match=name):
            getattr(volumes, name)
