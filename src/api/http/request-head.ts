/** The head of a request, read from a connection's first bytes. */
export interface RequestHead {
  readonly method: string
  readonly url: string
  /** Name, value, name, value …, as sent. */
  readonly rawHeaders: readonly string[]
  /** What came behind the head. */
  readonly rest: Buffer
}

/**
 * Undefined unless the bytes hold a whole head of plain HTTP/1.1; whoever calls then leaves the bytes to a real
 * parser, which knows how to refuse. What this accepts must mean the same to every parser behind it (RFC 9112, 11.2).
 */
export function parseHead(bytes: Buffer): RequestHead | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const request = /^([A-Z]+) (\/[\x21-\x7e]*) HTTP\/1\.1$/.exec(first)
  if (request?.[1] === undefined || request[2] === undefined) return undefined
  const rawHeaders: string[] = []
  for (const line of lines) {
    const header = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\x20-\x7e\t]*)$/.exec(line)
    if (header?.[1] === undefined || header[2] === undefined) return undefined
    rawHeaders.push(header[1], header[2].trimEnd())
  }
  return { method: request[1], url: request[2], rawHeaders, rest: bytes.subarray(end + 4) }
}
