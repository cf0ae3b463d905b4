"""Lines about requests that failed on our side, or whose answers were long in coming."""

import time

import structlog

_A_SECOND = 10
_PROBES = frozenset({"/health", "/livez", "/readyz", "/v2/health/ready"})
log = structlog.stdlib.get_logger("perfcast.api")


class RequestLines:
    """Tells of requests answered with a 5xx status, or later than `slow_seconds`; of at most ten in a second.

    Under overload thousands are refused in a second: what is left out is counted in the next line (`unsaid`).
    """

    def __init__(self, slow_seconds: float) -> None:
        self._slow_seconds = slow_seconds
        self._second, self._said, self._unsaid = 0, 0, 0

    def tell(self, method: str, path: str, status: int, seconds: float, request_id: str) -> None:
        """Take in a request that was answered; its path stands in the line without its query."""
        failed = status >= 500 and path not in _PROBES  # whose 503 is an answer
        if not failed and seconds < self._slow_seconds:
            return
        now = int(time.monotonic())
        if now != self._second:
            self._second, self._said = now, 0
        if self._said >= _A_SECOND:
            self._unsaid += 1
            return
        self._said += 1
        about = {"method": method, "path": path[:200], "status": status, "milliseconds": round(seconds * 1000, 1)}
        if self._unsaid:
            about["unsaid"], self._unsaid = self._unsaid, 0
        if failed:
            log.error("server error", **about, request_id=request_id)
        else:
            log.warning("request was slow", **about, request_id=request_id)
