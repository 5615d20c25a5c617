import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cgroupFiles, cpuSeconds, hostCpuSeconds, hostMemoryBytes, memoryBytes } from './cgroup.ts'

test('control groups of the first kind', () => {
  const files = cgroupFiles('12:pids:/docker/abc\n4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n')
  assert.deepEqual(files, {
    version: 1,
    cpu: '/sys/fs/cgroup/cpuacct/docker/abc/cpuacct.usage',
    memory: '/sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes',
    memoryStat: '/sys/fs/cgroup/memory/docker/abc/memory.stat',
  })
  assert.equal(cpuSeconds('1500000000\n', 1), 1.5)
  assert.equal(memoryBytes('1000\n', 'cache 700\ntotal_inactive_file 300\n', 1), 700)
})

test('control groups of the second kind', () => {
  const files = cgroupFiles('0::/system.slice/docker-abc.scope\n')
  assert.equal(files?.version, 2)
  assert.equal(files?.cpu, '/sys/fs/cgroup/system.slice/docker-abc.scope/cpu.stat')
  assert.equal(cpuSeconds('usage_usec 2500000\nuser_usec 1\n', 2), 2.5)
  assert.equal(memoryBytes('1000', 'inactive_file 5000\n', 2), 1000)
})

test('a process without a group of its own has nothing to be read', () => {
  assert.equal(cgroupFiles('0::/\n'), undefined)
  assert.equal(cgroupFiles('4:memory:/\n3:cpuacct:/\n'), undefined)
  assert.equal(cgroupFiles(''), undefined)
})

test('the host', () => {
  assert.equal(hostCpuSeconds('cpu  100 0 50 900 30 0 10 0 0 0\ncpu0 1 2 3\n'), 1.6)
  assert.equal(hostMemoryBytes('MemTotal:       1000 kB\nMemAvailable:    400 kB\n'), 600 * 1024)
})
