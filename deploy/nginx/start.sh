#!/bin/sh
# Starts nginx with what depends on the place, written into /tmp/nginx; `start.sh reload` has a running nginx read all of it
# again, certificates too, where something changed: whoever asks on a connection that it closes then gets no answer.
#   site.conf       NGINX_SITE: http (default) or https
#   limits.conf     NGINX_RATE: most requests of one address, such as 100r/s (empty: no limit); NGINX_BURST: at once (200);
#                   what they count in: zones.conf
#   callers.conf    NGINX_REAL_IP_FROM: addresses of proxies before it, such as a CDN's, whose word on the caller is taken
#   upstreams.conf  who is behind it. Replicas come and go: since 1.27.3 nginx looks them up itself, while it runs; an older
#                   one gets their addresses from here, and is told to read them again whenever they change.
set -eu
here=$(dirname "$0")
made=/tmp/nginx
mkdir -p "$made"

at_least() { # VERSION: whether nginx is that new
  [ "$(printf '%s\n%s\n' "$1" "$version" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)" = "$1" ]
}

upstream() { # NAME HOST PORT DIRECTIVES…: one block
  name=$1 host=$2 port=$3
  shift 3
  printf 'upstream %s {\n    zone %s 256k;\n' "$name" "$name"
  printf '    %s;\n' "$@"
  if [ "$looks_up" = yes ]; then
    printf '    server %s:%s resolve max_fails=3 fail_timeout=5s;\n' "$host" "$port"
  else
    addresses=$(getent ahostsv4 "$host" | awk '{print $1}' | sort -u)
    [ -n "$addresses" ] || printf '    server 127.0.0.1:1 down;  # nobody is called %s\n' "$host"
    for address in $addresses; do printf '    server %s:%s max_fails=3 fail_timeout=5s;\n' "$address" "$port"; done
  fi
  printf '    keepalive 64;\n}\n'
}

upstreams() {
  [ "$looks_up" = no ] || printf 'resolver %s valid=1s ipv6=off;\nresolver_timeout 2s;\n' "$resolver"
  # Not `consistent`: that takes all addresses of one name for one server.
  # shellcheck disable=SC2016  # nginx's variable
  upstream ui ui 8501 'hash $ui_key'
  upstream api ml-api 8000 least_conn
  upstream grafana grafana 3000 least_conn
}

prepare() {
  cp "$here/${NGINX_SITE:-http}.conf" "$made/site.conf"
  if at_least 1.25.1; then echo 'http2 on;'; fi > "$made/http2.conf"
  for name in callers zones limits; do : > "$made/$name.conf"; done
  if [ -n "${NGINX_REAL_IP_FROM:-}" ]; then
    # shellcheck disable=SC2086  # several words
    printf 'set_real_ip_from %s;\n' $NGINX_REAL_IP_FROM > "$made/callers.conf"
    printf 'real_ip_header X-Forwarded-For;\nreal_ip_recursive on;\n' >> "$made/callers.conf"
  fi
  if [ -n "${NGINX_RATE:-}" ]; then
    cat > "$made/zones.conf" << ZONES
limit_req_zone \$binary_remote_addr zone=requests:10m rate=$NGINX_RATE;
limit_conn_zone \$binary_remote_addr zone=connections:10m;
limit_req_status 429;
limit_conn_status 429;
ZONES
    cat > "$made/limits.conf" << LIMITS
limit_req zone=requests burst=${NGINX_BURST:-200} nodelay;
limit_conn connections 200;
LIMITS
  fi
}

sum() { cat "$here"/*.conf "$here"/parts/* "$made/limits.conf" /run/secrets/tls_* 2> /dev/null | cksum; }

version=$(nginx -v 2>&1 | sed 's|.*/||; s| .*||')
resolver=$(awk '$1 == "nameserver" { print ($2 ~ /:/ ? "[" $2 "]" : $2); exit }' /etc/resolv.conf)
if at_least 1.27.3; then looks_up=yes; else looks_up=no; fi
prepare
asked=${1:-}
set -- nginx -c "$here/nginx.conf" -e /dev/stderr
if [ "$asked" = reload ]; then
  [ "$(sum)" != "$(cat "$made/sum")" ] || exit 0
  "$@" -s reload && sum > "$made/sum"
  exit
fi
upstreams > "$made/upstreams.conf"
sum > "$made/sum"
[ "$looks_up" = no ] || exec "$@" -g 'daemon off;'

"$@" -g 'daemon off;' &
nginx=$!
trap 'kill -QUIT "$nginx"' QUIT TERM INT
while kill -0 "$nginx" 2> /dev/null; do
  upstreams > "$made/upstreams.new"
  if ! cmp -s "$made/upstreams.new" "$made/upstreams.conf"; then
    mv "$made/upstreams.new" "$made/upstreams.conf"
    "$@" -s reload || echo 'nginx did not take the changed addresses' >&2
  fi
  sleep 1 & wait $! || true
done
wait "$nginx"
