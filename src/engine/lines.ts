/** The lines of a stream of bytes, without the empty ones. Unlike readline it fails when the stream breaks off. */
export async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) if (part !== '' && part !== '\r') yield part
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}
