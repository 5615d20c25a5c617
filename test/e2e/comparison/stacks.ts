import { join } from 'node:path'
import { docker, settling } from './case.ts'
import type { Case } from './case.ts'
import { image } from './services.ts'

const file = (name: string) => `--compose-file ${join(import.meta.dirname, 'stacks', name)}`
const deploy = 'stack deploy --detach --resolve-image never'

/** The CLI goes through what a file names in the order that chance gives a map of Go's. */
const inAnyOrder = (one: Case): Case => ({
  ...one,
  async run(host) {
    const outcome = await one.run(host)
    if (!('exit' in outcome) || typeof outcome.stdout !== 'string') return outcome
    return { ...outcome, stdout: outcome.stdout.split('\n').sort() }
  },
})

/** A stack from its standard input, which is not there or wrong in some place. */
const refused = (text: string): Case => inAnyOrder(docker(`${deploy} --compose-file - refused`, text))

const of = (service: string) => `version: "3.8"\nservices:\n  web:\n    image: ${image}\n${service}`

export const stacks: readonly Case[] = [
  docker('stack ls'),
  docker('stack ps none'),
  docker('stack services none'),
  docker('stack rm none'),
  docker(`stack config ${file('base.yaml')}`),
  docker(`stack config ${file('base.yaml')} ${file('more.yaml')}`),
  inAnyOrder(docker(`${deploy} ${file('base.yaml')} front`)),
  docker('stack ls'),
  docker("stack ls --format '{{.Name}} {{.Services}} {{.Orchestrator}} {{.Namespace}}'"),
  docker('stack ls --format json'),
  settling(docker('stack services front')),
  docker('stack services -q front'),
  docker('stack services --filter name=front_web front'),
  docker('stack services --filter mode=replicated front'),
  docker('stack services --filter label=tier=front front'),
  docker('stack services --filter color=red front'),
  docker("stack services --format '{{.Name}} {{.Mode}} {{.Replicas}} {{.Image}} {{.Ports}}' front"),
  settling(docker("stack ps --format '{{.Name}} {{.Image}} {{.DesiredState}} {{.Error}}' front")),
  docker('stack ps -q front'),
  docker('stack ps --no-trunc --no-resolve front'),
  docker('stack ps --filter name=front_never front'),
  docker('stack ps --filter desired-state=shutdown front'),
  docker('stack ps --filter color=red front'),
  docker('service inspect front_web'),
  docker('network inspect front_inner'),
  docker('config inspect front_page'),
  docker('secret inspect front_key'),
  inAnyOrder(docker(`${deploy} ${file('base.yaml')} ${file('more.yaml')} front`)),
  docker('service inspect front_web'),
  docker('service inspect front_extra'),
  inAnyOrder(docker(`${deploy} --prune ${file('base.yaml')} front`)),
  settling(docker("stack services --format '{{.Name}} {{.Mode}} {{.Replicas}}' front")),
  docker('network rm front_inner'),
  docker('secret rm front_key'),
  docker('config rm front_page'),
  inAnyOrder(docker('stack rm front')),
  settling(docker('stack ls')),
  inAnyOrder(docker(`${deploy} ${file('absent.yaml')} front`)),
  inAnyOrder(docker(`${deploy} front`)),
  inAnyOrder(docker(`${deploy} --resolve-image odd ${file('base.yaml')} front`)),
  inAnyOrder(docker(`${deploy} ${file('base.yaml')} 'bad name'`)),
  refused(''),
  refused('services: ['),
  refused('version: "1"\nservices: {}\n'),
  refused('version: "3.8"\n'),
  refused(of('    colour: red\n')),
  refused(of('    ports: ["x:y"]\n')),
  refused(of('    build: .\n    networks: [nowhere]\n')),
  refused(of('    secrets: [nothing]\n')),
  refused(of('networks:\n  default:\n    external: true\n    name: nowhere\n')),
  refused(of('    secrets: [key]\nsecrets:\n  key:\n    external: true\n')),
  refused(of('    deploy:\n      placement:\n        constraints: ["broken"]\n')),
  inAnyOrder(docker('stack rm refused')),
]
