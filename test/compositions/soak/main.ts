// One process of `npm run soak`: a service, two workers and a client as processes of their own, with calls of all kinds and
// connections that break; looks regularly what they hold, and tells in the end whether that grows.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { seededIntegers } from '../../../examples/spam-sweep/src/random.ts';
import { FaultProxy, pause } from '../network/fault-proxy.ts';
import { growthOf } from './growth.ts';
import { NodeProcess } from './node-process.ts';
import { Samples } from './samples.ts';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    'every-seconds': { type: 'string', default: '30' },
  },
});
const seed = Number(options.seed);
const everyMs = Number(options['every-seconds']) * 1_000;
const endAt = performance.now() + Number(options.minutes) * 60_000;
const below = seededIntegers(seed);
/** Bytes after which a connection that is to be cut is cut. */
const CUT_WITHIN_BYTES = 64 * 1024;

const dir = await mkdtemp(join(tmpdir(), 'routine-soak-'));
const port = await freePort();
const proxies = [await FaultProxy.open(port), await FaultProxy.open(port), await FaultProxy.open(port)];
const nodes: NodeProcess[] = [];
const samples = new Samples();
const over = new AbortController();
let cuts = 0;

try {
  nodes.push(await NodeProcess.start('service', 'service.mjs', [port]));
  for (const [index, proxy] of proxies.slice(1).entries())
    nodes.push(
      await NodeProcess.start(`worker-${index + 1}`, 'worker.mjs', [proxy.port, `worker-${index + 1}`, dir]),
    );
  const client = await NodeProcess.start('client', 'client.mjs', [proxies[0]?.port ?? 0, dir, seed]);
  nodes.push(client);
  const cutting = cut();
  while (performance.now() < endAt) {
    await pause(Math.min(everyMs, endAt - performance.now()));
    await client.ask('rest');
    for (const node of nodes) samples.add(node.name, await node.ask('sample'));
    process.stderr.write(`${samples.latestText()}\n`);
    await client.ask('resume');
  }
  over.abort();
  await cutting;
  await client.ask('rest');
  const calls = await client.ask('calls');
  for (const node of nodes.toReversed()) await node.stop();
  const made = Object.entries(calls).map(([kind, count]) => `${kind} ${count}`);
  const growths = samples.series.map(growthOf);
  console.log(`seed ${seed}, ${options.minutes} minutes: calls ${made.join(', ')}; connections cut ${cuts}`);
  console.log(samples.table(growths));
  const grown = growths.filter(({ isGrowth }) => isGrowth);
  console.log(grown.length === 0 ? 'nothing grows' : `${grown.length} figures grow`);
  process.exitCode = grown.length === 0 ? 0 : 1;
} finally {
  for (const node of nodes) node.kill();
  for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
}

/** Cuts a connection now and then. */
async function cut(): Promise<void> {
  while (!over.signal.aborted) {
    await pause(everyMs / 4 + below(everyMs / 2), over.signal);
    if (over.signal.aborted) return;
    proxies[below(proxies.length)]?.cut(below(CUT_WITHIN_BYTES));
    cuts += 1;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return free;
}
