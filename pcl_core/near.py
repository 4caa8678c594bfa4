"""What a person may have meant by a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """A hint with the nearest valid name, capitals or not (PCL, SimCLR), or with some of them when none is near."""
    names = list(known)
    folded = {known_name.casefold(): known_name for known_name in names}
    near = [folded[found] for found in difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=cutoff)]
    some = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"Did you mean '{near[0]}'?" if near else f"Choose one of {some}."
