"""The command line.

Everything is imported late: a Ctrl-C during the second that takes ends as quietly as any other, and a process that a
handler starts does not pay for commands it never runs.
"""

from __future__ import annotations

import sys

_EXIT_INTERRUPTED = 130


def main() -> None:
    try:
        from analysis_worker.cli.commands import build  # noqa: PLC0415

        build()()
    except KeyboardInterrupt:
        sys.exit(_EXIT_INTERRUPTED)
