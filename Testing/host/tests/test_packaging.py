import shutil
import subprocess
import sys
import venv
import zipfile

import pytest


@pytest.fixture
def wheel(tmp_path):
    """The folder of a wheel of a package that nobody has: no index is needed to install it."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tinybench-1.2-py3-none-any.whl", "w") as archive:
        archive.writestr("tinybench.py", "value = 42\n")
        info = "tinybench-1.2.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinybench\nVersion: 1.2\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"tinybench.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return folder


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory):
    """Another Python with pip and nothing else."""
    folder = tmp_path_factory.mktemp("python")
    venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


@pytest.fixture
def python(bench, interpreter):
    """An interpreter of its own behind PythonSlicer."""
    bench.python_slicer(interpreter)
    return interpreter


def test_python_slicer_is_an_interpreter_on_the_path(host):
    answer = subprocess.run([shutil.which("PythonSlicer"), "-c", "print(6 * 7)"], check=True, capture_output=True, text=True)
    assert answer.stdout == "42\n"


def test_what_is_installed_is_found_in_its_version(bench, slicer):
    import numpy

    assert slicer.packaging.pip_check(f"numpy=={numpy.__version__}")
    assert not slicer.packaging.pip_check("numpy<1")
    assert not slicer.packaging.pip_check("no-such-package-as-this")
    assert slicer.packaging.pip_check(["no-such-package-as-this; sys_platform == 'plan9'"])


def test_requirements_are_read_without_comments_and_options(bench, slicer, tmp_path):
    file = tmp_path / "requirements.txt"
    file.write_text("# needed\n--index-url somewhere\ntorch>=2.0\n\nscipy\n")
    assert [str(one) for one in slicer.packaging.load_requirements(file)] == ["torch>=2.0", "scipy"]


def test_declining_raises_and_installs_nothing(bench, slicer):
    bench.answer("Cancel")
    with pytest.raises(RuntimeError, match="declined"):
        slicer.packaging.pip_ensure(["tinybench"], requester="PCL")
    assert bench.dialogs[0].title.startswith("PCL")
    assert "- tinybench" in bench.dialogs[0].details


def test_pip_really_installs_into_the_interpreter_behind_python_slicer(bench, slicer, python, wheel):
    assert not slicer.packaging.pip_check("tinybench")
    slicer.packaging.pip_install(["--no-index", "--find-links", str(wheel), "tinybench"], requester="PCL")
    assert slicer.packaging.pip_check("tinybench>=1.2")
    assert "tinybench" not in sys.modules


def test_a_failing_pip_shows_its_log_and_raises(bench, slicer, python, tmp_path):
    bench.answer("OK")
    with pytest.raises(subprocess.CalledProcessError):
        slicer.packaging.pip_install(["--no-index", "--find-links", str(tmp_path), "nobodys-package"])
    assert "No matching distribution" in bench.dialogs[0].details


def test_under_testing_nothing_is_installed(bench, slicer):
    options = slicer.app.commandOptions()
    options.testingEnabled = True
    try:
        assert slicer.packaging.pip_ensure(["tinybench"]) is None
    finally:
        options.testingEnabled = False


def test_a_background_process_tells_its_lines_and_its_exit_code(bench, slicer):
    lines, codes = [], []
    command = [shutil.which("PythonSlicer"), "-c", "import os; print('a'); print(os.environ['KEY']); raise SystemExit(3)"]
    slicer.util.launchConsoleProcess(
        command, updateEnvironment={"KEY": "b"}, blocking=False, logCallback=lines.append, completedCallback=codes.append
    )
    assert codes == []
    bench.wait_until(lambda: codes)
    assert (lines, codes) == (["a", "b"], [3])
