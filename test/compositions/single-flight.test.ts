import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ACCESS_KEY, BUCKET, S3Double, SECRET_KEY } from '../../packages/store-s3/test/s3-double.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const PROCESSES = 5;
const CALLS = 10;

interface Report {
  readonly stored: { readonly results: number; readonly blobs: number };
  readonly sums: readonly string[];
}

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'routine-engine-'));
});
afterEach(() => rm(dir, { recursive: true }));

const start = async (...args: string[]): Promise<ChildProcess> => {
  const child = fork(fileURLToPath(new URL('./caller.mjs', import.meta.url)), args, { execArgv: [] });
  await once(child, 'message');
  return child;
};

async function reportOf(child: ChildProcess): Promise<Report> {
  const ended = once(child, 'exit');
  child.send('go');
  const [report] = (await once(child, 'message')) as [Report];
  expect(await ended).toEqual([0, null]);
  return report;
}

/** What came of equal calls that several processes make at once. */
async function callFromProcesses(module: string, factory: string, options: object): Promise<object> {
  const file = join(dir, 'executions');
  const args = [module, factory, JSON.stringify(options), file, String(CALLS)];
  const children = await Promise.all(Array.from({ length: PROCESSES }, () => start(...args)));
  const reports = await Promise.all(children.map(reportOf));
  const sums = reports.flatMap((report) => report.sums);
  return {
    executions: (await readFile(file, 'utf8')).trim().split('\n').length,
    results: reports.reduce((sum, { stored }) => sum + stored.results, 0),
    blobs: reports.reduce((sum, { stored }) => sum + stored.blobs, 0),
    answers: sums.length,
    different: [...new Set(sums)],
  };
}

describe('50 equal calls from 5 processes are one execution and one upload, and 50 equal results', () => {
  const expected = { executions: 1, results: 1, blobs: 1, answers: 50, different: ['equal 4999950000'] };

  it('with a directory', async () => {
    const options = { dir: join(dir, 'store') };
    expect(await callFromProcesses('@routine-engine/store-fs', 'fsStore', options)).toEqual(expected);
  });

  it('with an object store', async () => {
    const server = await S3Double.start();
    const credentials = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };
    const place = { endpoint: server.endpoint, bucket: BUCKET, region: 'us-east-1', forcePathStyle: true };
    const options = { ...place, credentials };
    expect(await callFromProcesses('@routine-engine/store-s3', 's3Store', options)).toEqual(expected);
    await server.close();
  });
});
