#!/bin/sh
# The first process of a lab host's supervisor. It is already in the host's own network, mount, UTS and PID
# namespaces; here the rest of the host is laid out, and then its daemons are kept running.
set -eu

mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/mure
mount --bind "$HOST_DIR/docker" /var/lib/docker
mount --bind "$HOST_DIR/mure" /var/lib/mure
mount --bind "$HOST_DIR/etc-docker" /etc/docker
mount --bind "$HOST_DIR/hosts" /etc/hosts
mount --bind "$HOST_DIR/hostname" /etc/hostname
mount --bind "$HOST_DIR/resolv.conf" /etc/resolv.conf
mount -t proc proc /proc
hostname "$HOST_NAME"
ip link set lo up

# Runs a daemon for as long as the host lives, as an init system would.
keep() {
  log=$HOST_DIR/logs/$1.log
  shift
  while :; do
    "$@" >>"$log" 2>&1 || true
    sleep 0.2
  done
}

if [ "$HOST_KIND" = registry ]; then
  keep registry docker-registry serve "$HOST_DIR/registry.yml" &
elif [ "$HOST_KIND" = engine ]; then
  keep dockerd dockerd -H unix:///var/run/docker.sock --cgroup-parent "$HOST_CGROUP" &
else
  keep dockerd dockerd -H unix:///run/mure/engine.sock --cgroup-parent "$HOST_CGROUP" &
  # mured waits for its engine by itself.
  keep mured "$MURE_NODE" --disable-warning=ExperimentalWarning "$MURE_ROOT/src/cli/main.ts" daemon \
    --host unix:///var/run/docker.sock --engine unix:///run/mure/engine.sock \
    --data-dir /var/lib/mure --run-dir /run/mure &
fi
wait
