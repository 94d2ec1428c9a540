"""The end of a worker at a moment of the test's choice: SIGKILL, which leaves it no more time than a power cut."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Collection


class Death:
    """Comes at the given moment, counted from 1 over statements and file system events; never at moment 0.

    At an odd moment it comes just before a statement, at an even one just after.
    """

    def __init__(self, moment: int, *, events: Collection[str]) -> None:
        self.moment, self.events, self.now = moment, events, 0
        sys.addaudithook(self._at_event)

    def at_statement(self, execute, sql, params, many, context):
        """To be given to ``connection.execute_wrapper``."""
        self.now += 1
        if self.now == self.moment and self.moment % 2:
            os.kill(os.getpid(), signal.SIGKILL)
        result = execute(sql, params, many, context)
        if self.now == self.moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    def _at_event(self, event: str, arguments: tuple) -> None:
        if event in self.events:
            self.now += 1
            if self.now == self.moment:
                os.kill(os.getpid(), signal.SIGKILL)
