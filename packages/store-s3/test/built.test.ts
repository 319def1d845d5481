import { expect, it } from 'vitest';
import type * as Sources from '../src/index.ts';
import { CREDENTIALS, digestsOf, KEY, readDigest, resultOf, startServer } from './place.ts';
import { BUCKET } from './s3-double.ts';

// The other tests run the sources. A compiler can make something else of them, and has.
const BUILT = new URL('../dist/index.js', import.meta.url).href;

it('the package as it is built keeps and gives what it is given', async () => {
  const { S3Store } = (await import(/* @vite-ignore */ BUILT)) as typeof Sources;
  const { endpoint } = await startServer();
  const place = { bucket: BUCKET, endpoint, credentials: CREDENTIALS };
  const store = new S3Store({ ...place, now: () => 42, node: 'client' });
  for (const [at, size] of [10, 400_000, 18_000_000].entries()) {
    const key = `${at}${KEY.slice(1)}`;
    expect(await store.put(key, resultOf(3, size))).toBe('stored');
    expect(await digestsOf(await store.get(key))).toEqual(await digestsOf(resultOf(3, size)));
    const { blob } = await store.blobs.put(resultOf(size).body.chunks());
    expect([await readDigest(blob)]).toEqual(await digestsOf(resultOf(size)));
  }
  const keys: string[] = [];
  for await (const { key } of store.list()) keys.push(key);
  expect(keys).toHaveLength(3);
  await (await store.leases.acquire(KEY, { holder: 'client', ttlMs: 10_000 }))?.release();
  await store.close();
});
