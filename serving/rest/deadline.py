"""The time that one request has, from its body being there to its answer being written."""

import time

from zoo.serving.errors import ServingError


class Deadline:
    """When a request's time is over.

    Args:
        timeout_ms: The milliseconds from now on; 0 is any time.
    """

    def __init__(self, timeout_ms: int) -> None:
        self._timeout_ms = timeout_ms
        self._end = time.monotonic() + timeout_ms / 1000
        self._client_left = False

    @property
    def error(self) -> ServingError:
        """What the client is told when it is over."""
        return ServingError(
            "DEADLINE_EXCEEDED",
            f"Timed out: the request took longer than {self._timeout_ms} ms "
            "(--rest_api_timeout_in_ms).",
        )

    def abandon(self) -> None:
        """Notes that nobody waits for the answer any more."""
        self._client_left = True

    def left_ms(self) -> int:
        """The milliseconds left, at least 1; 0 is any time.

        Raises:
            ServingError: DEADLINE_EXCEEDED if there are none, CANCELLED if the client has left.
        """
        if self._client_left:
            raise ServingError("CANCELLED", "The client has left.")
        if not self._timeout_ms:
            return 0
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.error
        return max(1, int(left * 1000))
