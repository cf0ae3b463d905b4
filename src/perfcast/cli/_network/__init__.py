"""`perfcast network`: what a whole network costs, on which device and with which batch it is cheapest.

`_stated` reads limits and prices, `_presets` lists what there is, `_table` sets devices and batches side by side,
`_layers` tells where the time goes.
"""

from perfcast.cli._network._command import network

__all__ = ["network"]
