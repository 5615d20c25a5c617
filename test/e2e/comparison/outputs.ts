import { api, docker, settling, withHeaders } from './case.ts'
import type { Case } from './case.ts'
import { image } from './services.ts'

const encoded = (text: string): string => Buffer.from(text).toString('base64url')
const spec = (name: string) => ({
  Name: name,
  TaskTemplate: { ContainerSpec: { Image: image } },
  Mode: { Replicated: { Replicas: 0 } },
})

/** Credentials that a request brings: none of them is what a registry would take. */
export const credentials: readonly Case[] = [
  '',
  'nonsense',
  '!!!',
  encoded('{'),
  encoded('[]'),
  encoded('{}'),
  encoded('{"username":5}'),
  encoded('{"username":"a","password":"b"}'),
  encoded('{"username":"a","password":"b","serveraddress":"elsewhere"}'),
  encoded('{"auth":"!!!"}'),
  encoded('{"identitytoken":"x"}'),
].flatMap((header) => [
  withHeaders({ 'X-Registry-Auth': header }, 'POST', '/services/create', spec('credited')),
  withHeaders({ 'X-Registry-Auth': header }, 'GET', '/services/credited'),
  withHeaders(
    { 'X-Registry-Auth': header },
    'POST',
    '/services/credited/update?version={version:services/credited}',
    spec('credited'),
  ),
  withHeaders({}, 'DELETE', '/services/credited'),
])

const print = `printf 'one\\ntwo\\n'; printf 'wrong\\n' >&2; exec sleep 1000`

export const logs: readonly Case[] = [
  docker(
    `service create --quiet --no-resolve-image --name said --env COLOUR=red --label a=b --container-label c=d --log-opt env=COLOUR --log-opt labels=c --stop-grace-period 0s --entrypoint sh ${image} -c '${print}'`,
  ),
  settling(docker('service logs --raw said')),
  docker('service logs said'),
  docker('service logs --no-trunc --no-task-ids said'),
  docker('service logs --no-resolve said'),
  docker('service logs --no-task-ids --no-resolve said'),
  docker('service logs --details --no-task-ids said'),
  docker('service logs --details --raw said'),
  docker('service logs --timestamps --raw said'),
  docker('service logs --timestamps --details --raw said'),
  docker('service logs --tail 1 --raw said'),
  docker('service logs --tail 0 --raw said'),
  docker('service logs --tail all --raw said'),
  docker('service logs --tail -1 --raw said'),
  docker('service logs --tail x --raw said'),
  docker('service logs --since 1h --raw said'),
  docker('service logs --since 2100-01-01 --raw said'),
  docker('service logs --since x --raw said'),
  api('GET', '/services/said/logs?stdout=1&details=1'),
  api('GET', '/services/said/logs?stderr=1'),
  api('GET', '/services/said/logs?stdout=1&stderr=1&timestamps=1'),
  docker('service rm said'),
  docker(
    `service create --quiet --no-resolve-image --tty --name tty --stop-grace-period 0s --entrypoint sh ${image} -c '${print}'`,
  ),
  settling(docker('service logs --raw tty')),
  docker('service logs tty'),
  docker('service logs --timestamps tty'),
  docker('service rm tty'),
]

const row = "'{{.ID}} {{.Name}} {{.Mode}} {{.Replicas}} {{.Image}} {{.Ports}}'"
const taskRow = "'{{.Name}} {{.Image}} {{.Node}} {{.DesiredState}} {{.CurrentState}} {{.Error}} {{.Ports}}'"

/** Of the progress that the CLI shows, how it begins and ends: what lies between is what it happened to see. */
const progress = (line: string): Case => {
  const one = docker(line)
  return {
    ...one,
    async run(host) {
      const outcome = await one.run(host)
      if (!('exit' in outcome) || typeof outcome.stdout !== 'string') return outcome
      const lines = outcome.stdout.split('\n').filter((text) => text.trim() !== '')
      return { ...outcome, stdout: [lines[0], lines.at(-1)] }
    },
  }
}

/** What the CLI makes of a job, of an update and of what is shown in other forms. */
export const outputs: readonly Case[] = [
  docker("system df --format '{{.Type}}'"),
  progress(
    `service create --no-resolve-image --name shown --publish 8088:80 --update-monitor 1s --rollback-monitor 1s --stop-grace-period 0s ${image}`,
  ),
  settling(docker(`service ls --format ${row}`)),
  docker('service ls --format json'),
  docker("service ls --format 'table {{.Name}}\\t{{.Ports}}'"),
  docker("service ls --format '{{.Odd}}'"),
  docker(`service ps --format ${taskRow} shown`),
  docker('service ps --format json --no-trunc shown'),
  docker("service ps --format 'table {{.Name}}\\t{{.Node}}' shown"),
  docker("service ps --format '{{.Odd}}' shown"),
  // By name: Docker may keep a task of a global job whose service was removed before.
  docker(`node ps --filter name=shown --format ${taskRow} self`),
  docker('node ps --filter name=shown -q self'),
  docker('node ps --filter name=shown --no-resolve self'),
  docker('node ps --no-trunc --filter name=shown self'),
  docker('node ps --filter name=shown --filter desired-state=running self'),
  docker('node ps --filter label=a self'),
  docker('node ps --filter id=zzz self'),
  docker('node ps --filter name=shown self nobody'),
  docker('inspect shown'),
  docker('inspect --type service shown'),
  docker('inspect --type task shown'),
  docker('inspect --type node self'),
  docker('inspect --type secret nope'),
  docker('inspect --type odd shown'),
  docker('inspect {host}'),
  docker("inspect --format '{{.Spec.Name}}' shown"),
  progress('service update --no-resolve-image --label-add a=b shown'),
  progress('service update --no-resolve-image --env-add A=b shown'),
  docker('service inspect --pretty shown'),
  progress('service rollback shown'),
  docker('service inspect --pretty shown'),
  progress('service scale shown=2'),
  progress('service scale shown=0'),
  docker('service rm shown'),
  progress(
    `service create --no-resolve-image --name hosted --publish mode=host,target=81,published=8181 --stop-grace-period 0s ${image}`,
  ),
  docker(`service ps --format ${taskRow} hosted`),
  docker('service ps --format json --no-trunc hosted'),
  docker('service rm hosted'),
  progress(
    `service create --no-resolve-image --mode replicated-job --replicas 2 --name done --entrypoint true ${image}`,
  ),
  settling(docker(`service ls --format ${row} --filter name=done`)),
  settling(docker("service ps --format '{{.Name}} {{.DesiredState}} {{.Error}}' done")),
  docker('service inspect --pretty done'),
  progress('service scale done=3'),
  progress('service update --force done'),
  settling(docker(`service ls --format ${row} --filter name=done`)),
  docker('service rollback --detach done'),
  progress(
    `service create --no-resolve-image --mode global-job --name gone --entrypoint true --restart-condition none ${image}`,
  ),
  settling(docker(`service ls --format ${row} --filter name=gone`)),
  docker('service update --detach --replicas 2 gone'),
  docker('service inspect --pretty gone'),
  docker('service rm done gone'),
  ...(['secret', 'config'] as const).flatMap((kind) => [
    docker(`${kind} create --template-driver golang --label a=b shaped -`, '{{.Service.Name}} {{env "A"}}'),
    docker(`${kind} create --template-driver odd wrong -`, 'x'),
    docker(`${kind} inspect --pretty shaped`),
    docker(`${kind} ls --format json`),
    docker(`inspect --type ${kind} shaped`),
  ]),
  docker(
    `service create --quiet --no-resolve-image --name shaped --env A=b --secret shaped --config source=shaped,target=/shaped --stop-grace-period 0s --entrypoint sh ${image} -c 'cat /shaped /run/secrets/shaped; exec sleep 1000'`,
  ),
  settling(docker('service logs --raw shaped')),
  docker('secret rm shaped'),
  docker('config rm shaped'),
  docker('service rm shaped'),
  settling(docker('secret rm shaped')),
  settling(docker('config rm shaped')),
]
