import { join } from 'node:path';
import { Lifecycle } from '@routine-engine/core';
import { wsTransport } from '@routine-engine/transport-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { appears } from './support/appears.js';
import { emptyDir, routine, startService, startWorker } from './support/command.js';

describe('a cluster that has a run in hand', () => {
  it('is listed, told of and stopped by ids', async () => {
    const dir = await emptyDir();
    const { url } = await startService();
    await startWorker(url, ['--name', 'worker-1', '--label', 'gpu=a100']);
    const client = await Lifecycle.init({
      project: 'local',
      name: 'the-client',
      plugins: [wsTransport({ url })],
    });
    onTestFinished(() => client.shutdown());
    const run = client.call('tname:local:slow:1.0.0', [join(dir, 'pid'), 60_000]);
    const failure = run.then(
      () => undefined,
      (error: unknown) => error,
    );
    await appears(dir, 'pid');
    const env = { ROUTINE_URL: url };
    const show = async (...args: string[]) => (await routine(args, { env })).stdout;
    const shown = async (...args: string[]) => JSON.parse(await show(...args, '--json')) as unknown;

    const tasks = (await shown('ls', 'tasks')) as { readonly routineId: string }[];
    expect(tasks.map(({ routineId }) => routineId)).toContain('tname:local:scaled:1.0.0');
    expect(tasks[0]).toEqual({
      routineId: expect.any(String),
      recordId: expect.stringMatching(/^tdb:/),
      workers: 1,
    });
    expect(await show('ls', 'workflows')).toMatch(/^ROUTINE +WORKERS +RECORD\nwfname:local:sum +1 +wfdb:/);
    expect(await show('ls', 'workers')).toMatch(/\nworker-1 +WORKING +1 +0 +1 +\d+ +gpu=a100\n$/);
    const [listed, ...others] = (await shown('ls', 'runs', '--status', 'RUNNING')) as {
      readonly runId: string;
    }[];
    expect(listed).toMatchObject({
      status: 'RUNNING',
      worker: 'worker-1',
      requester: 'the-client',
      attempt: 1,
    });
    expect(others).toEqual([]);
    expect(await shown('ls', 'runs', '--routine', 'tname:scaled')).toEqual([]);

    const runId = String(listed?.runId);
    expect(await shown('info')).toMatchObject({
      workers: { count: 1, slots: 1, statuses: { WORKING: 1 } },
      runs: { count: 1, statuses: { RUNNING: 1 } },
    });
    expect(await shown('info', runId)).toMatchObject({
      kind: 'run',
      run: { worker: 'worker-1' },
      children: [],
    });
    expect(await show('info', 'worker-1')).toContain(runId);
    expect(await show('info', 'tname:slow')).toMatch(/^tname:local:slow:1\.0\.0 \(tdb:\w+\) of worker-1\n$/);

    const ended = await routine(['cancel', runId, 'another', '--reason', 'enough of it'], { env });
    expect(ended).toMatchObject({ code: 4, stdout: `${runId}\n`, stderr: 'No run another is in hand\n' });
    expect(await failure).toMatchObject({ code: 'RUN_CANCELLED', cause: 'enough of it' });
    expect(await routine(['info', runId], { env })).toMatchObject({ code: 4, stdout: '' });
  });
});

describe('a command that asks a service', () => {
  it.each<[readonly string[], number, RegExp]>([
    [['ls', 'things'], 2, /Allowed choices are tasks, workflows, workers, runs/],
    [['ls', 'runs', '--status', 'DONE'], 2, /Allowed choices are PENDING, RUNNING, HANGING/],
    [['ls', 'runs', '--limit', 'all'], 2, /It must be a whole number/],
    [['cancel'], 2, /missing required argument 'run-id'/],
    [['info', '--url', 'ws://127.0.0.1:1/'], 3, /TRANSPORT_UNREACHABLE/],
    [['info', '--url', 'http://127.0.0.1:1/'], 2, /OPTION_INVALID: .*http: is none of ws:, wss:/],
  ])('%j ends with %i and says why', async (args, code, message) => {
    expect(await routine(args)).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
  });
});
