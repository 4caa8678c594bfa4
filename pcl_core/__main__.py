"""Runs the command line: ``python -m pcl_core COMMAND``."""

from pcl_core.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
