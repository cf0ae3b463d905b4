"""Grafana dashboards and Prometheus rules, written once as Python and kept as the files that those programs read.

`make dashboards` writes `deploy/grafana/dashboards/*.json` and `deploy/prometheus/rules/*.yml`; a test holds them equal
to what is said here. Queries (`_queries.py`) look up what kind a metric is, in the server's own catalogue, and who
tells it (`_metrics.py`), so that counters are rated and what every replica tells alike is counted once.
"""
