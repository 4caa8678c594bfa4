"""Every way in which work can end, as its last event and an exit code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

from pcl_core.errors import CancelledError, PclError
from pcl_core.events import Reporter


def told(work: Callable[[], None], reporter: Reporter) -> int:
    """Runs work that reports its good end itself, and reports every other end.

    Returns:
        0 done, 2 the input or the call is wrong, 3 cancelled, 4 out of memory, 1 anything else.
    """
    try:
        work()
    except CancelledError as error:
        reporter.cancelled(error.kept)
        return error.exit_code
    except KeyboardInterrupt:
        reporter.cancelled(None)
        return CancelledError.exit_code
    except PclError as error:
        reporter.error(error.kind, error.message, error.hint, error.smaller)
        return error.exit_code
    except MemoryError:
        reporter.error("memory", "The memory of the machine is not enough.", "Close other programs or choose fewer volumes.")
        return 4
    except Exception as error:  # noqa: BLE001 (the last line: a program that reads events must learn of every end)
        traceback.print_exc(file=sys.stderr)
        reporter.error("failure", f"{type(error).__name__}: {error}", "This is a fault of the software; please report it.")
        return 1
    return 0
