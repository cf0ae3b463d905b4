"""No message about the queue shows a password, wherever in its address it stands."""

from pathlib import Path

import pytest

from perfcast.errors import Unavailable
from perfcast.jobs import make_transport
from perfcast.settings import load_settings


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://127.0.0.1:9/0", "127.0.0.1:9/0"),
        ("redis://127.0.0.1:9/0?password=hunter2", "127.0.0.1:9/0"),
        ("redis://ann:hunter2@127.0.0.1:9/1?ssl=x", "127.0.0.1:9/1"),
        ("rediss://127.0.0.1:9?password=hunter2&username=ann", "127.0.0.1:9"),
        ("rediss://:hunter2@127.0.0.1:9/0", "127.0.0.1:9/0"),
        ("unix:///tmp/no-such.sock?password=hunter2", "/tmp/no-such.sock"),
        ("redis://:hunter2/and@127.0.0.1:9/0", "at REDIS_URL"),
        ("redis://:hunter2?and@127.0.0.1:9/0", "at REDIS_URL"),
        ("redis://127.0.0.1:9/0?password=hun@ter2", "127.0.0.1:9/0"),
    ],
)
def test_only_host_port_and_database_are_shown(url: str, shown: str, tmp_path: Path) -> None:
    transport = make_transport(load_settings(redis_url=url, data_dir=tmp_path))
    assert transport.address == shown
    with pytest.raises(Unavailable) as failed:
        transport.send("job")
    transport.close()
    text = str(failed.value)
    assert f"the queue {shown} can't be used" in text
    assert "hunter2" not in text
    assert "ter2" not in text
