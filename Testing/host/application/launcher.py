"""What PythonSlicer is in Slicer: a launcher (CTKAppLauncher) that stays while the interpreter runs as its child.

The child has the launcher's standard streams. When the child crashes or is killed, the launcher says so and ends normally, with
the exit code 1; when the launcher is killed, the child goes on.
"""

import os
import sys


def launch(program: str, arguments: list[str]) -> int:
    """Runs a program to its end and returns the exit code of the launcher."""
    code = os.spawnv(os.P_WAIT, program, [program, *arguments])
    if code >= 0:
        return code
    os.write(2, f"error: [{program}] exit abnormally - Report the problem.\n".encode())
    return 1


if __name__ == "__main__":
    sys.exit(launch(sys.argv[1], sys.argv[2:]))
