"""`perfcast doctor`: what is right and wrong here, and what to do about it.

Each check is a small function that gives findings: `_installation` asks whether Perfcast works, and the others whether
it is fit for production (`_callers`, `_secrets`, `_machine`, `_state`, `_watching`; `_production` lists them).
"""

from perfcast.cli._doctor._command import doctor
from perfcast.cli._doctor._installation import EXTRAS, how_to_install

__all__ = ["EXTRAS", "doctor", "how_to_install"]
