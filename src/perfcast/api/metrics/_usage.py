"""What is asked for: which workloads, and which popular networks' layers."""

from collections.abc import Sequence

from perfcast.api.metrics._tally import Tally
from perfcast.monitoring import WORKLOAD_OF_NETWORKS, Record, networks_of
from perfcast.registry import SHADOW
from perfcast.serving import Follower


class Usage:
    """Counts what need not be counted while a caller waits."""

    def __init__(self, tally: Tally, follower: Follower) -> None:
        self._tally, self._follower = tally, follower
        self._seen: object = None

    def look(self) -> None:
        """Take note of the workload of every model that answers; what is known of one stays, as its counts do."""
        routes = self._follower.routes
        if routes is not self._seen:
            self._tally.workloads |= {slot.model: slot.reader.workload.name for slot in routes.slots}
            self._seen = routes

    def written(self, records: Sequence[Record]) -> None:
        """Count the networks of records that have been written; called by one thread at a time."""
        self.look()
        workloads, presets = self._tally.workloads, self._tally.presets
        models = {record.model for record in records}  # few: most workloads' records needn't be looked at one by one
        counted = {model for model in models if workloads.get(model) == WORKLOAD_OF_NETWORKS}
        for record in records if counted else ():
            if record.model in counted and record.arm != SHADOW:
                for network in networks_of(record.row):
                    key = (WORKLOAD_OF_NETWORKS, network)
                    presets[key] = presets.get(key, 0) + 1
