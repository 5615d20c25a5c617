/** What a person wants to read of HAProxy's output: its complaints, without dates, process numbers and our own files. */
export function wordsOf(output: string): string {
  const alerts = output
    .split('\n')
    .filter((line) => line.startsWith('[ALERT]'))
    .map((line) => line.replace(/^\[ALERT\]\s+\(\d+\) : /, '').replace(/^config : /, ''))
    .filter((line) => !/^(Fatal errors|Error\(s\) found|\[haproxy\.main\(\)\] Some protocols)/.test(line))
    .map((line) =>
      line.replace(
        /^Binding \[\S+\] for frontend \S+: cannot bind socket \((.*)\) for \[(.*)\]$/,
        (_, why: string, place: string) =>
          /in use/.test(why)
            ? `it cannot listen at ${place}: another program of this host does`
            : `it cannot listen at ${place}: ${why}`,
      ),
    )
  return alerts.slice(0, 3).join('; ').slice(0, 600)
}
