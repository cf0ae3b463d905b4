"""System Health: the machines, the processes and what they depend on."""

from deploy.dashboards._board import Board
from deploy.dashboards._panels import GREEN, RED, YELLOW, Ask, figure, lines, states
from deploy.dashboards._queries import CALLERS, now, pick, quantile, rate
from deploy.dashboards.boards._shared import ERROR_STEPS, HEALTH, HEALTH_SAYS, LATENCY_STEPS, PERCENT_STEPS

from perfcast.monitoring._prediction_log import CAPACITY

_FAILED = f'status=~"5..",{CALLERS}'

SYSTEM_HEALTH = Board(
    name="system-health",
    title="System Health",
    about="Processors, memory, disks, network and uptime of what Perfcast runs on, and what it depends on.",
    red=[
        figure(
            "Youngest replica",
            "How long ago a replica began last. Small values that come back are restarts.",
            "s",
            Ask(f"min({now('perfcast_uptime_seconds', 'instance')})", "uptime"),
            height=6,
        ),
        figure(
            "Machine up for",
            "Since the machine was booted.",
            "s",
            Ask(f"time() - {now('system_boot_timestamp_seconds')}", "uptime"),
            height=6,
        ),
        states(
            "Health of each replica",
            "What /health says: a degraded replica answers, but something is wrong; an unhealthy one can't predict.",
            HEALTH_SAYS,
            Ask(HEALTH, "{{instance}}"),
            width=8,
            height=6,
        ),
        states(
            "Dependencies",
            "Whether each replica reaches what it depends on.",
            {0: ("down", RED), 1: ("up", GREEN)},
            Ask(f"min by (dependency, instance) ({pick('perfcast_dependency_up')})", "{{dependency}} {{instance}}"),
            width=8,
            height=6,
        ),
        lines(
            "Requests by replica",
            "Requests a second. Replicas behind one balancer should lie close together.",
            "reqps",
            Ask(rate("http_requests_total", "instance"), "{{instance}}"),
        ),
        lines(
            "Failed requests by replica",
            "Share answered with a 5xx status, probes left out.",
            "percentunit",
            Ask(
                f"{rate('http_requests_total', 'instance', where=_FAILED)}"
                f" / {rate('http_requests_total', 'instance', where=CALLERS)}",
                "{{instance}}",
            ),
            steps=ERROR_STEPS,
        ),
        lines(
            "Request duration by replica, p95",
            "A replica that lies apart has a busy machine.",
            "s",
            Ask(quantile(0.95, "http_request_duration_seconds", "instance"), "{{instance}}"),
            steps=LATENCY_STEPS,
            logarithmic=True,
        ),
    ],
    use=[
        lines(
            "Processor",
            "Of the whole machine, all of its processors together.",
            "percent",
            Ask(now("system_cpu_percent", "instance"), "{{instance}}"),
            width=6,
            top=100,
        ),
        lines(
            "Memory",
            "Of the whole machine.",
            "percent",
            Ask(now("system_memory_percent", "instance"), "{{instance}}"),
            steps=PERCENT_STEPS,
            width=6,
            top=100,
        ),
        lines(
            "Disk",
            "Of the disk that DATA_DIR lies on. At 100 % nothing is recorded any more; predictions go on.",
            "percent",
            Ask(now("system_disk_used_percent", "instance"), "{{instance}}"),
            steps=PERCENT_STEPS,
            width=6,
            top=100,
        ),
        lines(
            "Free",
            "Memory that is available, and bytes free on the disk of DATA_DIR.",
            "bytes",
            Ask(now("system_memory_available_bytes", "instance"), "memory {{instance}}"),
            Ask(now("system_disk_free_bytes", "instance"), "disk {{instance}}"),
            width=6,
        ),
        lines(
            "Disk reads and writes",
            "Of all the machine's disks.",
            "Bps",
            Ask(rate("system_disk_read_bytes_total", "instance"), "read {{instance}}"),
            Ask(rate("system_disk_written_bytes_total", "instance"), "written {{instance}}"),
            width=6,
        ),
        lines(
            "Network",
            "Of all the machine's interfaces.",
            "Bps",
            Ask(rate("system_network_received_bytes_total", "instance"), "received {{instance}}"),
            Ask(rate("system_network_sent_bytes_total", "instance"), "sent {{instance}}"),
            width=6,
        ),
        lines(
            "Processor time of the server",
            "Processors that the serving processes use: 1 is a whole one. Workers, which train, aren't counted.",
            "short",
            Ask(rate("process_cpu_seconds_total", "instance"), "{{instance}}"),
            width=6,
        ),
        lines(
            "Memory of the server",
            "Resident memory of the serving processes.",
            "bytes",
            Ask(now("process_resident_memory_bytes", "instance"), "{{instance}}"),
            width=6,
        ),
        lines(
            "Open files",
            "Files and sockets that the serving processes hold, as a share of what they may.",
            "percentunit",
            Ask(f"{now('process_open_fds', 'instance')} / {now('process_max_fds', 'instance')}", "{{instance}}"),
            steps=((0.8, YELLOW),),
            width=6,
        ),
        lines(
            "Requests in flight",
            "Requests that are being answered just now.",
            "short",
            Ask(now("http_requests_in_flight", "instance"), "{{instance}}"),
            width=6,
        ),
        lines(
            "Records that wait",
            f"Prediction records not yet written. Above {CAPACITY:,} in a process they are dropped.",
            "short",
            Ask(now("prediction_records_waiting", "instance"), "{{instance}}"),
            width=6,
        ),
        lines(
            "Records written and dropped",
            "Prediction records a second.",
            "ops",
            Ask(rate("prediction_records_written_total", "instance"), "written {{instance}}"),
            Ask(rate("prediction_records_dropped_total", "instance"), "dropped {{instance}}"),
            width=6,
        ),
    ],
    model=[
        lines(
            "Models in memory",
            "Models whose champion is loaded, by replica.",
            "short",
            Ask(now("ml_models_loaded_total", "instance"), "{{instance}}"),
        ),
        lines(
            "Graphs in memory",
            "Bytes of the loaded graphs.",
            "bytes",
            Ask(now("ml_models_loaded_bytes", "instance"), "{{instance}}"),
        ),
        lines(
            "Models that could not be loaded",
            "Failed loads a second; the version before goes on answering.",
            "ops",
            Ask(rate("ml_model_load_failures_total", "instance"), "{{instance}}"),
        ),
    ],
)
