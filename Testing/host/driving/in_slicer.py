"""Runs module tests inside the real application: `make test-slicer SLICER_EXECUTABLE=/path/to/Slicer`.

Slicer starts this file by --python-script, with the tests' folders as arguments. It adds pytest to Slicer's own Python when it
is missing, and the engine's requirements, since the tests' data come from the engine.
"""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
PYTEST = ["pytest>=9,<10", "pytest-timeout>=2.4"]


def main(tests: list[str]) -> int:
    """Pytest's exit code; 5 when there are no tests."""
    import slicer

    requirements = REPOSITORY / "PCLLib" / "Resources" / "requirements.txt"
    wanted = slicer.packaging.load_requirements(requirements) if requirements.is_file() else []
    slicer.packaging.pip_ensure([*PYTEST, *wanted], prompt_install=False, prompt_restart=False, skip_in_testing=False)
    import pytest

    sys.path.insert(0, str(REPOSITORY))
    return int(pytest.main([*tests, "-v", "-p", "no:cacheprovider", f"--rootdir={REPOSITORY}"]))


if __name__ == "__main__":
    import slicer

    slicer.util.exit(main(sys.argv[1:]))
