"""Selectors are found where they are, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.metric_servers import SHOP_BEGINS

from perfcast.collect import Prometheus, Span
from perfcast.collect._access import Access
from perfcast.collect._promql import check_matcher, narrowed, selectors, windows
from perfcast.errors import InvalidSetting

CASES = [
    ("up", "up{c='e'}"),
    ("up{}", "up{c='e'}"),
    ("up{ }", "up{c='e' }"),
    ('up{job="a"}', "up{c='e',job=\"a\"}"),
    ('{__name__="up"}', "{c='e',__name__=\"up\"}"),
    ("sum(up)", "sum(up{c='e'})"),
    ("sum by (job, by) (up)", "sum by (job, by) (up{c='e'})"),
    ("sum(up) by (job)", "sum(up{c='e'}) by (job)"),
    ("SUM BY(job)(up)", "SUM BY(job)(up{c='e'})"),
    ("sum without(job) (rate(a:b_total[5m]))", "sum without(job) (rate(a:b_total{c='e'}[5m]))"),
    ("a / on(x) group_left(y) b", "a{c='e'} / on(x) group_left(y) b{c='e'}"),
    ("a / ignoring(x) group_left b", "a{c='e'} / ignoring(x) group_left b{c='e'}"),
    ("a offset 5m > bool 1e3", "a{c='e'} offset 5m > bool 1e3"),
    ("a @ 1609746000 or b @ start()", "a{c='e'} @ 1609746000 or b{c='e'} @ start()"),
    ("a and b unless c atan2 d", "a{c='e'} and b{c='e'} unless c{c='e'} atan2 d{c='e'}"),
    ('label_replace(up, "a", "$1", "b", "(.*)")', 'label_replace(up{c=\'e\'}, "a", "$1", "b", "(.*)")'),
    ('up{a="}{,b"} # down{x}', "up{c='e',a=\"}{,b\"} # down{x}"),
    ("histogram_quantile(0.9, sum(rate(x[1m])) by (le))", "histogram_quantile(0.9, sum(rate(x{c='e'}[1m])) by (le))"),
    ('up{a="1" or b="2"}', "up{c='e',a=\"1\" or c='e', b=\"2\"}"),
    ('up{or="1"}', "up{c='e',or=\"1\"}"),
    ("max_over_time(sum(up)[1h:1m])", "max_over_time(sum(up{c='e'})[1h:1m])"),
    ("-up + +Inf + NaN + 0x1F", "-up{c='e'} + +Inf + NaN + 0x1F"),
    ("vector(1) + time()", "vector(1) + time()"),
    ("sum(limit) / default", "sum(limit{c='e'}) / default{c='e'}"),
    ("sum(up) limit 3", "sum(up{c='e'}) limit 3"),
    ("rate(up[5m] anchored)", "rate(up{c='e'}[5m] anchored)"),
    ('{"a.b" or "c.d"}', '{c=\'e\',"a.b" or c=\'e\', "c.d"}'),
    ("topk(3, up) or vector(0)", "topk(3, up{c='e'}) or vector(0)"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), CASES)
def test_a_matcher_is_added_to_each_selector(query: str, expected: str) -> None:
    assert narrowed(query, "c='e'") == expected


def test_an_engine_takes_every_narrowed_query(metrics_url: str) -> None:
    plain = Prometheus(Access(metrics_url))
    narrow = Prometheus(Access(metrics_url, matcher='cluster="eu"'))
    span = Span.within(SHOP_BEGINS + 600, SHOP_BEGINS + 660, 60)
    only_there = ("up{}", "up{ }", " or b=", " limit 3", "anchored", "a.b")  # unknown to Prometheus 2
    for query, _ in CASES:
        if not any(part in query for part in only_there) and "#" not in query and "ignoring" not in query:
            plain.series(query, span)
            narrow.series(query, span)
    found = narrow.series("count by (cluster) (http_requests_total)", span)
    assert [series.labels for series in found] == [{"cluster": "eu"}]


@given(st.text(alphabet="abu_p{}()[]=\"',#\\ 5m/+`or", max_size=40))
def test_any_text_is_read_without_failing(query: str) -> None:
    narrowed(query, 'c="e"')
    assert all(selector.end <= len(query) for selector in selectors(query))


def test_windows_are_told_without_their_steps() -> None:
    assert windows('rate(a{x="[9m]"}[5m]) + max_over_time(b[ 1h:30s ]) + rate(c[5m])') == ("5m", "1h")


@pytest.mark.parametrize("matcher", ["cluster", "cluster=eu", '{cluster="eu"}', 'a="b" c="d"', 'a="b",,', 'a="b"}'])
def test_matchers_that_are_none_are_refused(matcher: str) -> None:
    with pytest.raises(InvalidSetting, match=r"server\.matcher: expected matchers such as"):
        check_matcher(matcher)


def test_templates_cant_be_narrowed() -> None:
    with pytest.raises(InvalidSetting, match="WITH templates"):
        narrowed("WITH (x = up) sum(x)", 'c="e"')
