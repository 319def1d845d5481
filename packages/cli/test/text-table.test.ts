import { describe, expect, it } from 'vitest';
import { bytesText } from '../src/output/quantities.js';
import { textTable } from '../src/output/text-table.js';

describe('a table', () => {
  it('has columns as wide as their widest cell, numbers to the right', () => {
    const rows = [
      { name: 'a', count: 1 },
      { name: 'long-name', count: 100 },
      { name: 'b', count: undefined },
    ];
    const table = textTable(rows, [
      { head: 'NAME', of: ({ name }) => name },
      { head: 'COUNT', of: ({ count }) => count },
    ]);
    expect(table).toBe('NAME       COUNT\na              1\nlong-name    100\nb\n');
  });

  it('shows no commands for terminals that other nodes put into their names', () => {
    const table = textTable(['\u001b[2Jevil\u0007\nnext\u009b1m'], [{ head: 'N', of: (name) => name }]);
    expect(table).toBe('N\n\ufffd[2Jevil\ufffd next\ufffd1m\n');
  });
});

it('tells sizes in the unit that fits', () => {
  expect([0, 1_023, 1_536, 5 * 1_024 ** 3].map(bytesText)).toEqual(['0 B', '1023 B', '1.5 KiB', '5.0 GiB']);
});
