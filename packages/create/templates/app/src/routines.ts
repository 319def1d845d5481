import { define } from '@routine-engine/core';

/** A task is pure: its result is remembered by its name, version and arguments. Change the version with the body. */
export const countWords = define.task(
  { name: 'count-words', version: '1.0.0' },
  (text: string) => text.split(/\s+/).filter((word) => word !== '').length,
);

/** A workflow calls tasks and workflows. What it calls runs on the workers, all at once. */
export const countAll = define.workflow({ name: 'count-all' }, async (texts: readonly string[]) => {
  const counts = await Promise.all(texts.map((text) => countWords(text)));
  return counts.reduce((sum, count) => sum + count, 0);
});
