"""The command line.

Everything is imported late: a Ctrl-C during the second that takes ends as quietly as any other, and a process that a
handler starts does not pay for commands it never runs.
"""

from __future__ import annotations

import os
import signal
import sys

_EXIT_INTERRUPTED = 130
_EXIT_TERMINATED = 143


def main() -> None:
    if os.getpid() == 1:  # the first process of a container gets no signal that it has no handler for
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(_EXIT_TERMINATED))
    try:
        from analysis_worker.cli.commands import build  # noqa: PLC0415

        build()()
    except KeyboardInterrupt:
        sys.exit(_EXIT_INTERRUPTED)
