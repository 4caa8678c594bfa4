"""How Qt shows itself to Python in Slicer, behaviour by behaviour."""

import gc
import weakref

import pytest


def test_properties_are_attributes(qt):
    box = qt.QSpinBox()
    box.maximum = 500
    box.value = 300
    assert (box.value, box.maximum) == (300, 500)
    label = qt.QLabel("before")
    label.text = "after"
    assert label.text == "after"
    with pytest.raises(TypeError):
        label.text()


def test_setters_of_qts_own_classes_exist(qt):
    box, button = qt.QSpinBox(), qt.QPushButton()
    box.setValue(7)
    button.setEnabled(False)
    assert (box.value, button.enabled) == (7, False)


@pytest.mark.parametrize("name", ["setMinimum", "setMaximum", "setSingleStep", "setRange", "setSuffix"])
def test_a_ctk_slider_widget_has_no_such_setter(ctk, name):
    with pytest.raises(AttributeError, match=name):
        getattr(ctk.ctkSliderWidget(), name)


def test_a_ctk_slider_widget_takes_its_limits_as_properties(ctk):
    slider = ctk.ctkSliderWidget()
    slider.maximum = 1.0
    slider.setDecimals(3)
    slider.setValue(0.125)
    assert (slider.minimum, slider.maximum, slider.value) == (0.0, 1.0, 0.125)


def test_what_is_not_listed_does_not_exist(qt):
    for owner, name in (
        (qt.QLabel("x"), "setMargins"),
        (qt.QComboBox(), "currentTextt"),
        (qt.QTableWidget(), "setAllColumnsWidth"),
    ):
        with pytest.raises(AttributeError, match=name):
            getattr(owner, name)
    # PySide6 has them, Slicer has not.
    for owner, name in ((qt.QPushButton(), "accessibleIdentifier"), (qt.QComboBox(), "labelDrawingMode")):
        with pytest.raises(AttributeError, match=name):
            getattr(owner, name)


def test_new_attributes_cannot_be_put_on_qts_own_classes(qt):
    button = qt.QPushButton()
    with pytest.raises(AttributeError, match="creation of new attributes on QPushButton is not allowed"):
        button.somethingOfMine = 1
    with pytest.raises(AttributeError, match="can not be overwritten"):
        button.click = lambda: None


def test_a_value_of_another_type_is_refused(qt):
    box = qt.QSpinBox()
    with pytest.raises(AttributeError, match="does not accept an object of type str"):
        box.value = "many"
    with pytest.raises(AttributeError, match="not writable"):
        qt.QComboBox().count = 3


def test_constructors_take_no_keywords(qt):
    with pytest.raises(TypeError, match="keyword"):
        qt.QLabel(text="x")


def test_paths_must_be_strings(qt, tmp_path):
    with pytest.raises(TypeError, match="str\\(path\\)"):
        qt.QLineEdit().setText(tmp_path)


def test_clicked_hands_the_state_and_clicked_without_arguments_nothing(qt):
    button = qt.QPushButton()
    got = []
    button.clicked.connect(lambda *arguments: got.append(("attribute", arguments)))
    button.connect("clicked(bool)", lambda *arguments: got.append(("bool", arguments)))
    button.connect("clicked()", lambda *arguments: got.append(("none", arguments)))
    button.click()
    assert got == [("attribute", (False,)), ("bool", (False,)), ("none", ())]


def test_a_function_gets_as_many_arguments_as_it_takes(qt):
    class Panel:
        def __init__(self):
            self.got = []

        def without(self):
            self.got.append("without")

        def with_default(self, checked="default"):
            self.got.append(checked)

    panel, button = Panel(), qt.QPushButton()
    button.clicked.connect(panel.without)
    button.clicked.connect(panel.with_default)
    button.click()
    assert panel.got == ["without", False]


def test_connections_end_by_the_same_function(qt):
    button, got = qt.QPushButton(), []
    button.clicked.connect(got.append)
    button.connect("clicked(bool)", got.append)
    assert button.disconnect("clicked(bool)", got.append)
    assert button.clicked.disconnect(got.append)
    assert not button.clicked.disconnect(got.append)
    button.click()
    assert got == []


def test_an_unknown_signal_is_refused(qt):
    with pytest.raises(AttributeError, match="clicked\\(int\\)"):
        qt.QPushButton().connect("clicked(int)", print)
    with pytest.raises(AttributeError, match="no signal 'pushed'"):
        qt.QPushButton().connect("pushed()", print)


def test_a_combo_box_tells_the_index_once_and_the_text(qt):
    box, indexes, texts = qt.QComboBox(), [], []
    box.addItems(["a", "b"])
    box.currentIndexChanged.connect(lambda *arguments: indexes.append(arguments))
    box.currentTextChanged.connect(lambda *arguments: texts.append(arguments))
    box.setCurrentIndex(1)
    assert (indexes, texts) == ([(1,)], [("b",)])
    assert (box.count, box.currentIndex, box.currentText) == (2, 1, "b")


def test_items_of_a_table_are_called_and_compare_by_what_they_are(qt):
    table = qt.QTableWidget(2, 1)
    item = qt.QTableWidgetItem("case 1")
    item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsUserCheckable)
    item.setCheckState(qt.Qt.Checked)
    item.setData(qt.Qt.UserRole, {"id": 3})
    table.setItem(0, 0, item)
    assert table.rowCount == 2
    assert table.item(0, 0) == item
    assert table.item(0, 0).text() == "case 1"
    assert table.item(0, 0).checkState() == qt.Qt.Checked == 2
    assert table.item(0, 0).data(qt.Qt.UserRole) == {"id": 3}
    assert table.item(1, 0) is None


def test_enum_values_are_integers_and_lie_flat_on_the_class(qt):
    assert (qt.Qt.Checked, qt.QProcess.Running, qt.QSizePolicy.Expanding) == (2, 2, 7)
    label = qt.QLabel("x")
    label.setAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    assert label.alignment == qt.Qt.AlignRight | qt.Qt.AlignVCenter
    item = qt.QTableWidgetItem("x")
    item.setCheckState(2)
    assert item.checkState() == qt.Qt.Checked


def test_objects_from_qt_are_wrapped(qt):
    widget = qt.QWidget()
    layout = qt.QVBoxLayout(widget)
    button = qt.QPushButton("Go")
    button.objectName = "go"
    layout.addWidget(button)
    for found in (widget.findChild(qt.QPushButton, "go"), layout.itemAt(0).widget(), widget.findChildren("QPushButton")[0]):
        assert found == button
        assert found.text == "Go"
        assert found.name == "go"
    assert button.parent() == widget
    table = qt.QTableWidget(1, 1)
    table.setCellWidget(0, 0, qt.QComboBox())
    table.cellWidget(0, 0).addItem("x")
    table.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)


def test_an_event_filter_of_the_module_is_called(qt):
    class Filter(qt.QObject):
        def __init__(self):
            qt.QObject.__init__(self)
            self.types = []

        def eventFilter(self, watched, event):
            self.types.append((watched, event.type()))
            return False

    widget, watcher = qt.QWidget(), Filter()
    widget.installEventFilter(watcher)
    widget.setToolTip("x")
    assert (widget, qt.QEvent.ToolTipChange) in watcher.types


def test_a_derived_widget_keeps_its_attributes_while_qt_owns_it(qt):
    class Row(qt.QWidget):
        def __init__(self, case):
            qt.QWidget.__init__(self)
            self.case = case

        def sizeHint(self):
            return qt.QSize(123, 45)

    parent = qt.QWidget()
    layout = qt.QVBoxLayout(parent)
    layout.addWidget(Row("a"))
    gc.collect()
    row = layout.itemAt(0).widget()
    assert row.case == "a"
    assert layout.sizeHint().width() > 123


def test_a_deleted_object_is_false_and_raises(qt):
    parent = qt.QWidget()
    child = qt.QLabel("x", parent)
    parent.delete()
    assert not child
    with pytest.raises(ValueError, match="destroyed QLabel"):
        child.text = "y"


def test_objects_without_owner_are_freed(qt):
    button = qt.QPushButton()
    raw = weakref.ref(button._raw)
    del button
    gc.collect()
    assert raw() is None


def test_dynamic_properties_are_attributes(qt):
    widget = qt.QWidget()
    widget.setProperty("SlicerParameterName", "epochs")
    assert widget.property("SlicerParameterName") == "epochs"
    assert widget.SlicerParameterName == "epochs"


def test_a_process_tells_its_exit_code_only_and_gives_bytes(bench, qt):
    process, told, both = qt.QProcess(), [], []
    environment = qt.QProcessEnvironment.systemEnvironment()
    environment.insert("GREETING", "hello")
    process.setProcessEnvironment(environment)
    process.finished.connect(lambda *arguments: told.append(arguments))
    process.connect("finished(int,QProcess::ExitStatus)", lambda *arguments: both.append(arguments))
    process.start("sh", ["-c", "echo $GREETING; exit 3"])
    bench.wait_until(lambda: told)
    assert told == [(3,)]
    assert both == [(3, qt.QProcess.NormalExit)]
    assert process.readAllStandardOutput().data() == b"hello\n"
    assert process.exitCode() == 3


def test_a_missing_program_is_told_without_an_exception(bench, qt):
    process, errors = qt.QProcess(), []
    process.errorOccurred.connect(errors.append)
    process.start("/no/such/program", [])
    bench.wait_until(lambda: errors)
    assert errors == [qt.QProcess.FailedToStart]


def test_pictures_come_from_encoded_bytes(bench, qt, slicer):
    import vtk

    with pytest.raises(ValueError, match="overload"):
        qt.QImage(b"\x00" * 12, 2, 2, 6, 13)
    source = vtk.vtkImageCanvasSource2D()
    source.SetScalarTypeToUnsignedChar()
    source.SetExtent(0, 3, 0, 2, 0, 0)
    writer = vtk.vtkPNGWriter()
    writer.SetInputConnection(source.GetOutputPort())
    writer.WriteToMemoryOn()
    writer.Write()
    pixmap = qt.QPixmap()
    assert pixmap.loadFromData(qt.QByteArray(bytes(memoryview(writer.GetResult()))))
    assert (pixmap.width(), pixmap.height()) == (4, 3)
    label = qt.QLabel()
    label.setPixmap(pixmap)
    assert label.pixmap.width() == 4


def test_timers_call_functions(bench, qt):
    called = []
    qt.QTimer.singleShot(0, lambda: called.append("once"))
    timer = qt.QTimer()
    timer.setInterval(1)
    timer.timeout.connect(lambda: called.append("often"))
    timer.start()
    bench.wait_until(lambda: {"once", "often"} <= set(called))
    timer.stop()
    assert not timer.active


def test_a_class_that_is_not_kept_is_named_with_the_remedy(qt):
    with pytest.raises(AttributeError, match="Adding a class"):
        qt.QCalendarWidget  # noqa: B018 - looking it up is the test
