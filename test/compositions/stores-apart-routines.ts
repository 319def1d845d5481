import { randomUUID } from 'node:crypto';
import { define } from '@routine-engine/core';

/** Whoever executes it once more is found out. */
export const stamped = define.task(
  { name: 'stamped', version: '1.0.0' },
  (n: number) => `${n} ${randomUUID()}`,
);
