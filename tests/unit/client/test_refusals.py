"""What callers see of refusals, of answers that are none, and of keys."""

import logging
from base64 import b64decode
from collections.abc import Callable

import pytest
from tests.unit.client.conftest import Answer, Scripted

import perfcast_client
from perfcast_client import ApiError, Client, NotAuthenticated, PerfcastClientError, UnreadableAnswer, calls

Problem = Callable[..., Answer]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "InvalidRequest"),
        (401, "NotAuthenticated"),
        (403, "NotAllowed"),
        (404, "NotFound"),
        (408, "ApiError"),
        (409, "Conflict"),
        (413, "TooLarge"),
        (415, "InvalidRequest"),
        (422, "InvalidRequest"),
        (429, "TooManyRequests"),
        (500, "ServerError"),
        (501, "ServerError"),
        (503, "NotReady"),
    ],
)
def test_each_status_has_its_error_with_all_that_the_server_said(
    scripted: Scripted, problem: Problem, status: int, kind: str
) -> None:
    wrong = [{"field": "kernel_size", "message": "is required"}]
    scripted.answers = [problem(status, "kernel_size: is required", errors=wrong)]
    with Client(scripted.url, max_retries=0) as client, pytest.raises(ApiError) as refused:
        client.predict({"stride": 1})
    error = refused.value
    assert type(error) is getattr(perfcast_client, kind)
    assert (error.status, error.detail, error.request_id) == (status, "kernel_size: is required", "1a21")
    assert error.fields == {"kernel_size": "is required"}
    assert error.problem["status"] == status
    for told in ("POST", f"{scripted.url}/predict", str(status), "kernel_size: is required", "1a21"):
        assert told in str(error)


def test_a_missing_key_says_where_it_is_given(scripted: Scripted, problem: Problem) -> None:
    scripted.answers = [problem(401)]
    with Client(scripted.url) as client, pytest.raises(NotAuthenticated, match="give api_key or set PERFCAST_API_KEY"):
        client.about()


def test_the_key_is_sent_and_never_shown(
    scripted: Scripted, problem: Problem, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    scripted.answers = [problem(403)]
    address = scripted.url.replace("//", "//me:hunter3@")
    with Client(address, api_key="hunter2") as client:
        with pytest.raises(PerfcastClientError) as refused:
            client.about()
        shown = [repr(client), str(refused.value), repr(refused.value), repr(vars(refused.value))]
        shown += [repr(client.sender.server), repr(client.sender.options), repr(client.with_options(timeout=1))]
    sent = scripted.asked[0].headers
    assert (sent["x-api-key"], b64decode(sent["authorization"].removeprefix("Basic "))) == ("hunter2", b"me:hunter3")
    assert "hunter" not in " ".join(shown) + caplog.text


def test_a_page_of_a_proxy_is_no_answer(scripted: Scripted) -> None:
    scripted.answers = [Answer(body=b"<html>welcome</html>")]
    with Client(scripted.url) as client, pytest.raises(UnreadableAnswer, match="is that address Perfcast's"):
        client.about()
    scripted.answers = [Answer(500, b"<html>oh</html>")]
    with Client(scripted.url) as client, pytest.raises(ApiError, match="500: Internal Server Error"):
        client.about()
    scripted.answers = [Answer(200, b'{"service": "other"}')]
    with Client(scripted.url) as client, pytest.raises(UnreadableAnswer, match="version"):
        client.about()


@pytest.mark.parametrize(
    "body",
    [
        b'{"columns": {}, "model_name": "a", "model_version": 1, "model_type": "x", "coverage": 0.9}',
        b'{"columns": {"cost": [1]}, "model_name": "a", "model_version": null, "model_type": "x", "coverage": 0.9}',
        b'{"columns": [1], "model_name": "a", "model_version": 1, "model_type": "x", "coverage": 0.9}',
    ],
)
def test_a_batch_that_lacks_something_is_no_answer(scripted: Scripted, body: bytes) -> None:
    scripted.answers = [Answer(body=body)]
    with Client(scripted.url) as client, pytest.raises(UnreadableAnswer, match="predict/batch"):
        client.predict_batch({"request_rate": [1.0]})


def test_a_refusal_whose_list_of_fields_is_odd_is_told_all_the_same(scripted: Scripted, problem: Problem) -> None:
    scripted.answers = [problem(422, errors=[1, {"field": "stride", "message": "is required"}])]
    with Client(scripted.url) as client, pytest.raises(ApiError, match="so it is") as refused:
        client.about()
    assert refused.value.fields == {"stride": "is required"}


def test_a_redirection_is_told_and_not_followed(scripted: Scripted) -> None:
    scripted.answers = [Answer(308, b"", {"Location": "https://elsewhere/"})]
    told = "it is at https://elsewhere/ now, give that address as url"
    with Client(scripted.url, api_key="hunter2") as client, pytest.raises(ApiError, match=told):
        client.about()
    assert len(scripted.asked) == 1


def test_a_feature_that_is_no_finite_number_is_named() -> None:
    with pytest.raises(ValueError, match="request_rate: must be a finite number, got nan"):
        calls.predict({"request_rate": float("nan")})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"url": "shop:8000"}, r"url: expected an address such as http://localhost:8000, got 'shop:8000'"),
        ({"url": "http://shop:80000"}, "url: expected an address .*, got 'http://shop:80000'"),
        ({"url": "http://shop/?page=2"}, "url: expected an address .*, got 'http://shop/\\?page=2'"),
        ({"headers": {"X-Shop": "caf\u00e9"}}, "X-Shop: a header takes ASCII without line breaks"),
        ({"headers": {"X-Shop": "a\r\nX-Other: b"}}, "X-Shop: a header takes ASCII without line breaks"),
        ({"api_key": "with a blank"}, "api_key: must be ASCII without blanks; check PERFCAST_API_KEY"),
        ({"timeout": 0}, "timeout: must be more than 0 seconds, got 0"),
        ({"max_retries": -1}, "max_retries: must be 0 or more, got -1"),
    ],
)
def test_a_wrong_option_is_named(given: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Client(**given)  # type: ignore[arg-type]


def test_address_and_key_come_from_the_environment_where_they_are_not_given(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERFCAST_URL", scripted.url)
    monkeypatch.setenv("PERFCAST_API_KEY", "from-there")
    with Client() as client:
        client.live()
    with Client(api_key="") as client:
        client.live()
    assert [asked.headers.get("x-api-key") for asked in scripted.asked] == ["from-there", None]


def test_options_of_one_call_leave_the_client_as_it_was(scripted: Scripted, problem: Problem) -> None:
    with Client(scripted.url, headers={"X-Request-Key": "me", "X-Other": "1"}) as client:
        client.with_options(headers={"X-Request-Key": "you"}).live()
        client.live()
        scripted.answers = [problem(503)]
        with pytest.raises(ApiError):
            client.with_options(max_retries=0).live()
    told = [(asked.headers["x-request-key"], asked.headers["x-other"]) for asked in scripted.asked]
    assert told == [("you", "1"), ("me", "1"), ("me", "1")]
