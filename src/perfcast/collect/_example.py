"""A file to begin with."""

_EXAMPLE = """\
# What `perfcast collect` reads. First: perfcast collect check THIS_FILE

server:
  url: http://localhost:9090          # what stands before /api/v1; VictoriaMetrics: http://localhost:8428
  # bearer_token: {env: PROMETHEUS_TOKEN}       # or {file: /run/secrets/token}; read anew for each request
  # username: perfcast
  # password: {file: /run/secrets/password}
  # headers: {X-Scope-OrgID: shop}              # a value may also be {env: …} or {file: …}
  # ca_file: /etc/ssl/our-ca.pem
  # cert_file: /etc/ssl/client.pem              # and key_file
  # timeout: 30s                                # of one answer
  # matcher: cluster="eu-1"                     # added to every selector of every query

workload: cpu-utilization
dataset: NAME                         # the line of datasets that grows
model: cpu-utilization-NAME           # predicts each row (perfcast collect follow --url …); leave out: nobody

# $window is the same in every query: load and CPU are averaged over the same seconds.
step: 60s                             # from one row to the next
window: 60s                           # four scrapes or more
lag: 90s                              # how old an instant must be before it is asked for

features:
  request_rate: sum(rate(http_requests_total{job="NAME"}[$window]))
  active_users: sum(avg_over_time(shop_active_users{job="NAME"}[$window]))
  db_connections: sum(avg_over_time(shop_db_connections{job="NAME"}[$window]))
# hour_sin … is_business_hour come from each row's time (SERVICE_TIMEZONE)

target: sum(rate(process_cpu_seconds_total{job="NAME"}[$window]))   # CPU cores in use …
capacity: 2                           # … of so many: a number, or PromQL such as
#          sum(kube_pod_container_resource_limits{resource="cpu", namespace="NAME"})
"""


def example(name: str) -> str:
    """The file for a service of that name."""
    return _EXAMPLE.replace("NAME", name)
