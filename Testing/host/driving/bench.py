"""How tests work a module: real clicks and keys, waiting, photographs.

A test asks for the fixture `bench`:

    def test_apply_doubles(bench):
        panel = bench.load("Trivial")
        bench.click(panel.ui.applyButton)
        bench.wait_until(lambda: panel.ui.resultLabel.text == "8")
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtWidgets
from PySide6.QtTest import QTest

from Testing.host.application.host import Host
from Testing.host.driving.dialogs import DialogAnswers, choose_path, press
from Testing.host.driving.seen_dialog import SeenDialog
from Testing.host.pythonqt.wrapping import unwrap, wrap

#: vtkMRMLLayoutNode.SlicerLayoutFourUpView
FOUR_UP = 3
REPOSITORY = Path(__file__).parents[3]


class Bench:
    """The running bench in a test's hands."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._dialogs = DialogAnswers()
        layout_manager: Any = host.application.layoutManager()
        layout_manager.setLayout(FOUR_UP)

    @property
    def dialogs(self) -> list[SeenDialog]:
        """What the dialogs said that were answered in this test."""
        return self._dialogs.seen

    def answer(self, answer: str | Callable[[Any], None]) -> None:
        """Says how the next dialog is answered: the text of a button, or a function that gets the dialog and closes it."""
        self._dialogs.waiting.append(press(answer) if isinstance(answer, str) else lambda dialog: answer(wrap(dialog)))

    def answer_file(self, path: Path) -> None:
        """The next file dialog gets this path."""
        self._dialogs.waiting.append(choose_path(path))

    def python_slicer(self, interpreter: Path) -> None:
        """Makes this interpreter the one behind PythonSlicer until the end of the test."""
        self.host.use_python(interpreter)

    def finish(self) -> None:
        """Closes the scene; called at the end of a test.

        Raises:
            AssertionError: a dialog came that the test did not announce, or an announced one did not come.
        """
        self.close_scene()
        self._dialogs.stop()
        unexpected = "; ".join(f"'{dialog.text}'" for dialog in self._dialogs.unexpected)
        assert not unexpected, f"dialogs that the test did not announce by bench.answer: {unexpected}"
        assert not self._dialogs.waiting, f"{len(self._dialogs.waiting)} announced dialogs did not come"

    def load(self, name: str, repository: Path = REPOSITORY) -> Any:
        """The Widget object of the module `repository/name/name.py`, with its panel in the window."""
        panel = self.host.load_module(name, repository)
        self.host.window.show()
        self.host.process_events()
        return panel

    def click(self, widget: Any) -> None:
        """Presses and releases the left mouse button on a widget that a user could click.

        Raises:
            AssertionError: it is hidden or disabled.
        """
        raw = self._usable(widget)
        place = raw.rect().center()
        if isinstance(raw, QtWidgets.QCheckBox | QtWidgets.QRadioButton):
            place = QtCore.QPoint(10, raw.height() // 2)
        if type(raw).__name__ == "ctkCollapsibleButton":
            place = QtCore.QPoint(raw.width() // 2, 10)
        QTest.mouseClick(raw, QtCore.Qt.MouseButton.LeftButton, QtCore.Qt.KeyboardModifier.NoModifier, place)
        self.host.process_events()

    def type_text(self, widget: Any, text: str) -> None:
        """Replaces what a line, a spin box, a path or a text holds by typed keys, and leaves it with Tab."""
        raw = self._usable(widget)
        focused = raw.focusProxy() or raw
        target: Any = focused.lineEdit() if isinstance(focused, QtWidgets.QComboBox) else focused
        raw.window().activateWindow()  # a dialog may have taken the focus along when it closed
        self.wait_until(raw.isActiveWindow)  # a window that is not active tells its widgets nothing of the focus
        target.setFocus()
        QTest.keySequence(target, "Ctrl+A")
        QTest.keyClick(target, QtCore.Qt.Key.Key_Delete)
        QTest.keyClicks(target, text)
        QTest.keyClick(target, QtCore.Qt.Key.Key_Tab)
        self.host.process_events()

    def choose(self, combo_box: Any, text: str) -> None:
        """Chooses an entry of a combo box by its text.

        Raises:
            AssertionError: there is no such entry.
        """
        raw = self._usable(combo_box)
        entries = [raw.itemText(index) for index in range(raw.count())]
        assert text in entries, f"'{text}' is not among {entries}"
        raw.setCurrentIndex(entries.index(text))
        raw.activated.emit(entries.index(text))
        self.host.process_events()

    def wait_until(self, condition: Callable[[], Any], seconds: float = 60.0) -> None:
        """Lets the application run until `condition()` holds.

        Raises:
            TimeoutError: it did not within `seconds`.
        """
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"not so after {seconds:g} s: {getattr(condition, '__qualname__', condition)}")
            QTest.qWait(10)

    def photograph(self, path: Path, widget: Any = None) -> Path:
        """A PNG of a widget, or of the whole window."""
        self.host.process_events()
        raw = unwrap(widget) if widget is not None else self.host.window
        path.parent.mkdir(parents=True, exist_ok=True)
        if not raw.grab().save(str(path)):
            raise OSError(f"The photograph cannot be written to {path}")
        return path

    def close_scene(self) -> None:
        """File, Close Scene."""
        self.host.scene.Clear(False)
        self.host.process_events()

    def _usable(self, widget: Any) -> Any:
        raw = unwrap(widget)
        self.host.process_events()
        assert raw.isVisible(), f"{raw.objectName() or raw} is not visible: nobody could click it"
        assert raw.isEnabled(), f"{raw.objectName() or raw} is disabled: nobody could click it"
        return raw
