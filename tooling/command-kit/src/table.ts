export interface TableOptions {
  /** Alignment of each column. Default: the first left, the others right. */
  readonly align?: readonly ('left' | 'right')[];
}

/**
 * A table of plain text: columns as wide as their longest cell, a rule under the heading.
 *
 * @param rows cells; a missing cell is empty
 * @returns lines, without a line break at the end
 */
export function textTable(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  { align = heading.map((_, column) => (column === 0 ? 'left' : 'right')) }: TableOptions = {},
): string {
  const widths = heading.map((title, column) =>
    Math.max(...[title, ...rows.map((row) => row[column] ?? '')].map(length)),
  );
  const line = (cells: readonly string[]) =>
    widths
      .map((width, column) => {
        const cell = cells[column] ?? '';
        const space = ' '.repeat(width - length(cell));
        return align[column] === 'left' ? cell + space : space + cell;
      })
      .join('  ')
      .trimEnd();
  return [line(heading), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

/** Number of characters, not of UTF-16 units. */
function length(text: string): number {
  return [...text].length;
}
