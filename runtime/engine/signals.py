"""Being told to stop: a signal is noted, and the loop sees it when its step is done."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class Stopped(Exception):
    """A signal ended the run, which is saved and may be taken up again.

    Attributes:
        code: what the process exits with, as shells count.
    """

    def __init__(self, number: int) -> None:
        name = signal.Signals(number).name
        super().__init__(
            f"stopped by {name}; the run is saved, --resume goes on with it"
        )
        self.number, self.code = number, 128 + number


class Signals:
    """While entered, SIGTERM and SIGINT are noted; a second SIGINT interrupts at once.

    Outside the main thread, which alone may ask for signals, nothing is noted.
    """

    number = 0

    def __enter__(self) -> Self:
        main = threading.current_thread() is threading.main_thread()
        wanted = (signal.SIGTERM, signal.SIGINT) if main else ()
        self._before = {one: signal.signal(one, self._note) for one in wanted}
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.number and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.number = number

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
