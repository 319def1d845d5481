import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { appears } from './support/appears.js';
import { emptyDir, routine, ROUTINES, RunningCommand, startService, startWorker } from './support/command.js';

function slowRun(url: string, file: string, milliseconds: number): RunningCommand {
  const args = JSON.stringify([file, milliseconds]);
  return new RunningCommand([
    'run',
    'tname:local:slow:1.0.0',
    '--args',
    args,
    '--url',
    url,
    '--store',
    'memory',
  ]);
}

describe('a service and a worker', () => {
  it('run what is asked of them by id, on a worker', async () => {
    const { url } = await startService();
    await startWorker(url);
    const args = [
      'run',
      'wfname:sum',
      '--args',
      '[{"upTo": 3}]',
      '--url',
      url,
      '--json',
      '--store',
      'memory',
    ];
    expect(await routine(args)).toMatchObject({ code: 0, stdout: '{"total":12}\n', stderr: '' });
  });

  it('answer by id what the service does not know with its code', async () => {
    const { url } = await startService();
    const args = ['run', 'tname:missing', '--url', url, '--store', 'memory'];
    expect(await routine(args)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('ROUTINE_UNKNOWN'),
    });
  });

  it('tell the world whether the service is there, and nothing else', async () => {
    const { url } = await startService();
    const http = url.replace('ws:', 'http:');
    const ask = async (path: string, method = 'GET') => {
      const response = await fetch(`${http}${path}`, { method });
      return [response.status, await response.text()];
    };
    expect(await ask('healthz')).toEqual([200, 'ok\n']);
    expect(await ask('readyz?verbose')).toEqual([200, 'ready\n']);
    expect(await ask('readyz', 'HEAD')).toEqual([200, '']);
    expect(await ask('healthz', 'POST')).toEqual([405, 'only GET and HEAD\n']);
    expect(await ask('metrics')).toEqual([426, 'nodes connect here by WebSocket\n']);
  });
});

describe('a worker that gets SIGTERM', () => {
  it('lets its runs end, and then ends with 0', async () => {
    const dir = await emptyDir();
    const { url } = await startService();
    const worker = await startWorker(url);
    const run = slowRun(url, join(dir, 'pid'), 300);
    const pid = await appears(dir, 'pid');
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ code: 0, stdout: '' });
    expect(await run.ended).toMatchObject({ code: 0, stdout: `${pid}\n` });
    expect(pid).toBe(String(worker.child.pid));
  });

  it('gives back what does not end within its grace, to be run elsewhere', async () => {
    const dir = await emptyDir();
    const { url } = await startService();
    const first = await startWorker(url, ['--grace-ms', '0']);
    const run = slowRun(url, join(dir, 'pid'), 60_000);
    await appears(dir, 'pid');
    const second = await startWorker(url);
    first.child.kill('SIGTERM');
    expect(await first.ended).toMatchObject({ code: 0 });
    expect(await run.ended).toMatchObject({ code: 0, stdout: `${second.child.pid}\n` });
  });

  it('ends at once at the second signal', async () => {
    const dir = await emptyDir();
    const { url } = await startService();
    const worker = await startWorker(url);
    const run = slowRun(url, join(dir, 'pid'), 60_000);
    await appears(dir, 'pid');
    worker.child.kill('SIGINT');
    await worker.prints('stderr', /takes no more runs/);
    worker.child.kill('SIGINT');
    expect(await worker.ended).toMatchObject({ code: null, signal: 'SIGINT' });
    run.child.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ code: 143, stdout: '' });
  });
});

describe('a service that gets SIGTERM', () => {
  it('ends with 0, its nodes hear it at once and go on with the next at its address', async () => {
    const dir = await emptyDir();
    const { command, url } = await startService();
    const worker = await startWorker(url);
    const run = slowRun(url, join(dir, 'pid'), 500);
    await appears(dir, 'pid');
    command.child.kill('SIGTERM');
    expect(await command.ended).toMatchObject({ code: 0 });
    await worker.prints('stderr', /lost ws:/);
    await startService({}, ['--port', new URL(url).port]);
    await worker.prints('stderr', /is back at ws:/);
    expect(await run.ended).toMatchObject({ code: 0, stdout: `${worker.child.pid}\n` });
  });
});

describe('a run that gets SIGINT', () => {
  it('is cancelled on its worker, and ends as shells expect', async () => {
    const dir = await emptyDir();
    const { url } = await startService();
    await startWorker(url);
    const run = slowRun(url, join(dir, 'pid'), 60_000);
    await appears(dir, 'pid');
    run.child.kill('SIGINT');
    expect(await run.ended).toMatchObject({
      code: 130,
      stdout: '',
      stderr: expect.stringContaining('RUN_CANCELLED'),
    });
    // The slot is free again.
    const next = ['run', 'tname:local:scaled:1.0.0', '--args', '[1, 2]', '--url', url, '--store', 'memory'];
    expect(await routine(next)).toMatchObject({ code: 0, stdout: '2\n' });
  });
});

describe('nodes whose service is not there yet', () => {
  it('wait for it, and go on when it comes', async () => {
    const { command, url } = await startService();
    command.child.kill('SIGKILL');
    await command.ended;
    const at = ['--url', url, '--store', 'memory'];
    const worker = new RunningCommand(['worker', ROUTINES, '--slots', '1', ...at]);
    const run = new RunningCommand(['run', 'tname:local:scaled:1.0.0', '--args', '[1, 2]', ...at]);
    for (const each of [worker, run])
      await each.prints('stderr', /waits for the service: TRANSPORT_UNREACHABLE: ws:.* ECONNREFUSED/);
    await startService({}, ['--port', new URL(url).port]);
    await worker.prints('stderr', /takes runs/);
    expect(await run.ended).toMatchObject({ code: 0, stdout: '2\n' });
  });

  it('end in order when they are stopped meanwhile', async () => {
    const worker = new RunningCommand([
      'worker',
      ROUTINES,
      '--url',
      'ws://127.0.0.1:1/',
      '--store',
      'memory',
    ]);
    await worker.prints('stderr', /waits for the service/);
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ code: 0, stdout: '' });
  });

  it('do not wait for one that does not let them in', async () => {
    const token = { ROUTINE_TOKEN: 'a-token-of-the-service' };
    const { url } = await startService({ env: token });
    const ended = await routine(['worker', ROUTINES, '--url', url, '--store', 'memory'], {
      env: { ROUTINE_TOKEN: 'a-token-of-somebody-else' },
    });
    expect(ended).toMatchObject({ code: 3, stderr: expect.stringContaining('TRANSPORT_REFUSED') });
  });
});

describe('nodes that can not start', () => {
  it.each<[string, readonly string[], number, RegExp]>([
    ['a worker without modules', ['worker'], 2, /A worker needs modules/],
    ['a worker with a module that is not there', ['worker', 'none.ts'], 2, /There is no module .*none\.ts/],
    ['a service that others could reach unknown', ['service', '--host', '0.0.0.0'], 2, /LISTENER_EXPOSED/],
    [
      'a service with a port that is none',
      ['service', '--port', '70000'],
      2,
      /--port must be a whole number from 0 to 65535/,
    ],
    ['a command that there is not', ['serve'], 2, /unknown command 'serve'/],
    ['a flag that there is not', ['service', '--prot', '1'], 2, /unknown option '--prot'/],
  ])('say why: %s', async (_what, args, code, message) => {
    expect(await routine(args)).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
  });

  it('say which address is taken', async () => {
    const { url } = await startService();
    const ended = await routine(['service', '--port', new URL(url).port]);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('TRANSPORT_ADDRESS_IN_USE') });
  });

  it.each([
    ['worker', [ROUTINES]],
    ['run', ['wfname:sum']],
  ])('say that there is no service when they are not to wait for it: %s', async (command, args) => {
    const at = ['--url', 'ws://127.0.0.1:1/', '--store', 'memory', '--connect-timeout-ms', '0'];
    const ended = await routine([command, ...args, ...at]);
    expect(ended).toMatchObject({ code: 3, stderr: expect.stringContaining('TRANSPORT_UNREACHABLE') });
  });
});
