"""Time and memory of scan, bank and an epoch of pretraining as the number of volumes grows, each in a process of its own.

    python scripts/measure_growth.py --out growth.json                # 10, 100 and 1,000 generated volumes
    python scripts/measure_growth.py --volumes 10 100 --slices 60 --side 128

The volumes are NIfTI files of smooth random content; nothing else is needed. ``scripts/performance_tables.py`` makes a table of
the result.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pcl_core.bench.machine import describe
from pcl_core.bench.material import small_volumes
from pcl_core.training.choosing import choose_device

# What runs in each process (on Linux): the command line, then its time and memory as the last line. VmHWM counts pages of the
# mapped bank too, which the system takes back when it needs them; RssAnon does not.
_MEASURED = """
import json, sys, time
from pcl_core.cli import main
begin = time.monotonic()
code = main(sys.argv[1:])
seconds = time.monotonic() - begin
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
peak, own = (int(status[name].split()[0]) * 1024 for name in ("VmHWM", "RssAnon"))
print(json.dumps({"code": code, "seconds": seconds, "peak_bytes": peak, "own_bytes_at_end": own}))
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the measurements and writes them as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--volumes", type=int, nargs="+", default=[10, 100, 1000], metavar="N", help="numbers of volumes")
    parser.add_argument("--slices", type=int, default=35, help="slices a volume (default 35)")
    parser.add_argument("--side", type=int, default=64, help="pixels along a side (default 64)")
    parser.add_argument("--filters", type=int, default=4, help="channels of the first level (default 4, to be quick)")
    parser.add_argument("--device", default="cpu", help="auto, cpu or cuda (default cpu)")
    parser.add_argument("--out", type=Path, default=Path("growth.json"), metavar="FILE", help="default growth.json")
    args = parser.parse_args(arguments)
    rows = []
    for count in args.volumes:
        with tempfile.TemporaryDirectory(prefix="pclseg-growth-") as name:
            small_volumes(Path(name) / "volumes", count, (args.side, args.side, args.slices))
            rows.append({"volumes": count, "slices": count * args.slices, **_stages(Path(name), args)})
        sys.stderr.write(f"{json.dumps(rows[-1])}\n")
    report = {"machine": describe(choose_device(args.device)), "side": args.side, "filters": args.filters, "rows": rows}
    args.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def _stages(folder: Path, args: argparse.Namespace) -> dict[str, object]:
    volumes = folder / "volumes"
    training = [
        *("pretrain", volumes, "--out", folder / "out", "--size", args.side, "--filters", args.filters, "--batch", 32),
        *("--device", args.device),
    ]
    return {
        "scan": _run("scan", volumes),
        # One step: the time is that of the scan and of the bank.
        "bank": _run(*training, "--steps", 1),
        # The bank is there; the time is that of the scan, of the bank's check and of the epoch.
        "epoch": _run(*training, "--epochs", 1),
    }


def _run(*words: object) -> dict[str, object]:
    ended = subprocess.run(
        [sys.executable, "-c", _MEASURED, *map(str, words), "--events"], capture_output=True, text=True, check=False
    )
    found: dict[str, object] = json.loads(ended.stdout.splitlines()[-1])
    if found["code"] != 0:
        raise SystemExit(f"{' '.join(map(str, words))} failed:\n{ended.stdout}\n{ended.stderr}")
    return found


if __name__ == "__main__":
    raise SystemExit(main())
