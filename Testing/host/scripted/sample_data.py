"""The module SampleData: extensions register what people can download to try them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer

__all__ = ["SampleDataLogic", "SampleDataSource"]


@dataclass
class SampleDataSource:
    """One entry of Sample Data. Several files are given as lists of equal length."""

    sampleName: str | None = None
    sampleDescription: str | None = None
    uris: Any = None
    fileNames: Any = None
    nodeNames: Any = None
    checksums: Any = None
    loadFiles: Any = None
    customDownloader: Callable[..., Any] | None = None
    thumbnailFileName: str | None = None
    loadFileTypes: Any = None
    loadFileProperties: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("uris", "fileNames", "nodeNames", "checksums", "loadFiles", "loadFileTypes"):
            value = getattr(self, name)
            setattr(self, name, list(value) if isinstance(value, list | tuple) else [value])
        count = len(self.uris)
        for name in ("fileNames", "nodeNames", "checksums", "loadFiles", "loadFileTypes"):
            value = getattr(self, name)
            if value == [None]:
                setattr(self, name, [None] * count)
            elif len(value) != count:
                raise ValueError(f"{self.sampleName}: {len(value)} {name} for {count} uris")


class SampleDataLogic:
    """Knows the sources by category; downloads and loads them."""

    @staticmethod
    def registerCustomSampleDataSource(  # noqa: PLR0917 - the signature is Slicer's
        category: str = "Custom",
        sampleName: str | None = None,
        uris: Any = None,
        fileNames: Any = None,
        nodeNames: Any = None,
        customDownloader: Callable[..., Any] | None = None,
        thumbnailFileName: str | None = None,
        loadFileTypes: Any = None,
        loadFiles: Any = None,
        loadFileProperties: dict[str, Any] | None = None,
        checksums: Any = None,
        sampleDescription: str | None = None,
        **unknown: Any,
    ) -> None:
        """Adds an entry. Raises TypeError for an argument that Slicer does not know."""
        if unknown:
            raise TypeError(f"registerCustomSampleDataSource has no argument {', '.join(unknown)}")
        source = SampleDataSource(
            sampleName, sampleDescription, uris, fileNames, nodeNames, checksums, loadFiles, customDownloader,
            thumbnailFileName, loadFileTypes, loadFileProperties or {},
        )  # fmt: skip
        slicer.modules.sampleDataSources.setdefault(category, []).append(source)

    def sourceForSampleName(self, name: str) -> SampleDataSource | None:
        """The entry with this name, or None."""
        sources = (source for known in slicer.modules.sampleDataSources.values() for source in known)
        return next((source for source in sources if source.sampleName == name), None)

    def downloadFromSource(self, source: SampleDataSource) -> list[Any]:
        """Downloads what is not there yet, checks it, and loads it; returns the nodes, or paths of files that stay files."""
        if source.customDownloader is not None:
            made = source.customDownloader(source)
            return list(made) if isinstance(made, list | tuple) else [made]
        results = []
        for index, uri in enumerate(source.uris):
            path = Path(slicer.app.cachePath) / str(source.fileNames[index])
            path.parent.mkdir(parents=True, exist_ok=True)
            if not slicer.util.downloadFile(uri, str(path), source.checksums[index], True):
                raise RuntimeError(f"{uri} could not be downloaded")
            results.append(self._load(source, index, path))
        return results

    def _load(self, source: SampleDataSource, index: int, path: Path) -> Any:
        if source.loadFiles[index] is False or source.nodeNames[index] is None:
            return str(path)
        properties = {**source.loadFileProperties, "name": source.nodeNames[index]}
        return slicer.util.loadNodeFromFile(str(path), source.loadFileTypes[index] or "VolumeFile", properties)

    def downloadSamples(self, name: str) -> list[Any]:
        """Downloads and loads an entry by its name."""
        source = self.sourceForSampleName(name)
        return self.downloadFromSource(source) if source is not None else []
