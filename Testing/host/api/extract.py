"""Adds classes to the kept part of the API listing.

    python Testing/host/api/extract.py --pythonqt pythonqt.json --widgets widgets.json QTreeWidget ctkRangeWidget ...

`pythonqt.json` is what a running Slicer showed (the last word on what exists); `widgets.json` is what the C++ headers declare
(bases, types of properties, signatures of signals). Classes that are kept already are read again, so `--refresh` alone takes
over newer listings.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

KEPT = Path(__file__).parent / "kept.json"


def extract(name: str, shown: dict[str, Any], declared: dict[str, Any]) -> dict[str, Any]:
    """What is kept of one class.

    Raises:
        KeyError: neither listing knows the class.
    """
    headers = declared.get(name, {})
    if name in shown:
        entry = shown[name]
        kept = {key: entry[key] for key in ("properties", "methods", "signals", "enums")}
        kept["beyond"] = entry.get("beyond")
    elif headers:
        callables = headers["slots"] + headers["invokables"]
        kept = {
            "properties": sorted(headers["properties"]),
            "methods": sorted({_bare(signature) for signature in callables}),
            "signals": sorted({_bare(signature) for signature in headers["signals"]}),
            "enums": {},
            "beyond": next(iter(headers["bases"]), None),
        }
    else:
        raise KeyError(name)
    if headers:
        kept["signatures"] = headers["signals"]
        kept["types"] = {key: value["type"] for key, value in headers["properties"].items() if key in kept["properties"]}
        kept["bases"] = headers["bases"]
    return kept


def _bare(signature: str) -> str:
    return signature.partition("(")[0]


def main(arguments: list[str] | None = None) -> int:
    """Rewrites kept.json. Returns 2 when a class is in neither listing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pythonqt", type=Path, required=True, help="listing read off a running Slicer")
    parser.add_argument("--widgets", type=Path, required=True, help="listing of the C++ declarations")
    parser.add_argument("--refresh", action="store_true", help="only read the kept classes again")
    parser.add_argument("classes", nargs="*", help="names of classes to add")
    chosen = parser.parse_args(arguments)
    if not chosen.classes and not chosen.refresh:
        parser.error("name at least one class, or give --refresh")
    shown = json.loads(chosen.pythonqt.read_text(encoding="utf-8"))["classes"]
    declared = json.loads(chosen.widgets.read_text(encoding="utf-8"))["classes"]
    names = set(chosen.classes)
    if KEPT.exists():
        names |= set(json.loads(KEPT.read_text(encoding="utf-8")))
    unknown = sorted(name for name in names if name not in shown and name not in declared)
    if unknown:
        sys.stderr.write(f"Neither listing has {', '.join(unknown)}: is the name right?\n")
        return 2
    kept = {name: extract(name, shown, declared) for name in sorted(names)}
    lines = (f"{json.dumps(name)}: {json.dumps(entry, sort_keys=True)}" for name, entry in kept.items())
    KEPT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
