"""The command line: each command is one public function of a room, called with the same words."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``seston`` with the arguments of the process, or with the given ones, and end the process.

    Exit codes: 0 done; 1 done in part or not done; 2 the call was wrong; 130 interrupted.
    """
    import os
    import sys

    # Threads that wait for each other without spinning: spinning ones are ten times slower on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    if tokens[:1] in (["embed"], ["identify"]):
        # Their matrices are small: several threads of NumPy would wait for each other longer than they work.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from seston.cli.call import call

        code = call(tokens)
    except KeyboardInterrupt:  # while the first modules were still loading
        code = 130
    sys.exit(code)
