import { define, type Ref } from '@routine-engine/core';

export const row = define.task({ name: 'nested-row', version: '1.0.0' }, (length: number) =>
  new Float64Array(length).fill(length),
);

/** A result that holds references to others. */
export const table = define.workflow({ name: 'nested-table' }, async (lengths: readonly number[]) => ({
  title: 'table',
  rows: await Promise.all(lengths.map((length) => row.ref(length))),
}));

/** A result that is a reference to such a result. */
export const newest = define.workflow({ name: 'nested-newest' }, (lengths: readonly number[]) =>
  table.ref(lengths),
);

export const total = define.task(
  { name: 'nested-total', version: '1.0.0' },
  (from: { readonly title: string; readonly rows: readonly Float64Array[] }) =>
    from.rows.map((values) => values.reduce((sum, value) => sum + value, 0)),
);

/** Counts the references among the rows of a table that stays as it is. */
export const kept = define.workflow(
  { name: 'nested-kept', keepRefs: true },
  async (ref: Ref<{ readonly rows: readonly unknown[] }>) => {
    const { rows } = await ref.value();
    return rows.filter((value) => !(value instanceof Float64Array)).length;
  },
);
