"""System Health: the machines, the processes and what they depend on."""

from deploy.dashboards._board import Board
from deploy.dashboards._panels import GREEN, RED, YELLOW, figure, lines, states
from deploy.dashboards._queries import CALLERS, Query, now, pick, quantile, rate, ratio
from deploy.dashboards.boards._shared import ERROR_STEPS, FAILED, HEALTH, HEALTH_SAYS, LATENCY_STEPS, PERCENT_STEPS

from perfcast.monitoring._prediction_log import CAPACITY

_STATE = [
    figure(
        "Youngest replica",
        "How long ago a replica began last. Small values that come back are restarts.",
        Query(f"min({now('perfcast_uptime_seconds', 'instance')})", "uptime"),
        unit="s",
    ),
    figure(
        "Machine up for",
        "Since the machine was booted.",
        Query(f"time() - {now('system_boot_timestamp_seconds')}", "uptime"),
        unit="s",
    ),
    states(
        "Health of each replica",
        "What /health says: a degraded replica answers, but something is wrong; an unhealthy one can't predict.",
        HEALTH_SAYS,
        Query(HEALTH, "{{instance}}"),
        height=6,
    ),
    states(
        "Dependencies",
        "Whether each replica reaches what it depends on.",
        {0: ("down", RED), 1: ("up", GREEN)},
        Query(f"min by (dependency, instance) ({pick('perfcast_dependency_up')})", "{{dependency}} {{instance}}"),
        height=6,
    ),
]
_REPLICAS = [
    lines(
        "Requests by replica",
        "Requests a second. Replicas behind one balancer should lie close together.",
        rate("http_requests_total", "instance"),
        unit="reqps",
    ),
    lines(
        "Failed requests by replica",
        "Share answered with a 5xx status, probes left out.",
        ratio(
            rate("http_requests_total", "instance", where=FAILED),
            rate("http_requests_total", "instance", where=CALLERS),
        ),
        unit="percentunit",
        steps=ERROR_STEPS,
    ),
    lines(
        "Request duration by replica, p95",
        "A replica that lies apart has a busy machine.",
        quantile(0.95, "http_request_duration_seconds", "instance"),
        unit="s",
        steps=LATENCY_STEPS,
        logarithmic=True,
    ),
]
_MACHINES = [
    lines(
        "Processor",
        "Of the whole machine, all of its processors together.",
        now("system_cpu_percent", "instance"),
        unit="percent",
        top=100,
    ),
    lines(
        "Memory",
        "Of the whole machine.",
        now("system_memory_percent", "instance"),
        unit="percent",
        steps=PERCENT_STEPS,
        top=100,
    ),
    lines(
        "Disk",
        "Of the disk that DATA_DIR lies on. At 100 % nothing is recorded any more; predictions go on.",
        now("system_disk_used_percent", "instance"),
        unit="percent",
        steps=PERCENT_STEPS,
        top=100,
    ),
    lines(
        "Free",
        "Memory that is available, and bytes free on the disk of DATA_DIR.",
        now("system_memory_available_bytes", "instance").called("memory {{instance}}"),
        now("system_disk_free_bytes", "instance").called("disk {{instance}}"),
        unit="bytes",
    ),
]
_FLOWS = [
    lines(
        "Disk reads and writes",
        "Of all the machine's disks.",
        rate("system_disk_read_bytes_total", "instance").called("read {{instance}}"),
        rate("system_disk_written_bytes_total", "instance").called("written {{instance}}"),
        unit="Bps",
    ),
    lines(
        "Network",
        "Of all the machine's interfaces.",
        rate("system_network_received_bytes_total", "instance").called("received {{instance}}"),
        rate("system_network_sent_bytes_total", "instance").called("sent {{instance}}"),
        unit="Bps",
    ),
    lines(
        "Processor time of the server",
        "Processors that the serving processes use: 1 is a whole one. Workers, which train, aren't counted.",
        rate("process_cpu_seconds_total", "instance"),
    ),
    lines(
        "Memory of the server",
        "Resident memory of the serving processes.",
        now("process_resident_memory_bytes", "instance"),
        unit="bytes",
    ),
]
_QUEUES = [
    lines(
        "Open files",
        "Files and sockets that the serving processes hold, as a share of what they may.",
        ratio(now("process_open_fds", "instance"), now("process_max_fds", "instance")),
        unit="percentunit",
        steps=((0.8, YELLOW),),
    ),
    lines(
        "Requests in flight", "Requests that are being answered just now.", now("http_requests_in_flight", "instance")
    ),
    lines(
        "Records that wait",
        f"Prediction records not yet written. Above {CAPACITY:,} in a process they are dropped.",
        now("prediction_records_waiting", "instance"),
    ),
    lines(
        "Records written and dropped",
        "Prediction records a second.",
        rate("prediction_records_written_total", "instance").called("written {{instance}}"),
        rate("prediction_records_dropped_total", "instance").called("dropped {{instance}}"),
        unit="ops",
    ),
]
_GRAPHS = [
    lines(
        "Models in memory", "Models whose champion is loaded, by replica.", now("ml_models_loaded_total", "instance")
    ),
    lines("Graphs in memory", "Bytes of the loaded graphs.", now("ml_models_loaded_bytes", "instance"), unit="bytes"),
    lines(
        "Models that could not be loaded",
        "Failed loads a second; the version before goes on answering.",
        rate("ml_model_load_failures_total", "instance"),
        unit="ops",
    ),
]

SYSTEM_HEALTH = Board(
    name="system-health",
    title="System Health",
    about="Processors, memory, disks, network and uptime of what Perfcast runs on, and what it depends on.",
    red=[_STATE, _REPLICAS],
    use=[_MACHINES, _FLOWS, _QUEUES],
    model=[_GRAPHS],
)
