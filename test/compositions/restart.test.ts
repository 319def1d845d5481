import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Lifecycle, type EngineEvent, type RunHandle } from '@routine-engine/core';
import { wsTransport } from '@routine-engine/transport-ws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { whole } from './restart/routines.mjs';

const SERVICE = new URL('./restart/service.mjs', import.meta.url);
const WORKER = new URL('./restart/worker.mjs', import.meta.url);
const SUBMITS = new URL('./restart/submits-detached.mjs', import.meta.url);
const BRANCHES = 6;
const STEPS = 8;

let dir: string;
let file: string;
let processes: ChildProcess[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'routine-engine-'));
  file = join(dir, 'executions');
  processes = [];
});
afterEach(async () => {
  for (const child of processes) {
    if (child.exitCode === null && child.signalCode === null) await kill(child);
  }
  await rm(dir, { recursive: true });
});

/** Starts a process, and gives what it says when it is ready. */
async function start(program: URL, ...args: string[]): Promise<{ child: ChildProcess; said: unknown }> {
  const child = fork(fileURLToPath(program), args, { execArgv: [] });
  processes.push(child);
  const [said] = (await once(child, 'message')) as [unknown];
  return { child, said };
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** Resolves when so many events of a type have come. */
function event(lifecycle: Lifecycle, type: EngineEvent['type'], count = 1): Promise<void> {
  let left = count;
  return new Promise((resolve) => {
    const subscription = lifecycle.events$.subscribe((each) => {
      if (each.type === type) left -= 1;
      if (left > 0) return;
      subscription.unsubscribe();
      resolve();
    });
  });
}

/** The handle of a run, as soon as the service knows it: its worker may not have come back yet. */
async function found(lifecycle: Lifecycle, runId: string): Promise<RunHandle<unknown>> {
  for (;;) {
    const handle = await lifecycle.runs.get(runId);
    if (handle) return handle;
    await nextTurn();
  }
}

const executions = async (): Promise<string[]> =>
  (await readFile(file, 'utf8')).trim().split('\n').toSorted();

const NAMES = Array.from({ length: BRANCHES }, (_, index) => `branch ${index}`);
const stepsOf = (name: string): string[] =>
  Array.from({ length: STEPS }, (_, index) => `${name} step ${index}`);
/** What `whole` gives, and which of its runs are executed, each once. */
const WHOLE = NAMES.map((name) => stepsOf(name).map((each) => `${each} done`));
const RUNS = [...NAMES.filter((_, index) => index % 2 === 0), ...NAMES.flatMap(stepsOf)].toSorted();

describe('a service that is killed and started again while clients and workers live', () => {
  it('loses nothing: workflows finish, and nothing is executed twice', { timeout: 120_000 }, async () => {
    const first = await start(SERVICE, '0');
    const address = String(first.said);
    const { port } = new URL(address);
    await Promise.all(['worker-1', 'worker-2'].map((name) => start(WORKER, address, name, '3')));
    await using lifecycle = await Lifecycle.init({
      project: 'test',
      plugins: [wsTransport({ url: address })],
    });
    const told: string[] = [];
    lifecycle.events$.subscribe(({ type }) => type.startsWith('transport.') && told.push(type));
    let service = first.child;
    const result = whole(file, BRANCHES, STEPS);
    for (let round = 1; round <= 2; round += 1) {
      await event(lifecycle, 'run.completed', 3);
      await kill(service);
      const back = event(lifecycle, 'transport.resynced');
      service = (await start(SERVICE, port)).child;
      await back;
    }
    expect(await result).toEqual(WHOLE);
    expect(await executions()).toEqual(RUNS);
    expect(told.filter((type) => type === 'transport.lost')).toHaveLength(2);
    expect(told.filter((type) => type === 'transport.resynced')).toHaveLength(2);
  });
});

describe('a client that is killed after it submitted a detached run', () => {
  it.each([
    ['goes on, and gives its result to any node, also after its end', false],
    ['goes on also when the service is killed as well, and started again', true],
  ])('that run %s', { timeout: 120_000 }, async (_, killsService) => {
    const first = await start(SERVICE, '0');
    const address = String(first.said);
    await Promise.all(['worker-1', 'worker-2'].map((name) => start(WORKER, address, name, '3')));
    const client = await start(SUBMITS, address, file, String(BRANCHES), String(STEPS));
    const runId = String(client.said);
    await kill(client.child);
    if (killsService) {
      await kill(first.child);
      await start(SERVICE, new URL(address).port);
    }
    for (const name of ['reader', 'later-reader']) {
      await using lifecycle = await Lifecycle.init({
        ...{ project: 'test', name },
        plugins: [wsTransport({ url: address })],
      });
      expect(await (await found(lifecycle, runId)).result()).toEqual(WHOLE);
    }
    expect(await executions()).toEqual(RUNS);
  });
});
