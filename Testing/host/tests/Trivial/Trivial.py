"""The smallest module: a .ui file, a button, a logic."""

import slicer
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import *  # noqa: F403 - Slicer's own examples import it so; the bench must bear it
from slicer.util import VTKObservationMixin


class Trivial(ScriptedLoadableModule):  # noqa: F405 - as above
    def __init__(self, parent):
        super().__init__(parent)
        self.parent.title = _("Trivial")
        self.parent.categories = ["Testing"]
        self.parent.contributors = ["Somebody"]


class TrivialWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):  # noqa: F405 - as above
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)  # noqa: F405 - as above
        VTKObservationMixin.__init__(self)
        self.entered = 0
        self.closed = 0
        self.cleaned = 0

    def setup(self):
        super().setup()
        panel = slicer.util.loadUI(self.resourcePath("UI/Trivial.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        self.logic = TrivialLogic()
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)

    def cleanup(self):
        self.cleaned += 1
        self.removeObservers()

    def enter(self):
        self.entered += 1

    def onApply(self):
        self.ui.resultLabel.text = str(self.logic.double(self.ui.numberBox.value))

    def onSceneEndClose(self, caller, event):
        self.closed += 1


class TrivialLogic(ScriptedLoadableModuleLogic):  # noqa: F405 - as above
    def double(self, number):
        return 2 * number
