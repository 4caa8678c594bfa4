"""Opens the bench in a window, or photographs it.

    make desk                                    all modules of this checkout, with a generated volume
    python -m Testing.host.desk --module PCLPretrain --photograph desk.png

With --photograph nothing is shown: Qt draws offscreen, the picture is written, and the desk closes.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from PySide6 import QtCore, QtWidgets

from pcl_core.demo.hearts import CLASS_NAMES, generate_heart
from pcl_core.volumes.writing import write_volume
from Testing.host.application.host import Host, start

REPOSITORY = Path(__file__).parents[2]


def module_names(repository: Path) -> list[str]:
    """The modules of a checkout: folders X with X.py and a CMakeLists.txt or a Resources folder beside it."""
    return sorted(path.parent.name for path in repository.glob("*/*.py") if is_module(path))


def is_module(path: Path) -> bool:
    """Whether this file is a scripted module's main file."""
    return path.stem == path.parent.name and (path.parent / "Resources").is_dir()


def show_sample(host: Host, folder: Path) -> None:
    """Puts a generated heart with its labels into the scene, in the slice views."""
    import slicer

    voxels, labels, geometry = generate_heart(0)
    write_volume(folder / "heart.nrrd", voxels, geometry)
    write_volume(folder / "labels.nrrd", labels, geometry)
    volume = slicer.util.loadVolume(str(folder / "heart.nrrd"))
    label_map = slicer.util.loadLabelVolume(str(folder / "labels.nrrd"), {"show": False})
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    slicer.modules.segmentations.logic().ImportLabelmapToSegmentationNode(label_map, segmentation)
    slicer.mrmlScene.RemoveNode(label_map)
    for index, name in enumerate(CLASS_NAMES.values()):
        segmentation.GetSegmentation().GetNthSegment(index).SetName(name)
    host.process_events()
    slicer.util.setSliceViewerLayers(background=volume, fit=True)


def photograph(host: Host, path: Path) -> None:
    """Writes a PNG of the whole window, without taking the focus.

    Raises:
        OSError: the file cannot be written.
    """
    host.window.show()
    for _ in range(3):  # sizes settle, views render
        host.process_events()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not host.window.grab().save(str(path)):
        raise OSError(f"The photograph cannot be written to {path}")


def main(arguments: list[str] | None = None) -> int:
    """Runs the desk until its window is closed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--module", action="append", help="a module of the checkout; may be repeated; all by default")
    parser.add_argument("--repository", type=Path, default=REPOSITORY, help="the checkout to take modules from")
    parser.add_argument("--size", default="1400x900", help="of the window, in pixels")
    parser.add_argument("--no-sample", action="store_true", help="begin with an empty scene")
    parser.add_argument("--photograph", type=Path, help="write a PNG and close")
    parser.add_argument("--folder", type=Path, help="keeps settings and temporary files; a temporary one by default")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        host = start(chosen.folder or Path(temporary), "offscreen" if chosen.photograph else None)
        if shutil.which("PythonSlicer") is None:
            sys.stderr.write("PythonSlicer is not on the PATH, so modules cannot start processes: use 'make desk'.\n")
        host.window.resize(*(int(number) for number in chosen.size.split("x")))
        host.window.show()
        host.process_events()
        for name in chosen.module or module_names(chosen.repository):
            host.load_module(name, chosen.repository)
        if not chosen.no_sample:
            show_sample(host, Path(temporary))
        if chosen.photograph:
            photograph(host, chosen.photograph)
        else:
            QtCore.QTimer.singleShot(0, host.window.raise_)
            QtWidgets.QApplication.exec()
        host.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
