"""Stop training by a signal: it is noted, and the loop stops after the current step."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class Stopped(Exception):
    """A signal stopped the run, which is saved and can be resumed.

    Attributes:
        number: number of the signal.
        code: exit code of the process, 128 + number as in shells.
    """

    def __init__(self, number: int) -> None:
        name = signal.Signals(number).name
        super().__init__(f"stopped by {name}; the run is saved, --resume continues it")
        self.number, self.code = number, 128 + number


class Signals:
    """A context manager that notes SIGTERM and SIGINT in `number`; a second SIGINT interrupts at once.

    Outside the main thread, where Python allows no signal handlers, it notes nothing.
    """

    number = 0

    def __enter__(self) -> Self:
        main = threading.current_thread() is threading.main_thread()
        handled = (signal.SIGTERM, signal.SIGINT) if main else ()
        self._previous = {
            number: signal.signal(number, self._handle) for number in handled
        }
        return self

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.number and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.number = number

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
