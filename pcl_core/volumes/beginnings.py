"""NRRD and MetaImage files without their reader: what the file's size can hold, and its first voxels without the rest."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pcl_core.volumes.volume import Format, VolumeSource

_HEADER_LIMIT = 1 << 16
_PACKED = {"gzip": 31, "gz": 31, "zlib": 15}
_ORDERS = {"little": "<", "big": ">", "false": "<", "true": ">"}
# Deflate packs at most about 1,030 bytes into one.
_TIGHTEST = 1100


def can_hold(path: Path, kind: Format, needed: int) -> bool:
    """Whether a NRRD or MetaImage file is large enough for ``needed`` bytes of voxels, as far as its own size tells.

    A damaged header can announce more than the memory of the machine holds; readers make room for it before they notice.
    """
    with path.open("rb") as file:
        packing = _nrrd(file) if kind == "nrrd" else _metaimage(file)
        there = path.stat().st_size - file.tell()
    if packing is None:
        return True
    return there >= needed if packing[0] == "raw" else there * _TIGHTEST >= needed


def first_voxels(source: VolumeSource, limit: int) -> np.ndarray | None:
    """Reads the voxels at the beginning of a NRRD or MetaImage file that has header and voxels in one.

    Args:
        source: the volume; not a frame after the first.
        limit: bytes.

    Returns:
        the stored values in stored order, as one row; None where the file is laid out in another way.
    """
    with source.path.open("rb") as file:
        packing = _nrrd(file) if source.format == "nrrd" else _metaimage(file)
        if packing is None:
            return None
        encoding, order = packing
        dtype = np.dtype(f"{order}{np.dtype(source.dtype).str[1:]}")
        limit = min(limit, int(np.prod(source.geometry.size)) * dtype.itemsize)
        limit -= limit % dtype.itemsize
        data = file.read(limit) if encoding == "raw" else _unpack(file, _PACKED[encoding], limit)
    if len(data) < limit:
        return None
    return np.frombuffer(data, dtype).astype(source.dtype, copy=False)


def _nrrd(file: BinaryIO) -> tuple[str, str] | None:
    """Encoding and byte order of a NRRD file; leaves the file at its first voxel. None where it is laid out otherwise."""
    fields = {}
    for line in _lines(file):
        if not line:
            break
        key, found, value = line.partition(":")
        if found:
            fields[key.strip().lower()] = value.strip(" =").lower()
    else:
        return None
    encoding = fields.get("encoding", "")
    if encoding not in {"raw", "gzip", "gz"} or {"data file", "datafile", "line skip", "byte skip"} & set(fields):
        return None
    return encoding, _ORDERS.get(fields.get("endian", "little"), "<")


def _metaimage(file: BinaryIO) -> tuple[str, str] | None:
    """The same for a MetaImage file."""
    fields: dict[str, str] = {}
    for line in _lines(file):
        key, _, value = line.partition("=")
        fields[key.strip().lower()] = value.strip().lower()
        if "elementdatafile" in fields:
            break
    else:
        return None
    if fields["elementdatafile"] != "local" or "headersize" in fields:
        return None
    order = fields.get("binarydatabyteordermsb", fields.get("elementbyteordermsb", "false"))
    return "zlib" if fields.get("compresseddata") == "true" else "raw", _ORDERS.get(order, "<")


def _lines(file: BinaryIO) -> Iterator[str]:
    """The text lines at the start of a file, up to a header's usual length."""
    while file.tell() < _HEADER_LIMIT and (line := file.readline(_HEADER_LIMIT)):
        yield line.decode("latin-1").strip("\r\n")


def _unpack(file: BinaryIO, window: int, limit: int) -> bytes:
    unpacker = zlib.decompressobj(window)
    data = bytearray()
    try:
        while len(data) < limit and not unpacker.eof and (block := unpacker.unconsumed_tail or file.read(1 << 16)):
            data += unpacker.decompress(block, limit - len(data))
    except zlib.error:
        return b""
    return bytes(data)
