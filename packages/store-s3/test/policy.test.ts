import fs from 'node:fs';
import { collectGarbage } from '@routine-engine/core/host';
import { expect, it } from 'vitest';
import { bytesOf, inChunks, KEY, openStore, readDigest, resultOf, startServer, streamed } from './place.ts';
import type { SeenRequest } from './s3-double.ts';

const readme = fs.readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const DAY_MS = 86_400_000;

/** What Amazon asks for to answer a request. */
function actionOf({ method, name, query }: SeenRequest): string {
  if (name === '') return query.has('uploads') ? 's3:ListBucketMultipartUploads' : 's3:ListBucket';
  if (method === 'GET') return query.has('uploadId') ? 's3:ListMultipartUploadParts' : 's3:GetObject';
  if (method === 'DELETE') return query.has('uploadId') ? 's3:AbortMultipartUpload' : 's3:DeleteObject';
  return 's3:PutObject';
}

interface Statement {
  readonly Action: readonly string[];
  readonly Resource: string;
}

it('the policy in the README allows what the store does, and nothing that it never does', async () => {
  const [, json = ''] = /```json\n(.*?)```/s.exec(readme) ?? [];
  const { Statement: statements } = JSON.parse(json) as { Statement: Statement[] };
  const allowed = new Map(
    statements.flatMap(({ Action, Resource }) => Action.map((action) => [action, Resource] as const)),
  );
  const server = await startServer();
  const used = new Set<string>();
  server.interfere = (request) => {
    const action = actionOf(request);
    used.add(action);
    const resource = request.name === '' ? 'arn:aws:s3:::results' : 'arn:aws:s3:::results/docs/*';
    const isOurs = request.name === '' || request.name.startsWith('docs/');
    return isOurs && allowed.get(action) === resource ? undefined : { refuse: [403, 'AccessDenied'] };
  };
  const { store } = openStore(server, { prefix: 'docs', attempts: 1 });
  await store.put(KEY, resultOf(10));
  await store.put('cd'.padEnd(64, '0'), streamed(resultOf(12_000_000)));
  await store.get(KEY);
  await store.has(KEY);
  await store.pin(KEY, true);
  await readDigest((await store.blobs.put(inChunks(bytesOf(400_000)))).blob);
  await (await store.leases.acquire(KEY, { holder: 'client', ttlMs: 10_000 }))?.release();
  const controller = new AbortController();
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; ; at += 1) {
      if (at === 12) controller.abort(new Error('enough'));
      yield bytesOf(1_000_000);
    }
  };
  await expect(store.blobs.put(endless(), { signal: controller.signal })).rejects.toThrow('enough');
  server.uploads.set('left', { name: 'docs/data/left', initiatedAt: Date.now(), parts: new Map() });
  server.aheadMs += 2 * DAY_MS;
  const report = await collectGarbage(store, { maxItems: 0 }, { now: () => DAY_MS });
  expect(report).toMatchObject({ removed: { results: 1 }, swept: { items: 1 } });
  expect(used).toEqual(new Set(allowed.keys()));
});
