#!/bin/sh
# Makes a lab host out of the namespaces that it was started in (network, mount, UTS, IPC, PID), and then keeps the
# host's daemons running as an init system would. docker-init is its parent and the host's first process: it buries
# orphans. Both together take 2 MiB, so that a host costs what its daemons cost.
#
# In: HOST_DIR (this host's files on the machine), HOST_NAME, HOST_KIND (mure, engine, registry), HOST_CGROUP,
# MURE_NODE and MURE_ROOT (the program that mured is).
set -eu

mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/mure

# A /sys of this network namespace, below which the machine's control groups and the like are kept.
mkdir /run/sys
mount --rbind /sys /run/sys
mount -t sysfs sysfs /sys
for part in fs/cgroup fs/bpf kernel/security kernel/debug kernel/tracing; do
  if mountpoint -q "/run/sys/$part"; then mount --rbind "/run/sys/$part" "/sys/$part"; fi
done
umount --lazy /run/sys
rmdir /run/sys

# /etc is the machine's with this host's changes on top; what must survive a power cut is this host's alone.
mount -t overlay -o "lowerdir=/etc,upperdir=$HOST_DIR/etc,workdir=$HOST_DIR/etc.work" overlay /etc
# But not the engine's: its key is what tells engines apart.
mkdir -p /etc/docker
mount --bind "$HOST_DIR/etc.docker" /etc/docker
mount --bind "$HOST_DIR/docker" /var/lib/docker
mount --bind "$HOST_DIR/mure" /var/lib/mure

hostname "$HOST_NAME"
# As on any Debian: it is the engine that turns forwarding on, and then drops what it doesn't know. Without this line
# it would depend on the machine that the lab runs on.
echo 0 >/proc/sys/net/ipv4/ip_forward

# From here on it is a host: nobody enters before, when the machine's own /run and /etc could still be seen.
echo "$HOST_NAME" >/run/lab-host

# Runs a daemon for as long as the host lives; /run/NAME.pid is its process, /run/NAME.starts how often it was started.
keep() {
  name=$1
  shift
  starts=0
  while :; do
    starts=$((starts + 1))
    echo $starts >"/run/$name.starts"
    "$@" >>"$HOST_DIR/logs/$name.log" 2>&1 &
    echo $! >"/run/$name.pid"
    wait $! || true
    # A daemon that cannot start must not take a core.
    sleep 0.2
  done
}

case $HOST_KIND in
  registry)
    keep registry docker-registry serve "$HOST_DIR/registry.yml" &
    ;;
  engine)
    keep dockerd dockerd -H unix:///var/run/docker.sock --cgroup-parent "$HOST_CGROUP" &
    ;;
  mure)
    keep dockerd dockerd -H unix:///run/mure/engine.sock --cgroup-parent "$HOST_CGROUP" &
    # mured waits for its engine by itself.
    keep mured "$MURE_NODE" --disable-warning=ExperimentalWarning "$MURE_ROOT/src/cli/main.ts" daemon \
      --host unix:///var/run/docker.sock --engine unix:///run/mure/engine.sock \
      --data-dir /var/lib/mure --run-dir /run/mure --dashboard tcp://0.0.0.0:9000 --metrics tcp://0.0.0.0:9090 &
    ;;
esac
wait
