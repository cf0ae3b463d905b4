"""Devices by what their data sheets say: what an unmeasured one could do at most.

A descriptor is a small YAML file: twenty public ones lie in `sheets/`, a user's own in a folder (`_catalogue`). The
machine Perfcast runs on describes itself (`_machine`), with its peak and its bandwidth measured (`_measure`).
"""

from perfcast.devices._catalogue import devices_folder, find_device, load_devices, write_device
from perfcast.devices._descriptor import OPTIONAL, Descriptor, device_name, figures_among, read_descriptor
from perfcast.devices._machine import describe_machine
from perfcast.devices._measure import measure_bandwidth, measure_peak

__all__ = [
    "OPTIONAL",
    "Descriptor",
    "describe_machine",
    "device_name",
    "devices_folder",
    "figures_among",
    "find_device",
    "load_devices",
    "measure_bandwidth",
    "measure_peak",
    "read_descriptor",
    "write_device",
]
