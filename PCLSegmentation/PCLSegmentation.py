"""PCLSegmentation: segments volumes with a network that was fine-tuned on a few annotated cases."""

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

from PCLLib.questions import Dialogs, Questions
from PCLLib.sample_data import register_samples
from PCLLib.segmentation_panel import SegmentationPanel
from PCLLib.segmentation_parameters import SegmentationParameters
from PCLLib.segmentation_self_test import SegmentationSelfTest
from PCLLib.segmentation_session import SegmentationSession


class PCLSegmentation(ScriptedLoadableModule):
    """The module, as Slicer's lists show it."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        parent.title = _("PCL Segmentation")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = []
        parent.contributors = ["The contributors of this extension"]
        parent.helpText = _(
            "Annotate a few cases, fine-tune a network on them, and segment the others with a click. An encoder that PCL "
            "Pretrain has trained on your volumes by positional contrastive learning makes a few annotations go further. For "
            "research. Not a medical device."
        )
        parent.acknowledgementText = _(
            "The method: D. Zeng and others, Positional Contrastive Learning for Volumetric Medical Image Segmentation, "
            "MICCAI 2021."
        )
        slicer.app.connect("startupCompleted()", register_samples)


class PCLSegmentationWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel's life in the application: it comes and goes with the module and the scene."""

    def __init__(self, parent: object = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: PCLSegmentationLogic | None = None
        self.panel: SegmentationPanel | None = None

    def setup(self) -> None:
        """Called once, when the module is first opened."""
        ScriptedLoadableModuleWidget.setup(self)
        widget = slicer.util.loadUI(self.resourcePath("UI/PCLSegmentation.ui"))
        self.layout.addWidget(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = PCLSegmentationLogic()
        self.panel = SegmentationPanel(slicer.util.childWidgetVariables(widget), self.logic.session, self.logic.questions)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndClose)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Called when the module goes away, also when the application is closed: no process and no key is left."""
        self.removeObservers()
        if self.panel is not None:
            self.panel.close_scene()
            self.panel.editor.leave()
        if self.logic is not None:
            self.logic.session.shut_down()

    def enter(self) -> None:
        """Called whenever the module is opened."""
        self.initializeParameterNode()
        if self.panel is not None:
            self.panel.take_encoder()
            self.panel.editor.enter()
        if self.logic is not None:
            self.logic.session.graphics.look()
            self.logic.session.offer_packages()

    def exit(self) -> None:
        """Called when another module is opened; what runs goes on."""
        if self.panel is not None:
            self.panel.editor.leave()

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


class PCLSegmentationLogic(ScriptedLoadableModuleLogic):
    """The session and the parameters; for scripts too.

    Args:
        questions: whom to ask for consent; dialogs unless another is given.
    """

    def __init__(self, questions: Questions | None = None) -> None:
        super().__init__()
        self.questions = questions or Dialogs()
        self.session = SegmentationSession(self.questions)

    def getParameterNode(self) -> SegmentationParameters:
        """The parameters of the present scene."""
        return SegmentationParameters(super().getParameterNode())  # type: ignore[call-arg]  # the wrapper's constructor


class PCLSegmentationTest(ScriptedLoadableModuleTest):
    """The self-test of the module: a generated case is annotated, learned from, and another is segmented."""

    def runTest(self) -> None:
        """Runs all."""
        slicer.mrmlScene.Clear()
        SegmentationSelfTest(slicer.util.getModuleWidget("PCLSegmentation").panel).run()
