#!/bin/sh
# Renders the configuration from the environment, then becomes HAProxy.
set -eu

: "${BACKEND_HOST:?is to be set: the service that requests go to and its port, like swtest_nginx:80}"
STATS_AUTH=${STATS_AUTH:-admin:workshop}

folder=/usr/local/etc/haproxy
sed -e "s|\${BACKEND_HOST}|$BACKEND_HOST|g" -e "s|\${STATS_AUTH}|$STATS_AUTH|g" \
  $folder/haproxy.cfg.template >$folder/haproxy.cfg
exec "$@"
