#!/usr/bin/env bash
# One command from a checkout to a running service.
#   ./deploy.sh                builds and starts everything on this machine: http://localhost
#   ./deploy.sh production     the same with TLS, keys, limits and the passwords in secrets/
#   ./deploy.sh secrets        makes secrets/ for production; what is there already stays
# Each run is a release with a tag of its own. Replicas of the API are replaced one after another, each when the next is
# ready, so callers notice nothing. A release that answers has its tag in .env, where compose finds it; one that isn't ready
# in time is taken back: the one before is started again.
# Variables: DEPLOY_TAG (start images of that tag instead of building), DEPLOY_SECONDS (600), DEPLOY_SERVICES (some of
# them only), COMPOSE (the program), COMPOSE_FILE (further files), and those of docker-compose.yml.
set -euo pipefail
cd "$(dirname "$0")"

images=(cnn-predictor perfcast-worker perfcast-ui)
secrets=(database_url postgres_password redis_url redis_conf api_key grafana_password)

say() { printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"; }
fail() {
  printf 'deploy: %s\n' "$*" >&2
  exit 1
}

setting() { # NAME DEFAULT: from the environment, else from .env
  local kept=""
  [ ! -f .env ] || kept=$(sed -n "s/^$1=//p" .env | tail -n 1 | sed 's/ #.*//; s/^"\(.*\)"$/\1/')
  printf '%s' "${!1:-${kept:-$2}}"
}

find_compose() {
  local candidate
  [ -z "${COMPOSE:-}" ] || { read -ra compose <<< "$COMPOSE" && return; }
  for candidate in "docker compose" docker-compose podman-compose; do
    read -ra compose <<< "$candidate"
    "${compose[@]}" version > /dev/null 2>&1 && return
  done
  fail "neither docker compose nor podman-compose is here; install one of them, or name it in COMPOSE"
}

make_secrets() {
  local password name
  install -d -m 700 secrets secrets/acme # others on this machine stop here; the accounts inside containers don't
  chmod 755 secrets/acme
  write() { # NAME: what comes in, unless the file is there
    if [ -s "secrets/$1" ]; then
      cat > /dev/null
    else
      cat > "secrets/$1" && chmod 444 "secrets/$1" && say "made secrets/$1"
    fi
  }
  random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
  for name in postgres_password redis_password api_key grafana_password; do random | write "$name"; done
  password=$(cat secrets/postgres_password)
  printf 'postgresql://perfcast:%s@postgres/perfcast\n' "$password" | write database_url
  password=$(cat secrets/redis_password)
  printf 'redis://:%s@redis:6379/0\n' "$password" | write redis_url
  printf 'dir /data\nappendonly yes\nrequirepass %s\n' "$password" | write redis_conf
  say "still yours to bring: secrets/tls_certificate (with its chain) and secrets/tls_key"
}

check_secrets() {
  local name
  for name in "${secrets[@]}" tls_certificate tls_key; do
    [ -s "secrets/$name" ] || fail "secrets/$name is missing or empty; ./deploy.sh secrets makes all but the certificate"
  done
  for name in "${secrets[@]}"; do
    ! cmp -s "secrets/$name" "deploy/development/$name" || fail "secrets/$name is the development one: choose your own"
  done
}

check_ports() { # only where nothing of ours is
  local port
  [ -z "$(replicas)" ] && [ -z "$(setting DEPLOY_SERVICES "")" ] || return 0
  for port in "${ports[@]/#/$host/}" "localhost/$(setting PORT_GRAFANA 3000)" "localhost/$(setting PORT_PROMETHEUS 9090)" \
    "localhost/$(setting PORT_ALERTMANAGER 9093)"; do
    ! (exec 3<> "/dev/tcp/$port") 2> /dev/null ||
      fail "port ${port#*/} is in use; stop what listens there (ss -ltnp), or choose another in .env (PORT_HTTP, PORT_API, …)"
  done
}

keep() { # NAME VALUE: from now on in .env, which may hold what others needn't read
  local rest
  [ -e .env ] || (umask 077 && touch .env)
  rest=$(grep -v "^$1=" .env || true)
  printf '%s\n' ${rest:+"$rest"} "$1=$2" > .env
}

ask() { curl --noproxy '*' --silent --insecure --max-time 5 "$@"; }

answers() { ask --fail --output /dev/null "$api/readyz"; } # asked the way its users ask

is_ready() { # the same of everything
  answers && ask --fail --output /dev/null "$site/_stcore/health"
}

is_ready_inside() { # CONTAINER: of one replica
  "$engine" exec "$1" python -SIc "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)" > /dev/null 2>&1
}

wait_until() { # WHAT COMMAND...: until the command says yes; false when the time is over
  local begun=$SECONDS told=0 what=$1
  shift
  until "$@"; do
    ((SECONDS - begun < ${DEPLOY_SECONDS:-600})) || return 1
    if ((SECONDS - begun >= told + 15)); then
      told=$((SECONDS - begun))
      say "$what isn't ready yet, after $told s: $(ask "$api/readyz" || echo "nobody answers at $api")"
    fi
    sleep 1
  done
  say "$what is ready, after $((SECONDS - begun)) s"
}

compose_up() { "${compose[@]}" up -d --no-build "$@"; }

containers() { # SERVICE [FLAGS...]: names and images of those that run
  "$engine" ps "${@:2}" --format '{{.Names}} {{.Image}}' --filter "label=com.docker.compose.service=$1" \
    --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" | sort -V
}

replicas() { # names of the API's containers, running or not
  containers ml-api -a | cut -d ' ' -f 1 | { grep -E 'ml-api[-_][0-9]+$' || true; } # none of `compose run`
}

end() { # CONTAINER: it finishes what it has begun
  "$engine" stop -t 40 "$1" > /dev/null && "$engine" rm "$1" > /dev/null
}

until_asked() { # CONTAINERS...: until they are ready, and nginx has seen it
  local container
  for container in "$@"; do wait_until "$container" is_ready_inside "$container" || return 1; done
  sleep 3
}

another() { # COUNT: as many replicas of the API; those there are stay as they are
  local before created
  before=$(replicas)
  compose_up --no-recreate --scale "ml-api=$1" ml-api > /dev/null || return 1
  mapfile -t created < <(comm -13 <(sort <<< "$before") <(replicas | sort))
  [ ${#created[@]} -gt 0 ] && until_asked "${created[@]}"
}

renew_replicas() { # with one more of the new meanwhile; where nobody answers there is nobody to do that for
  local count old
  mapfile -t old < <(replicas)
  [ ${#old[@]} -gt 0 ] && answers || return 0
  count=$((${#old[@]} + 1))
  another "$count" || return 1
  while [ ${#old[@]} -gt 0 ]; do
    end "${old[0]}" || return 1
    old=("${old[@]:1}")
    [ ${#old[@]} -eq 0 ] || another "$count" || return 1
  done
}

remove_surplus() { # replicas above the wished number, which podman-compose leaves
  local all container
  mapfile -t all < <(replicas)
  [ ${#all[@]} -gt "$wished" ] || return 0
  until_asked "${all[@]:0:wished}" || return 1
  for container in "${all[@]:wished}"; do end "$container" || return 1; done
}

reload() { # who reads files of this folder, which compose doesn't look into
  local container
  for container in $(containers nginx --filter status=running | cut -d ' ' -f 1); do
    "$engine" exec "$container" sh /etc/nginx/perfcast/start.sh reload || return 1
  done
  for container in $({ containers prometheus && containers alertmanager; } | cut -d ' ' -f 1); do
    "$engine" exec "$container" sh -c 'kill -HUP 1' || true # one that is just being started reads them anyway
  done
}

release() { # TAG: that is what compose starts
  export TAG=$1
  say "starting $TAG"
  # shellcheck disable=SC2046  # several words
  reload && renew_replicas && compose_up --scale "ml-api=$wished" $(setting DEPLOY_SERVICES "") && remove_surplus &&
    wait_until "everything" is_ready
}

deploy() {
  local before tag
  before=$(containers ml-api | head -n 1 | sed 's/.*://') # to go back to
  [ -z "$before" ] || before=$(setting TAG "$before")
  tag=${DEPLOY_TAG:-$(date -u +%Y%m%d-%H%M%S)}
  mkdir -p "$(setting MODELS_DIR ./CNN_Algorithms)"
  if [ -z "${DEPLOY_TAG:-}" ]; then
    say "building ${images[*]} as $tag"
    REVISION=$(git rev-parse HEAD 2> /dev/null || echo unknown) TAG=$tag "${compose[@]}" build
  fi
  if release "$tag"; then
    keep TAG "$tag"
    say "deployed $tag: look at $site, ask $api (documentation: $api/docs)"
    return
  fi
  "${compose[@]}" logs --tail 20 ml-api worker ui nginx >&2 || true
  [ -n "$before" ] || fail "$tag did not become ready; it is left as it is, for you to look at"
  say "$tag did not become ready; going back to $before"
  release "$before" && fail "$tag did not become ready; $before serves again"
  fail "neither $tag nor $before became ready: look at ${compose[*]} logs"
}

kind=${1:-development}
case $kind in
  development | production) ;;
  secrets) make_secrets; exit ;;
  *) sed -n '2,11s/^# \{0,1\}//p' "$0" && exit 2 ;;
esac
command -v curl > /dev/null || fail "curl is missing"
find_compose
case ${compose[*]} in *podman*) engine=podman ;; *) engine=docker ;; esac

[ "$kind" = development ] || BIND_ADDRESS=$(setting BIND_ADDRESS 0.0.0.0) # production is for others
host=$(setting BIND_ADDRESS localhost)
case $host in 0.0.0.0 | 127.0.0.1) host=localhost ;; esac
if [ "$kind" = production ]; then
  COMPOSE_FILE=$(setting COMPOSE_FILE docker-compose.yml:docker-compose.prod.yml)
  COMPOSE_PROJECT_NAME=$(setting COMPOSE_PROJECT_NAME perfcast-production)
  ports=("$(setting PORT_HTTPS 443)" "$(setting PORT_API 8000)" "$(setting PORT_HTTP 80)" "$(setting PORT_UI 8501)")
  site=https://$host:${ports[0]} api=https://$host:${ports[1]} wished=2
  site=${site%:443}
else
  COMPOSE_FILE=$(setting COMPOSE_FILE docker-compose.yml)
  COMPOSE_PROJECT_NAME=$(setting COMPOSE_PROJECT_NAME perfcast)
  ports=("$(setting PORT_HTTP 80)" "$(setting PORT_API 8000)" "$(setting PORT_UI 8501)")
  site=http://$host:${ports[0]} api=http://$host:${ports[1]} wished=1
  site=${site%:80}
fi
case $kind$COMPOSE_FILE in
  production*docker-compose.prod.yml*) check_secrets ;;
  production*) fail "COMPOSE_FILE is $COMPOSE_FILE, without docker-compose.prod.yml" ;;
  *docker-compose.prod.yml*) fail "this is a production (COMPOSE_FILE in .env): ./deploy.sh production" ;;
esac
export COMPOSE_FILE COMPOSE_PROJECT_NAME
running=$(containers ml-api | wc -l)
wished=$(setting API_REPLICAS "$((running > wished ? running : wished))")
check_ports
trap 'fail "interrupted; run it again"' INT TERM
keep API_REPLICAS "$wished"
if [ "$kind" = production ]; then
  export BIND_ADDRESS
  keep COMPOSE_FILE "$COMPOSE_FILE" # for compose by hand
  [ "$engine" = podman ] || keep BIND_ADDRESS "$BIND_ADDRESS" # podman-compose doesn't read the files from there
fi
deploy
