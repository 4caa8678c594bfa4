import gc
import weakref
from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import pytest


def bound(row, kind, name, extra=""):
    """A widget of a .ui file that is bound to a parameter of its own name."""
    binding = f'<property name="SlicerParameterName" stdset="0"><string>{name}</string></property>'
    return f'<item row="{row}" column="0"><widget class="{kind}" name="{name}">{binding}{extra}</widget></item>'


WIDGETS = [
    bound(0, "QSpinBox", "epochs"),
    bound(1, "ctkSliderWidget", "threshold"),
    bound(2, "QComboBox", "method"),
    bound(3, "qMRMLNodeComboBox", "volume", '<property name="noneEnabled"><bool>true</bool></property>'),
    bound(4, "ctkPathLineEdit", "folder"),
    bound(5, "QCheckBox", "fast"),
]
FORM = f'<layout class="QFormLayout">{"".join(WIDGETS)}</layout>'
UI = f'<ui version="4.0"><class>Panel</class><widget class="QWidget" name="Panel">{FORM}</widget></ui>'


class Method(Enum):
    PCL = "pcl"
    SIMCLR = "simclr"

    def label(self):
        return {"PCL": "Positional", "SIMCLR": "Plain"}[self.name]


@pytest.fixture
def parameters(bench, slicer):
    """Some parameters in a node of the scene."""
    from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

    @parameterNodeWrapper
    class Parameters:
        epochs: Annotated[int, WithinRange(1, 500)] = 50
        threshold: Annotated[float, WithinRange(0, 1)] = 0.35
        method: Method
        volume: slicer.vtkMRMLScalarVolumeNode
        folder: Path
        fast: bool = True
        cases: list[str]
        weights: dict[str, float]
        seed: Optional[int]  # noqa: UP045 - modules may write it either way

    return Parameters(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "Parameters"))


def test_defaults_are_in_the_node_from_the_start(parameters):
    node = parameters.parameterNode
    assert (node.GetParameter("epochs"), node.GetParameter("threshold"), node.GetParameter("method")) == ("50", "0.35", "PCL")
    assert (node.GetParameter("fast"), node.GetParameter("cases_len")) == ("True", "0")
    assert parameters.seed is None
    assert parameters.volume is None


@pytest.mark.parametrize(("name", "value"), [("epochs", 0), ("threshold", 1.5)])
def test_a_value_out_of_range_raises_value_error_and_changes_nothing(parameters, name, value):
    before = parameters.getValue(name)
    with pytest.raises(ValueError, match="between"):
        parameters.setValue(name, value)
    assert parameters.getValue(name) == before


def test_a_value_of_another_type_raises_type_error(parameters):
    with pytest.raises(TypeError):
        parameters.epochs = "many"
    with pytest.raises(TypeError):
        parameters.folder = "/tmp"


def test_changing_a_list_or_a_dictionary_changes_the_node(parameters):
    parameters.cases.append("a")
    parameters.cases.append("b")
    parameters.cases.remove("a")
    parameters.weights["LV"] = 0.5
    assert parameters.cases == ["b"]
    assert parameters.parameterNode.GetParameter("cases_0") == "b"
    assert not parameters.parameterNode.HasParameter("cases_1")
    assert dict(parameters.weights) == {"LV": 0.5}


def test_values_survive_saving_and_loading_the_scene(parameters, slicer, tmp_path):
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    parameters.epochs, parameters.method, parameters.volume = 7, Method.SIMCLR, volume
    parameters.cases, parameters.seed, parameters.folder = ["a", "b"], 3, tmp_path
    kind = type(parameters)
    scene = tmp_path / "scene.mrml"
    slicer.mrmlScene.SetURL(str(scene))
    assert slicer.mrmlScene.Commit()
    slicer.mrmlScene.Clear(False)
    slicer.mrmlScene.SetURL(str(scene))
    slicer.mrmlScene.Connect()
    loaded = kind(slicer.util.getNode("Parameters"))
    assert (loaded.epochs, loaded.method, loaded.cases, loaded.seed, loaded.folder) == (
        7,
        Method.SIMCLR,
        ["a", "b"],
        3,
        tmp_path,
    )
    assert loaded.volume.GetName() == "CT"


def test_widgets_and_parameters_follow_each_other(parameters, slicer, tmp_path):
    file = tmp_path / "Panel.ui"
    file.write_text(UI)
    widget = slicer.util.loadUI(str(file))
    ui = slicer.util.childWidgetVariables(widget)
    ui.volume.setMRMLScene(slicer.mrmlScene)
    parameters.connectGui(ui)
    assert (ui.epochs.value, ui.epochs.maximum, ui.threshold.value, ui.threshold.maximum) == (50, 500, 0.35, 1.0)
    assert (ui.method.count, ui.method.currentText) == (2, "Positional")

    ui.epochs.value = 9
    ui.method.setCurrentIndex(1)
    ui.folder.currentPath = str(tmp_path)
    ui.fast.checked = False
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    ui.volume.setCurrentNode(volume)
    assert (parameters.epochs, parameters.method, parameters.folder, parameters.fast) == (9, Method.SIMCLR, tmp_path, False)
    assert parameters.volume is volume

    parameters.threshold = 0.5
    parameters.volume = None
    assert ui.threshold.value == 0.5
    assert ui.volume.currentNode() is None


def test_after_disconnecting_widgets_are_left_alone(parameters, slicer, qt):
    box = qt.QSpinBox()
    tag = parameters.connectParametersToGui({"epochs": box})
    parameters.disconnectGui(tag)
    box.value = 3
    assert parameters.epochs == 50
    parameters.epochs = 7
    assert box.value == 3
    assert not parameters.parameterNode.HasObserver("ModifiedEvent")


def test_a_node_outlives_the_wrapper_that_was_bound_to_widgets(bench, slicer, qt):
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    @parameterNodeWrapper
    class Parameters:
        epochs: int = 50

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "Parameters")
    box = qt.QSpinBox()
    wrapped = Parameters(node)
    wrapped.connectParametersToGui({"epochs": box})
    gone, identifier = weakref.ref(wrapped), node.GetID()
    closed = []
    box.connect("destroyed()", lambda: closed.append(True))
    box.deleteLater()
    bench.wait_until(lambda: closed)
    del wrapped, node, box
    gc.collect()
    assert gone() is None
    node = slicer.mrmlScene.GetNodeByID(identifier)
    node.SetParameter("epochs", "3")
    assert not node.HasObserver("ModifiedEvent")


def test_a_slider_needs_limits(bench, slicer, ctk):
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    @parameterNodeWrapper
    class Unlimited:
        value: float

    wrapped = Unlimited(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))
    with pytest.raises(RuntimeError, match="limit"):
        wrapped.connectParametersToGui({"value": ctk.ctkSliderWidget()})


def test_a_table_cannot_show_a_parameter(parameters, qt):
    with pytest.raises(RuntimeError, match="Unable to create GUI connector"):
        parameters.connectParametersToGui({"cases": qt.QTableWidget()})


def test_packs_lie_in_the_node_by_dotted_names(bench, slicer):
    from slicer.parameterNodeWrapper import Maximum, parameterNodeWrapper, parameterPack

    @parameterPack
    class Corner:
        x: Annotated[float, Maximum(10)] = 1.0
        y: float

    @parameterNodeWrapper
    class Box:
        corner: Corner

    box = Box(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))
    box.corner.x = 5.0
    box.setValue("corner.y", 2.0)
    assert box.parameterNode.GetParameter("corner.x") == "5.0"
    assert box.corner == Corner(5.0, 2.0)
    with pytest.raises(ValueError, match="at most"):
        box.corner.x = 11.0
