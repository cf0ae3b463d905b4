"""When an alarm begins and when it ends."""

from perfcast.monitoring.drift._state import COST, Alarm, Kind, State

_QUIET_HOURS = 12
"""So many hours in a row must be as usual for an alarm to end."""


def raise_alarm(state: State, kind: Kind, feature: str, at: str, score: float, words: str) -> bool:
    """Begin an alarm, or bring it up to date; gives whether it is new."""
    key, present = name_of(kind, feature), alarm_of(state, kind, feature)
    if present is not None:
        present.score, present.words, present.quiet = score, words, 0
        return False
    state.alarms[key] = Alarm(kind, feature, at, score, words)
    state.begun[kind] = state.begun.get(kind, 0) + 1
    return True


def calm(state: State, kind: Kind, feature: str, *, hours: int = _QUIET_HOURS) -> bool:
    """Note that an hour was as usual; gives whether that ended an alarm."""
    present = alarm_of(state, kind, feature)
    if present is None:
        return False
    present.quiet += 1
    if present.quiet < hours:
        return False
    del state.alarms[name_of(kind, feature)]
    return True


def alarm_of(state: State, kind: Kind, feature: str = COST) -> Alarm | None:
    """What isn't as usual now, if anything."""
    return state.alarms.get(name_of(kind, feature))


def name_of(kind: Kind, feature: str = COST) -> str:
    """What alarms and charts are kept under."""
    return f"{kind} {feature}".strip()
