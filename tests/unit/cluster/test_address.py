"""A scheduler that anybody could use is refused, unless the operator says that this is meant."""

import pytest

from perfcast.cluster import scheduler_of
from perfcast.errors import InvalidSetting
from perfcast.settings import load_settings


@pytest.mark.parametrize(
    "address",
    ["", "tls://scheduler:8786", "wss://scheduler", "tcp://127.0.0.1:8786", "tcp://[::1]:8786", "localhost:8786"],
)
def test_encrypted_ones_and_those_of_this_machine_are_used(address: str) -> None:
    assert scheduler_of(load_settings(dask_scheduler_address=address)) == address


@pytest.mark.parametrize(
    "address",
    ["tcp://scheduler:8786", "10.0.0.5:8786", "scheduler", "tcp://[fd00::1]:8786", "ws://host", "tcp://127.0.0.1.evil:1",
     "tcp://[::1", "tcp://0.0.0.0:8786"],
)  # fmt: skip
def test_others_are_refused_with_the_reason_and_what_to_do(address: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        scheduler_of(load_settings(dask_scheduler_address=address))
    text = str(refused.value)
    assert f"DASK_SCHEDULER_ADDRESS is '{address}'" in text
    assert "can run any code" in text
    assert "perfcast cluster certificates" in text
    assert "DASK_UNENCRYPTED" in text


def test_they_are_used_where_the_operator_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASK_UNENCRYPTED", "true")
    assert scheduler_of(load_settings(dask_scheduler_address="tcp://scheduler:8786")) == "tcp://scheduler:8786"
