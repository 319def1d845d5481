// A client in a process of its own: node submits-detached.mjs <address of the service> <file> <branches> <steps>. Submits a detached
// workflow, tells its parent the run id as soon as the service has it, and waits for the result.
import { Lifecycle } from '@routine-engine/core';
import { wsTransport } from '@routine-engine/transport-ws';
import { whole } from './routines.mjs';

const [url, file, branches, steps] = process.argv.slice(2);

await Lifecycle.init({ project: 'test', name: 'submits', plugins: [wsTransport({ url })] });
const run = whole.with({ detached: true }).submit(file, Number(branches), Number(steps));
await run.accepted();
process.send(run.runId);
await run.result();
