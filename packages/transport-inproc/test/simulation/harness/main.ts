// One process of `npm run simulate`: runs every nth seed and tells its parent of each. With `--trace` it prints one seed.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Reference } from './reference.ts';
import { scenarioOf, simulate } from './simulate.ts';

const { values: options } = parseArgs({
  options: {
    first: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    step: { type: 'string', default: '1' },
    /** Ends with the first seed that violates anything. */
    stop: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
  },
});
// Stacks are most of what errors cost, and nobody reads them here.
Error.stackTraceLimit = 0;

const first = Number(options.first);
const end = first + Number(options.seeds);
const reference = await Reference.open();
for (let seed = first; seed < end; seed += Number(options.step)) {
  const scenario = scenarioOf(seed);
  const print = (line: string): void => console.log(line);
  if (options.trace) print(JSON.stringify(scenario, shortened, 2));
  const report = await simulate(scenario, reference, options.trace ? print : undefined);
  if (process.send) process.send(report);
  else print(JSON.stringify(report, undefined, 2));
  if (options.stop && report.violations.length > 0) break;
}
await reference.close();
process.disconnect?.();

function shortened(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? `${value.byteLength} bytes` : value;
}
