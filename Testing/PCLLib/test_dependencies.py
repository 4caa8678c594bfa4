"""What is missing, and installing it by the real pip from tiny wheels into an interpreter of its own."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from Testing.PCLLib.wheels import make_python, make_wheel

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the interpreters of these tests are made of links")


@pytest.fixture
def python(bench, tmp_path):
    """An interpreter without packages behind PythonSlicer."""
    interpreter = make_python(tmp_path / "python")
    bench.python_slicer(interpreter)
    return interpreter


@pytest.fixture
def needing(tmp_path):
    """Dependencies of some requirements."""

    def make(*lines):
        from PCLLib.dependencies import Dependencies

        (tmp_path / "requirements.txt").write_text("# for a test\n" + "\n".join(lines) + "\n")
        return Dependencies(tmp_path / "requirements.txt")

    return make


def test_nothing_is_missing_where_everything_is_there(bench, needing):
    missing = needing("numpy>=2").missing()
    assert not missing
    assert missing.megabytes == 0


def test_what_is_missing_is_named_with_its_size(bench, python, needing):
    missing = needing("torch>=2.13", "scipy", "numpy").missing()
    assert [one.name for one in missing.requirements] == ["torch", "scipy", "numpy"]
    question = missing.question()
    assert "3 Python packages" in question
    assert "torch, scipy, numpy" in question
    assert "257 MB" in question
    assert "3.1 GB" in question
    assert "Install now?" in question


def test_without_pytorch_there_is_one_size(bench, python, needing):
    assert "GB" not in needing("scipy").missing().question()


def test_packages_come_from_a_folder_of_wheels(bench, python, needing, tmp_path):
    make_wheel(tmp_path / "wheels", "tinybench", "1.2", ["tinypart"])
    make_wheel(tmp_path / "wheels", "tinypart", "3.0")
    dependencies = needing("tinybench>=1")
    assert dependencies.missing()
    dependencies.install(tmp_path / "wheels")
    assert not dependencies.missing()
    assert "tinybench" not in sys.modules


def test_a_folder_that_lacks_a_wheel_is_told_with_pips_last_lines(bench, python, needing, tmp_path):
    from PCLLib.dependencies import InstallError

    (tmp_path / "wheels").mkdir()
    bench.answer("OK")  # Slicer's own dialog with the whole log
    with pytest.raises(InstallError) as caught:
        needing("tinybench").install(tmp_path / "wheels")
    assert any("No matching distribution found for tinybench" in line for line in caught.value.lines)
    assert str(tmp_path / "wheels") in caught.value.hint


def test_online_goes_through_pip_ensure(bench, python, needing, tmp_path, monkeypatch):
    make_wheel(tmp_path / "wheels", "tinybench", "1.2")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    dependencies = needing("tinybench>=1")
    dependencies.install()
    assert not dependencies.missing()


def test_a_failure_online_says_what_to_do(bench, python, needing, monkeypatch):
    from PCLLib.dependencies import InstallError

    monkeypatch.setenv("PIP_NO_INDEX", "1")
    bench.answer("OK")
    with pytest.raises(InstallError) as caught:
        needing("tinybench>=1").install()
    assert any("tinybench" in line for line in caught.value.lines)
    assert "folder of wheels" in caught.value.hint


def test_pytorch_comes_through_the_pytorch_extension_when_it_is_there(bench, python, needing, tmp_path, monkeypatch, slicer):
    """An extension that installs from wheels stands for the real one, which would fetch gigabytes."""
    make_wheel(tmp_path / "wheels", "torch", "2.14")
    make_wheel(tmp_path / "wheels", "tinybench", "1.2")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    asked = []

    class PyTorchUtilsLogic:
        def installTorch(self, askConfirmation=False, forceComputationBackend=None, torchVersionRequirement=None):  # noqa: N802, N803
            asked.append((askConfirmation, torchVersionRequirement))
            slicer.packaging.pip_install("torch" + torchVersionRequirement)

    monkeypatch.setitem(sys.modules, "PyTorchUtils", SimpleNamespace(PyTorchUtilsLogic=PyTorchUtilsLogic))
    monkeypatch.setattr(slicer.modules, "pytorchutils", object(), raising=False)
    dependencies = needing("torch>=2.13", "tinybench")
    dependencies.install()
    assert asked == [(False, ">=2.13")]
    assert not dependencies.missing()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk space"),
        ("OSError: [Errno 13] Permission denied: '/opt/Slicer/lib'", "cannot be written"),
        ("NewConnectionError: Failed to establish: Temporary failure in name resolution", "internet was not reached"),
        ("something nobody has seen", "report it"),
    ],
)
def test_known_ends_of_pip_have_their_hint(line, words):
    from PCLLib.dependencies import hint_for

    assert words in hint_for(line, None)


def test_what_pip_prints_still_reaches_the_python_console(bench, python, needing, tmp_path, capsys):
    make_wheel(tmp_path / "wheels", "tinybench", "1.2")
    needing("tinybench").install(tmp_path / "wheels")
    assert "Successfully installed tinybench" in capsys.readouterr().out


def test_what_was_installed_meanwhile_is_not_asked_for(bench, python, needing, tmp_path):
    from PCLLib.installer import Installer
    from PCLLib.questions import Dialogs

    make_wheel(tmp_path / "wheels", "tinybench", "1.2")
    dependencies = needing("tinybench")
    installer = Installer(Dialogs(), dependencies)
    assert installer.to_be_asked
    dependencies.install(tmp_path / "wheels")
    called = []
    installer.ask(lambda: called.append("then"), lambda: called.append("declined"))
    assert called == ["then"]
    assert not installer.needed
