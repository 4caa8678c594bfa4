"""PCLPretrain: pretrains the encoder of a segmentation network on a folder of unlabeled volumes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

# In a source checkout Slicer knows this folder only; built and installed, PCLLib and pcl_core lie beside this file.
_ROOT = Path(__file__).resolve().parents[1]
if (_ROOT / "PCLLib").is_dir() and str(_ROOT) not in sys.path:
    sys.path.insert(0, str(_ROOT))

from PCLLib.parameters import PretrainParameters
from PCLLib.pretrain_panel import PretrainPanel
from PCLLib.pretrain_session import PretrainSession
from PCLLib.questions import Dialogs, Questions
from PCLLib.self_test import PretrainSelfTest


class PCLPretrain(ScriptedLoadableModule):
    """The module, as Slicer's lists show it."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        parent.title = _("PCL Pretrain")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = []
        parent.contributors = ["The contributors of this extension"]
        parent.helpText = _(
            "Positional contrastive learning: pretrains the encoder of a segmentation network on a folder of CT or MR volumes "
            "without labels, so that a few annotated cases are enough to train the whole network afterwards. For research. "
            "Not a medical device."
        )
        parent.acknowledgementText = _(
            "The method: D. Zeng and others, Positional Contrastive Learning for Volumetric Medical Image Segmentation, "
            "MICCAI 2021."
        )


class PCLPretrainWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel's life in the application: it comes and goes with the module and the scene."""

    def __init__(self, parent: object = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: PCLPretrainLogic | None = None
        self.panel: PretrainPanel | None = None

    def setup(self) -> None:
        """Called once, when the module is first opened."""
        ScriptedLoadableModuleWidget.setup(self)
        widget = slicer.util.loadUI(self.resourcePath("UI/PCLPretrain.ui"))
        self.layout.addWidget(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = PCLPretrainLogic()
        self.panel = PretrainPanel(slicer.util.childWidgetVariables(widget), self.logic.session)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndClose)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Called when the module goes away, also when the application is closed: no process is left."""
        self.removeObservers()
        if self.panel is not None:
            self.panel.close_scene()
        if self.logic is not None:
            self.logic.session.shut_down()

    def enter(self) -> None:
        """Called whenever the module is opened."""
        self.initializeParameterNode()
        if self.logic is not None:
            self.logic.session.graphics.look()

    def exit(self) -> None:
        """Called when another module is opened; what runs goes on."""

    def onSceneStartClose(self, _caller: vtk.vtkObject, _event: str) -> None:
        """Before the scene is closed."""
        if self.panel is not None:
            self.panel.close_scene()

    def onSceneEndClose(self, _caller: vtk.vtkObject, _event: str) -> None:
        """After a scene was closed or loaded."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self) -> None:
        """Takes the parameters of the present scene."""
        if self.logic is not None and self.panel is not None:
            self.panel.set_parameters(self.logic.getParameterNode())

    def onReload(self) -> None:
        """Reloads the shared packages too, which Slicer would keep."""
        for name in [name for name in sys.modules if name.partition(".")[0] in ("PCLLib", "pcl_core")]:
            del sys.modules[name]
        super().onReload()


class PCLPretrainLogic(ScriptedLoadableModuleLogic):
    """The session and the parameters; for scripts too.

    Args:
        questions: whom to ask for consent; dialogs unless another is given.
    """

    def __init__(self, questions: Questions | None = None) -> None:
        super().__init__()
        self.session = PretrainSession(questions or Dialogs())

    def getParameterNode(self) -> PretrainParameters:
        """The parameters of the present scene."""
        return PretrainParameters(super().getParameterNode())  # type: ignore[call-arg]  # the wrapper's constructor


class PCLPretrainTest(ScriptedLoadableModuleTest):
    """The self-test of the module: a short pretraining of generated volumes, from the folder to the encoder."""

    def runTest(self) -> None:
        """Runs all."""
        slicer.mrmlScene.Clear()
        PretrainSelfTest(slicer.util.getModuleWidget("PCLPretrain").panel).run()
