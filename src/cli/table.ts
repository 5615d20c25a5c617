/** Rows under their headings, in columns as wide as they must be: the form of docker's own lists. */
export function table(columns: readonly string[], rows: readonly Readonly<Record<string, string>>[]): string {
  const width = (column: string) => Math.max(column.length, ...rows.map((row) => (row[column] ?? '').length))
  const widths = new Map(columns.map((column) => [column, width(column)]))
  const line = (cell: (column: string) => string) =>
    columns
      .map((column) => cell(column).padEnd(widths.get(column) ?? 0))
      .join('   ')
      .trimEnd()
  return [line((column) => column), ...rows.map((row) => line((column) => row[column] ?? ''))].join('\n')
}
