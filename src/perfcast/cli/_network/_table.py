"""Devices and batches side by side, and which is best."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from perfcast.cli._output import cell, say, show_table
from perfcast_client import Option, best_of
from perfcast_client.answers import NetworkAnswer


def show_options(options: Sequence[Option], within_ms: float | None) -> None:
    """The table, what isn't in it, and the best as a sentence."""
    first = options[0].answer
    gigaflops = cell(first.gigaflops / first.batch_size)
    say(f"{first.network}: {first.parameters:,} parameters, {gigaflops} GFLOP an image")
    priced = any(one.cost_per_million is not None for one in options)
    columns = ["device", "batch", "ms", "lower", "upper", "images/s", "MB"]
    columns += ["cost/million"] * priced + ["within"] * (within_ms is not None)
    rows = []
    for one in options:
        answer = one.answer
        row = [answer.device, answer.batch_size, answer.execution_time_ms, answer.lower_ms, answer.upper_ms]
        row += [answer.images_per_second, answer.memory_mb]
        rows.append(row + [one.cost_per_million] * priced + [one.within] * (within_ms is not None))
    show_table(columns, rows)
    for line in caveats([one.answer for one in options]):
        say(line)
    say(in_words(options, within_ms))


def in_words(options: Sequence[Option], within_ms: float | None) -> str:
    """Which option is best, as a sentence."""
    limit = "" if within_ms is None else f" within {cell(within_ms)} ms"
    best = best_of(options)
    if best is None:
        return _none(options, limit)
    answer, price = best.answer, best.cost_per_million
    where = f"{answer.device} at a batch of {answer.batch_size}"
    bound = "" if answer.upper_ms is None else f" (at most {cell(answer.upper_ms)})"
    call = f"{cell(answer.execution_time_ms)} ms a call{bound}"
    if price is not None:
        return f"cheapest{limit}: {where}, {cell(price)} for a million images, {call}"
    return f"most images{limit}: {where}, {cell(answer.images_per_second)} a second, {call}"


def _none(options: Sequence[Option], limit: str) -> str:
    unpriced = [one for one in options if one.within]
    if unpriced:
        devices = ", ".join(dict.fromkeys(one.answer.device for one in unpriced))
        return f"nothing that has a price stays{limit}; without one do: {devices}"
    nearest = min(options, key=lambda one: one.at_most_ms)
    where = f"{nearest.answer.device} at a batch of {nearest.answer.batch_size}"
    return f"nothing stays{limit}; the nearest is {where}, at most {cell(nearest.at_most_ms)} ms"


def caveats(answers: Sequence[NetworkAnswer]) -> Iterator[str]:
    """What to know before trusting the figures, lines for each device."""
    for device, found in _by_device(answers).items():
        largest = found[-1]
        yield from _missing(largest)
        beyond = {answer.batch_size: len(answer.extrapolated) for answer in found if answer.extrapolated}
        if beyond:
            told = ", ".join(f"{count} at a batch of {batch}" for batch, count in beyond.items())
            yield f"{device}: layers outside what its models were trained on: {told}; trust them less"
        if largest.lower_ms is None:
            yield f"{device}: no interval, a model is not calibrated"
        elif not largest.calibrated_on:
            yield f"{device}: no whole network was measured there, so the interval is the sum of the layers' own"


def _missing(answer: NetworkAnswer) -> Iterator[str]:
    """What isn't in the sum, a line for each reason."""
    reasons: dict[str, list[str]] = {}
    for one in answer.not_modelled:
        reasons.setdefault(one.reason, []).append(f"{one.count} {one.operator}")
    for reason, operators in reasons.items():
        yield f"{answer.device}: not in the sum: {', '.join(operators)} ({reason})"
    if reasons:
        share = f"{100 * answer.not_modelled_share:.1f} %"
        yield f"{answer.device}: the true time is larger: {share} of the bytes are missing"


def _by_device(answers: Sequence[NetworkAnswer]) -> Mapping[str, list[NetworkAnswer]]:
    found: dict[str, list[NetworkAnswer]] = {}
    for answer in answers:
        found.setdefault(answer.device, []).append(answer)
    return {device: sorted(ones, key=lambda one: one.batch_size) for device, ones in found.items()}


def as_document(options: Sequence[Option], raw: Sequence[Mapping[str, Any]], within_ms: float | None) -> dict[str, Any]:
    """All there is to know, as plain data: the sentence, the best, and each answer with its cost."""
    best = best_of(options)
    answers = [
        {**answer, "cost_per_million": one.cost_per_million, "within": one.within}
        for one, answer in zip(options, raw, strict=True)
    ]
    chosen = None if best is None else {"device": best.answer.device, "batch_size": best.answer.batch_size}
    return {"words": in_words(options, within_ms), "within_ms": within_ms, "best": chosen, "answers": answers}
