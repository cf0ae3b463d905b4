"""Whether the machines have room."""

from deploy.dashboards.rules._rule import Alert, Group, ours

MACHINE = Group(
    "machine",
    [
        Alert(
            "PerfcastDiskFull",
            "critical",
            "2m",
            "The disk of {{ $labels.instance }} is full",
            '{{ $value | printf "%.0f" }} % of the disk is in use. Predictions go on; records, jobs and versions stop.',
            "system_disk_used_percent > 95",
        ),
        Alert(
            "PerfcastDiskFills",
            "warning",
            "30m",
            "The disk of {{ $labels.instance }} will be full within a day",
            "By the course of the last six hours. Shorten what is kept of predictions, or give it more room.",
            "predict_linear(system_disk_free_bytes[6h], 24 * 3600) < 0 and system_disk_used_percent > 70",
        ),
        Alert(
            "PerfcastMemoryShort",
            "warning",
            "15m",
            "The memory of {{ $labels.instance }} is nearly used up",
            '{{ $value | printf "%.0f" }} % is in use; at the end the kernel kills a process.',
            "system_memory_percent > 95",
        ),
        Alert(
            "PerfcastProcessorBusy",
            "info",
            "30m",
            "The processors of {{ $labels.instance }} are busy",
            'At {{ $value | printf "%.0f" }} %: latency suffers where training and serving share a machine.',
            "avg_over_time(system_cpu_percent[15m]) > 90",
        ),
        Alert(
            "PerfcastFilesShort",
            "warning",
            "10m",
            "{{ $labels.instance }} holds {{ $value | humanizePercentage }} of the open files it may",
            "Each connection is one. At the limit nobody new is answered.",
            ours("process_open_fds / process_max_fds > 0.8"),
        ),
    ],
)
