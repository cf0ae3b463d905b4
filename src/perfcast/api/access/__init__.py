"""Who may call what, and how often: keys with scopes, rate limits, and the gate that asks for both.

`Front` asks the gate before anything else, with the method and path that the routes are then found by. Without keys and
without limits there is no gate.
"""

from perfcast.api.access._gate import HEADER, Gate, make_gate, reason_of
from perfcast.api.access._keys import address_of, parse_keys, weak_keys
from perfcast.api.access._rules import RULES, scopes_of

__all__ = ["HEADER", "RULES", "Gate", "address_of", "make_gate", "parse_keys", "reason_of", "scopes_of", "weak_keys"]
