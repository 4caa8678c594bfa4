"""slicer.dicomDatabase and DICOMLib.DICOMUtils: Slicer's plugins see only what is in the database.

The database knows the headers of the files that were put into it, while it is open; it keeps nothing on the disk.
"""

import sys
from pathlib import Path
from types import ModuleType, TracebackType

import SimpleITK as sitk  # noqa: N813 (its own usual name)
import slicer

_PATIENT, _STUDY, _SERIES, _INSTANCE = "0010,0020", "0020,000D", "0020,000E", "0008,0018"


class DICOMDatabase:
    """The part of ctkDICOMDatabase that reads."""

    def __init__(self) -> None:
        self.isOpen = True
        self._files: dict[str, dict[str, str]] = {}

    def fileValue(self, fileName: str, tag: str) -> str:
        """A value of the header of a file; empty for a file that is not in the database."""
        return self._files.get(fileName, {}).get(tag.lower(), "")

    def fileForInstance(self, uid: str) -> str:
        return next((name for name in self._files if self.fileValue(name, _INSTANCE) == uid), "")

    def patients(self) -> list[str]:
        return sorted({self.fileValue(name, _PATIENT) for name in self._files})

    def studiesForPatient(self, patient: str) -> list[str]:
        return sorted({self.fileValue(name, _STUDY) for name in self._with(_PATIENT, patient)})

    def seriesForStudy(self, study: str) -> list[str]:
        return sorted({self.fileValue(name, _SERIES) for name in self._with(_STUDY, study)})

    def filesForSeries(self, series: str) -> list[str]:
        return self._with(_SERIES, series)

    def _with(self, tag: str, value: str) -> list[str]:
        return [name for name in self._files if self.fileValue(name, tag) == value]

    def _index(self, path: Path) -> None:
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(path))
        reader.LoadPrivateTagsOn()
        reader.ReadImageInformation()
        self._files[path.as_posix()] = {
            key.replace("|", ",").lower(): reader.GetMetaData(key).strip("\0 ") for key in reader.GetMetaDataKeys()
        }


class TemporaryDICOMDatabase:
    """An empty database in the place of the application's own, until the block ends."""

    def __init__(self, directory: str | None = None) -> None:
        self.temporaryDatabaseDir = directory

    def __enter__(self) -> DICOMDatabase:
        self._before = slicer.dicomDatabase
        if self.temporaryDatabaseDir is not None:
            Path(self.temporaryDatabaseDir).mkdir(parents=True, exist_ok=True)
        slicer.dicomDatabase = DICOMDatabase()
        return slicer.dicomDatabase

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        slicer.dicomDatabase.isOpen = False
        slicer.dicomDatabase = self._before


def importDicom(dicomDataDir: str, dicomDatabase: DICOMDatabase | None = None, copyFiles: bool = False) -> bool:
    """Puts the DICOM files of a folder into a database; files that are none are left out."""
    database = dicomDatabase if dicomDatabase is not None else slicer.dicomDatabase
    for path in sorted(Path(dicomDataDir).rglob("*")):
        if path.is_file() and path.read_bytes()[128:132] == b"DICM":
            database._index(path)
    return True


def give_dicom() -> None:
    """Makes DICOMLib known, and gives the application its database."""
    library = ModuleType("DICOMLib")
    library.DICOMUtils = sys.modules[__name__]  # type: ignore[attr-defined]  # as Slicer's package has it
    sys.modules["DICOMLib"] = library
    slicer.dicomDatabase = DICOMDatabase()
