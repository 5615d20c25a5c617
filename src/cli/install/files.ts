/** Where a host keeps what "mure install" puts there. */
export const places = {
  program: '/usr/local/lib/mure',
  command: '/usr/local/bin/mure',
  unit: '/etc/systemd/system/mure.service',
  engineSocketUnit: '/etc/systemd/system/docker.socket.d/mure.conf',
  options: '/etc/default/mure',
  data: '/var/lib/mure',
} as const

const facadeSocket = '/var/run/docker.sock'
export const engineSocket = '/run/mure/engine.sock'

/** The daemon's unit. Its end leaves the containers alone, and etcd ends with it. */
const unit = `[Unit]
Description=Mure, a cluster orchestrator behind the Docker API
Documentation=file:${places.program}/README.md
# Not after docker.service: an engine that comes up starts containers first, and those of our networks need us for it.
After=network-online.target docker.socket
Wants=network-online.target docker.socket

[Service]
Type=exec
# Further options of "mure daemon", such as MURE_OPTS="--host tcp://0.0.0.0:2376 --tlsverify …"
EnvironmentFile=-${places.options}
ExecStart=${places.command} daemon --host unix://${facadeSocket} --engine unix://${engineSocket} $MURE_OPTS
ExecReload=/bin/kill -HUP $MAINPID
KillMode=mixed
TimeoutStopSec=15
Restart=always
RestartSec=1
StartLimitIntervalSec=0
# Beats must go out however busy the containers are.
CPUWeight=1000
OOMScoreAdjust=-500
LimitNOFILE=1048576
TasksMax=infinity

[Install]
WantedBy=multi-user.target
`

/** The engine listens for root alone, and leaves Docker's own socket to Mure. */
const engineSocketUnit = `[Socket]
ListenStream=
ListenStream=${engineSocket}
SocketMode=0600
SocketGroup=root
`

/** Files with their whole content, in the order they are written; they are removed in reverse. */
export const files: readonly { readonly path: string; readonly content: string }[] = [
  { path: places.engineSocketUnit, content: engineSocketUnit },
  { path: places.unit, content: unit },
]
