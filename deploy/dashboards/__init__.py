"""Grafana dashboards and Prometheus rules, written once as Python and kept as the files that those programs read.

`make dashboards` writes `deploy/grafana/dashboards/*.json` and `deploy/prometheus/rules/*.yml`; a test holds them equal
to what is said here. Who asks for a metric asks the catalogue (`_metrics.py`) what kind it is, so that counters are
rated and what every replica tells alike is counted once.
"""
