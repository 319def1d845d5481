import { define } from '@routine-engine/core';

/** Gives its argument back. Not remembered, so that every call is a run. */
export const noop = define.task({ name: 'noop', version: '1.0.0', cache: false }, (n: number) => n);

/** Calls `noop` that many times at once. @returns the sum of the answers. */
export const fanOut = define.workflow({ name: 'fan-out' }, async (times: number) => {
  const answers = await Promise.all(Array.from({ length: times }, (_, index) => noop(index)));
  return answers.reduce((sum, answer) => sum + answer, 0);
});

export const rememberedNumber = define.task({ name: 'rememberedNumber', version: '1.0.0' }, (n: number) => n);
