// A process of its own that makes equal calls at once: node caller.mjs <store module> <store factory> <options as JSON> <file> <calls>
import { appendFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { define, Lifecycle } from '@routine-engine/core';

const [module, factory, options, file, calls] = process.argv.slice(2);
const { [factory]: store } = await import(module);

/** Leaves a line for each execution. */
const once = define.task(
  { name: 'once', version: '1.0.0' },
  async (/** @type {string} */ name, /** @type {number} */ length) => {
    await appendFile(file, `${process.pid}\n`);
    await delay(300);
    return { name, values: Float64Array.from({ length }, (_, index) => index) };
  },
);

const lifecycle = await Lifecycle.init({
  project: 'test',
  name: `process-${process.pid}`,
  plugins: [store(JSON.parse(options))],
});
const stored = { results: 0, blobs: 0 };
lifecycle.events$.subscribe((event) => {
  if (event.type === 'store.put' && event.outcome === 'stored') stored.results += 1;
  if (event.type === 'content.stored' && event.outcome === 'stored') stored.blobs += 1;
});
process.send('ready');
await new Promise((resolve) => process.once('message', resolve));
const results = await Promise.all(Array.from({ length: Number(calls) }, () => once('equal', 100_000)));
process.send({
  stored,
  sums: results.map(({ name, values }) => `${name} ${values.reduce((sum, value) => sum + value, 0)}`),
});
await lifecycle.shutdown();
process.disconnect();
