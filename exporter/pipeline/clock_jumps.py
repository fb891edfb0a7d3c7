"""Detects jumps of the machine's clock, reports them, and stores the time for the next start."""

import asyncio
import logging
from typing import Final

from ..metrics import own
from ..metrics.gauges import Watched
from ..metrics.registry import Metrics
from ..recording.unit_of_work import Recorder
from ..runtime.clock import SteadyClock

_LOOK_EVERY: Final = 1.0
_KEEP_EVERY: Final = 60

_log = logging.getLogger(__name__)


class Timekeeping:
    """Checks the clock of one exporter; raises StoreError where the stored time cannot be read."""

    def __init__(self, clock: SteadyClock, recorder: Recorder, metrics: Metrics) -> None:
        self._clock = clock
        self._recorder = recorder
        self._metrics = metrics
        metrics.watch("clock", [Watched(own.CLOCK_OFFSET, lambda: clock.off)])

    async def run(self) -> None:
        """Check and store the time until cancelled."""
        while True:
            self.keep()
            for _ in range(_KEEP_EVERY):
                self.look()
                await asyncio.sleep(_LOOK_EVERY)

    def look(self) -> None:
        """Check whether the machine's clock has jumped."""
        jumped = self._clock.look()
        if jumped is None:
            return
        self._metrics.clock_jumped("forward" if jumped > 0 else "back")
        self.keep()
        if self._clock.off:
            _log.warning(
                "the machine's clock jumped by %+.0f s, and is %+.0f s off: llmq goes on by its own time; once the "
                "clock has stayed so for a day, a restart takes its time over",
                *(jumped, self._clock.off),
            )
        else:
            _log.warning("the machine's clock is right again")

    def keep(self) -> None:
        """Store the time for the next start."""
        self._recorder.clocks.put(self._recorder.replica, self._clock.kept(), at=self._clock())
