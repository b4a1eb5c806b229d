"""Processes that share work, and that Ctrl-C ends."""

import signal
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager


__all__ = ["workers"]


@contextmanager
def workers(count):
    """An executor of processes that gives up what waits when its block ends early.

    Parameters
    ----------
    count : int
        Processes.
    """
    # Ctrl-C ends a process, and not only the task that it is at.
    with ProcessPoolExecutor(
        count, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_DFL)
    ) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
