#!/bin/sh
# Renders the configuration from the environment, then becomes nginx.
set -eu

: "${BACKEND_HOST:?is to be set: the host and port of the service behind, like swtest_api:8080}"
BACKEND_MAX_FAILS=${BACKEND_MAX_FAILS:-0}

sed -e "s|\${BACKEND_HOST}|$BACKEND_HOST|g" -e "s|\${BACKEND_MAX_FAILS}|$BACKEND_MAX_FAILS|g" \
  /etc/nginx/templates/default.conf.template >/etc/nginx/conf.d/default.conf

# nginx looks the name up once, when it starts; the services of a stack are made one after the other.
tries=0
until nslookup "${BACKEND_HOST%:*}" >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ $tries -lt 60 ] || { echo "${BACKEND_HOST%:*} has no address" >&2; exit 1; }
  sleep 0.5
done
exec "$@"
