import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { TestCluster } from '../support/cluster.ts'

let cluster: TestCluster
const mure = join(import.meta.dirname, '..', '..', 'mure')
const image = 'registry:5000/registry'
const app = 'localhost:5000/app'

before(async () => {
  cluster = await TestCluster.up({ name: 'e2eregistry', managers: 1, workers: 1 })
})
after(() => cluster[Symbol.asyncDispose]())

const registry = (...args: string[]) => cluster.run('manager01', mure, 'registry', ...args)
const shell = (host: string, script: string) => cluster.run(host, 'sh', '-c', script)
/** What a command says, whether it fails or not. */
const said = (host: string, command: string) => shell(host, `${command} 2>&1 || true`)

const untilAnswers = (host: string, url: string, expected: string) =>
  cluster.until('the registry to answer', async () => {
    const answer = await said(host, `curl -sSk -m 2 ${url}/v2/`)
    return answer.includes(expected) || answer
  })

const buildAndPush = (host: string, text: string) =>
  shell(
    host,
    `printf 'FROM registry:5000/busybox\\nRUN echo ${text} >/text\\nCMD ["sleep", "100000"]\\n' |
     DOCKER_BUILDKIT=0 docker build --quiet --tag ${app} - && docker push --quiet ${app}`,
  )

test('a registry in the cluster is pushed to and pulled from on every node', async () => {
  const made = await registry('create', '--image', image)
  assert.match(made, /^registry "registry" runs on manager01; every node knows it as localhost:5000$/m)
  await untilAnswers('worker01', 'http://localhost:5000', '{}')
  await buildAndPush('worker01', 'one')
  await cluster.docker('manager01', 'service', 'create', '-q', '-d', '--name', 'app', '--mode', 'global', app)
  await cluster.untilRunning('manager01', 'app', 2)
  await cluster.docker('manager01', 'service', 'rm', 'app')
  assert.match(await registry('ls'), /^registry +localhost:5000 +manager01 +running$/m)
  assert.equal(await registry('ls', 'registry'), `${app}:latest\n`)
})

test('garbage is removed, and what has a tag stays', async () => {
  await buildAndPush('worker01', 'two')
  assert.match(await registry('gc'), /^registry: [1-9]\d* blobs removed$/m)
  await cluster.docker('manager01', 'pull', '-q', app)
  assert.equal(await cluster.docker('manager01', 'run', '--rm', app, 'cat', '/text'), 'two')
})

test('a registry that is full says so to who pushes, and goes on giving what it has', async () => {
  const reserve = 'MURE_REGISTRY_RESERVE_MIB=999999999'
  await cluster.docker('manager01', 'service', 'update', '-q', '--env-add', reserve, 'registry')
  await untilAnswers('worker01', 'http://localhost:5000', '{}')
  await shell(
    'worker01',
    `printf 'FROM ${app}\\nRUN echo 3 >/three\\n' | DOCKER_BUILDKIT=0 docker build -qt ${app}:3 -`,
  )
  assert.match(await said('worker01', `docker push ${app}:3`), /denied: the registry is full: remove images/)
  await cluster.docker('manager01', 'rmi', '-f', app)
  await cluster.docker('manager01', 'pull', '-q', app)
  assert.match(
    await registry('rm', 'registry'),
    /images are still in the volume mure-registry-registry on manager01/,
  )
})

test('with TLS and a login, only who has logged in may push', async () => {
  const certificate =
    'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -subj /CN=localhost ' +
    '-addext subjectAltName=DNS:localhost -keyout /run/key.pem -out /run/cert.pem 2>/dev/null'
  await shell('manager01', certificate)
  const options = `--image ${image} --name safe --port 5003 --node worker01 --user alice`
  const tls = '--tls-certificate /run/cert.pem --tls-key /run/key.pem'
  const made = await shell('manager01', `echo secret | ${mure} registry create ${options} ${tls}`)
  assert.match(made, /runs on worker01; every node knows it as localhost:5003/)
  await untilAnswers('manager01', 'https://localhost:5003', 'UNAUTHORIZED')
  const docker = 'env DOCKER_CONFIG=/run/docker-config docker'
  await cluster.docker('manager01', 'pull', '-q', 'registry:5000/busybox')
  await shell('manager01', 'docker tag registry:5000/busybox localhost:5003/busybox')
  assert.match(await said('manager01', `${docker} push localhost:5003/busybox`), /no basic auth credentials/)
  const login = (password: string) =>
    `echo ${password} | ${docker} login --username alice --password-stdin localhost:5003`
  assert.match(await said('manager01', login('wrong')), /unauthorized/i)
  assert.match(await said('manager01', login('secret')), /Login Succeeded/)
  assert.match(await said('manager01', `${docker} push localhost:5003/busybox`), /latest: digest: sha256:/)
  assert.equal(await registry('ls', 'safe'), 'localhost:5003/busybox:latest\n')
  await registry('rm', 'safe')
  assert.equal(await cluster.docker('manager01', 'secret', 'ls', '-q'), '')
  assert.match(await said('manager01', `${mure} registry ls safe`), /there is no registry "safe"/)
})
