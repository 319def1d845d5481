import { printable } from './printable.js';

/** A column of a table: its head, and what a row has there. */
export interface Column<Row> {
  readonly head: string;
  readonly of: (row: Row) => string | number | undefined;
}

const GAP = '  ';

/** Rows below a line of heads, each column as wide as its widest cell; numbers to the right. */
export function textTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = rows.map((row) => columns.map((column) => cellOf(column.of(row))));
  const heads = columns.map(({ head }) => head);
  const widths = heads.map((head, index) =>
    Math.max(head.length, ...cells.map((line) => String(line[index]).length)),
  );
  const lineOf = (line: readonly (string | number)[]): string =>
    line
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width);
      })
      .join(GAP)
      .trimEnd();
  return [heads, ...cells].map((line) => `${lineOf(line)}\n`).join('');
}

function cellOf(value: string | number | undefined): string | number {
  return typeof value === 'number' ? value : printable(value ?? '').replaceAll('\n', ' ');
}
