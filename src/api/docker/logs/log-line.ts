import type { Task } from '#model/task.ts'

/** One line of a task's log. */
export interface LogLine {
  readonly stream: 'stdout' | 'stderr'
  /** RFC 3339 with nine decimals, as engines write it: such texts sort as the times do. */
  readonly time: string
  /** What the container's log driver was told to add: `key=value,…`. */
  readonly attributes: string
  readonly text: Buffer
  readonly task: Task
}

export interface LogFormat {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly timestamps: boolean
  readonly details: boolean
  /** Without heads of frames: what a terminal wrote. */
  readonly raw: boolean
}

const streamNumber = { stdout: 1, stderr: 2 } as const

/**
 * The line as Docker sends it: a frame, and in it the time, what it is of, and the text. Clients take the task and its
 * node from the details.
 * @see moby daemon/server/httputils/write_log_stream.go
 */
export function renderLine(line: LogLine, format: LogFormat): Buffer {
  if (!format[line.stream]) return Buffer.alloc(0)
  const head: string[] = []
  if (format.timestamps) head.push(line.time)
  if (format.details) head.push(detailsOf(line))
  const payload = Buffer.concat([Buffer.from(head.map((part) => `${part} `).join('')), line.text])
  if (format.raw) return payload
  const frame = Buffer.alloc(8)
  frame.writeUInt8(streamNumber[line.stream], 0)
  frame.writeUInt32BE(payload.length, 4)
  return Buffer.concat([frame, payload])
}

const detailsOf = ({ attributes, task }: LogLine): string =>
  [
    ...attributes.split(',').filter((attribute) => attribute !== ''),
    `com.docker.swarm.node.id=${task.nodeId}`,
    `com.docker.swarm.service.id=${task.serviceId}`,
    `com.docker.swarm.task.id=${task.meta.id}`,
  ]
    .sort()
    .join(',')

/** A frame of an engine that was asked for times and details: both stand before the text, each with a space behind. */
export function parseFrame(data: Buffer, stream: 'stdin' | 'stdout' | 'stderr', task: Task): LogLine {
  const timeEnd = data.indexOf(0x20)
  const detailsEnd = timeEnd < 0 ? -1 : data.indexOf(0x20, timeEnd + 1)
  return {
    stream: stream === 'stderr' ? 'stderr' : 'stdout',
    time: timeEnd < 0 ? '' : data.subarray(0, timeEnd).toString(),
    attributes: detailsEnd < 0 ? '' : data.subarray(timeEnd + 1, detailsEnd).toString(),
    text: data.subarray(detailsEnd + 1),
    task,
  }
}
