"""Steps that go on at once: one waits for a network while the other computes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from toolchain import ui


def run(*tasks: Callable[[], object]) -> None:
    """Runs tasks at once and waits for all of them.

    The first one that fails, or an interrupt, ends the commands that the others run.

    Raises:
        Failure: That of the task that failed first.
    """
    done = set[object]()
    pool = ThreadPoolExecutor(max_workers=len(tasks))
    started = [pool.submit(task) for task in tasks]
    try:
        done = wait(started, return_when=FIRST_EXCEPTION).done
    finally:
        if len(done) < len(tasks):
            ui.end_commands()
        pool.shutdown()
        # A second interrupt does not come here: steps that live on then begin nothing more.
        ui.allow_commands()
    for it in started:
        if it in done:
            it.result()
