"""The hands of a test inside the real application: what `Bench` does, in PythonQt's language only.

QTest cannot be reached from Slicer's Python: a click is the widget's own click() here, and text is set instead of typed.
Everything in this file also runs on the bench, which is how it is tested.
"""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import qt
import slicer

from Testing.host.driving.seen_dialog import SeenDialog

REPOSITORY = Path(__file__).parents[3]
#: Class -> how a text gets into it.
SETTERS: tuple[tuple[str, Callable[[Any, str], None]], ...] = (
    ("ctkPathLineEdit", lambda widget, text: widget.setCurrentPath(text)),
    ("QSpinBox", lambda widget, text: widget.setValue(int(text))),
    ("QDoubleSpinBox", lambda widget, text: widget.setValue(float(text))),
    ("QPlainTextEdit", lambda widget, text: widget.setPlainText(text)),
    ("QComboBox", lambda widget, text: widget.setEditText(text)),
    ("QLineEdit", lambda widget, text: widget.setText(text)),
)


class SlicerBench:
    """Works the modules of the running application."""

    def __init__(self) -> None:
        self.dialogs: list[SeenDialog] = []
        self._unexpected: list[SeenDialog] = []
        self._answers: deque[Callable[[Any], None]] = deque()
        self._timer = qt.QTimer()
        self._timer.setInterval(20)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def load(self, name: str, repository: Path = REPOSITORY) -> Any:
        """The Widget object of a module that the application was started with."""
        slicer.util.selectModule(name)
        slicer.app.processEvents()
        return slicer.util.getModuleWidget(name)

    def click(self, widget: Any) -> None:
        """Clicks a button that a user could click."""
        self._usable(widget)
        widget.click()
        slicer.app.processEvents()

    def type_text(self, widget: Any, text: str) -> None:
        """Replaces what a line, a spin box, a path or a text holds."""
        self._usable(widget)
        setter = next((set_text for kind, set_text in SETTERS if widget.inherits(kind)), None)
        assert setter is not None, f"nobody can type into a {widget.className()}"
        setter(widget, text)
        slicer.app.processEvents()

    def choose(self, combo_box: Any, text: str) -> None:
        """Chooses an entry of a combo box by its text."""
        self._usable(combo_box)
        index = combo_box.findText(text)
        assert index >= 0, f"'{text}' is not among the entries"
        combo_box.setCurrentIndex(index)
        combo_box.activated(index)
        slicer.app.processEvents()

    def wait_until(self, condition: Callable[[], Any], seconds: float = 60.0) -> None:
        """Lets the application run until `condition()` holds; TimeoutError when it does not."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"not so after {seconds:g} s: {getattr(condition, '__qualname__', condition)}")
            slicer.app.processEvents()
            time.sleep(0.01)

    def photograph(self, path: Path, widget: Any = None) -> Path:
        """A PNG of a widget, or of the whole window."""
        slicer.app.processEvents()
        path.parent.mkdir(parents=True, exist_ok=True)
        if not (widget or slicer.util.mainWindow()).grab().save(str(path)):
            raise OSError(f"The photograph cannot be written to {path}")
        return path

    def close_scene(self) -> None:
        """File, Close Scene."""
        slicer.mrmlScene.Clear(False)
        slicer.app.processEvents()

    def python_slicer(self, interpreter: Path) -> None:
        """The application keeps its own interpreter."""
        pytest.skip("the real application's own Python is left as it is")

    def answer(self, answer: str | Callable[[Any], None]) -> None:
        """Says how the next dialog is answered: the text of a button, or a function that gets the dialog and closes it."""
        self._answers.append((lambda dialog: press(dialog, answer)) if isinstance(answer, str) else answer)

    def answer_file(self, path: Path) -> None:
        """The next file dialog gets this path."""
        self._answers.append(lambda dialog: choose_path(dialog, path))

    def finish(self) -> None:
        """Closes the scene; AssertionError for dialogs that were not announced, or did not come."""
        self.close_scene()
        self._timer.stop()
        unexpected = "; ".join(f"'{dialog.text}'" for dialog in self._unexpected)
        assert not unexpected, f"dialogs that the test did not announce by bench.answer: {unexpected}"
        assert not self._answers, f"{len(self._answers)} announced dialogs did not come"

    def _look(self) -> None:
        dialog = slicer.app.activeModalWidget()
        if not dialog or not dialog.inherits("QDialog") or dialog.inherits("QProgressDialog"):
            return
        self._timer.stop()
        said = describe(dialog)
        self.dialogs.append(said)
        if self._answers:
            self._answers.popleft()(dialog)
        else:
            self._unexpected.append(said)
            dialog.reject()
        self._timer.start()

    @staticmethod
    def _usable(widget: Any) -> None:
        slicer.app.processEvents()
        assert widget.visible, f"{widget.objectName or widget} is not visible: nobody could click it"
        assert widget.enabled, f"{widget.objectName or widget} is disabled: nobody could click it"


def buttons_of(dialog: Any) -> list[Any]:
    """The push buttons of a dialog."""
    return list(slicer.util.findChildren(dialog, className="QPushButton"))


def describe(dialog: Any) -> SeenDialog:
    """Title, texts and buttons of a dialog."""
    buttons = tuple(button.text.replace("&", "") for button in buttons_of(dialog))
    if dialog.inherits("QMessageBox"):
        text = "\n".join(part for part in (dialog.text, dialog.informativeText) if part)
        return SeenDialog(dialog.windowTitle.strip(), text, dialog.detailedText, buttons)
    labels = slicer.util.findChildren(dialog, className="QLabel")
    return SeenDialog(dialog.windowTitle, "\n".join(label.text for label in labels if label.text), "", buttons)


def press(dialog: Any, text: str) -> None:
    """Clicks the button with this text."""
    found = [button for button in buttons_of(dialog) if button.text.replace("&", "") == text]
    if not found:
        said = describe(dialog)
        dialog.reject()
        raise AssertionError(f"The dialog '{said.text}' has no button '{text}' but {said.buttons}")
    found[0].click()


def choose_path(dialog: Any, path: Path) -> None:
    """Gives a file dialog a path and accepts it."""
    dialog.setDirectory(str(path.parent))
    slicer.util.findChildren(dialog, className="QLineEdit")[0].setText(str(path))
    dialog.accept()
