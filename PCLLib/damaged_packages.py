"""Packages that are installed as far as pip knows, and cannot be loaded: parts of them are gone."""

from __future__ import annotations

import re
from dataclasses import replace

import slicer
from slicer.i18n import tr as _

from PCLLib.events import Failed

# In what the engine says, and in what Python says when the engine could not even begin.
_MODULE = re.compile(r"(?:Python package |No module named ')(\w+)")
# By the modules that come with them; all others are parts of PyTorch, or came with it.
_PACKAGES = {"nibabel": "nibabel", "safetensors": "safetensors", "scipy": "scipy", "skimage": "scikit-image"}


def damaged(last: Failed) -> Failed:
    """The same failure with what to do, for one of kind ``packages`` when nothing is missing: installing would do nothing."""
    found = _MODULE.search(last.message)
    package = _PACKAGES.get(found[1], "torch") if found else "torch"
    text = _("The package {package} was installed, but its files are damaged or incomplete. {reason}")
    if package == "torch" and hasattr(slicer.modules, "pytorchutils"):
        hint = _(
            "Open the module PyTorch Utils, press Uninstall PyTorch, and restart Slicer. This module then asks to install "
            "PyTorch anew."
        )
    else:
        hint = _(
            "Enter slicer.util.pip_uninstall('{package}') in Slicer's Python console, and restart Slicer. This module then "
            "asks to install it anew."
        ).format(package=package)
    return replace(last, message=text.format(package=package, reason=last.message), hint=hint)
