import { S3Client } from '@aws-sdk/client-s3';
import {
  CLOCK,
  NODE_IDENTITY,
  type PartGetter,
  RESULT_STORE,
  type ResultStore,
} from '@routine-engine/core/adapter';
import { describe, expect, it, vi } from 'vitest';
import { s3Store, type S3StoreOptions } from '../src/index.ts';
import { CREDENTIALS, KEY, resultOf, startServer } from './place.ts';
import { BUCKET } from './s3-double.ts';

const parts = {
  get: (token: symbol) => {
    if (token === CLOCK) return { now: () => 42 };
    if (token === NODE_IDENTITY) return { name: 'worker-1', project: 'news' };
    throw new Error(`${String(token)} is not needed`);
  },
} as PartGetter;

const build = (options: S3StoreOptions): ResultStore =>
  s3Store(options).parts[0]?.build(parts) as ResultStore;

describe('s3Store', () => {
  it('provides a result store on the bucket, which is closed when the lifecycle stops', async () => {
    const { endpoint } = await startServer();
    const [part] = s3Store({ bucket: BUCKET, endpoint, credentials: CREDENTIALS }).parts;
    expect(part?.token).toBe(RESULT_STORE);
    const store = part?.build(parts) as ResultStore;
    expect(await store.put(KEY, resultOf(10))).toBe('stored');
    await part?.hooks.stop?.(store);
    await expect(store.get(KEY)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('names the place of the bucket in its identity', () => {
    vi.stubEnv('AWS_ENDPOINT_URL_S3', undefined);
    vi.stubEnv('AWS_ENDPOINT_URL', undefined);
    expect(build({ bucket: 'news' }).identity).toBe('s3:aws/news/');
    expect(build({ bucket: 'news', prefix: '/a/b' }).identity).toBe('s3:aws/news/a/b/');
    expect(build({ bucket: 'news', endpoint: 'https://s3.example.org/' }).identity).toBe(
      's3:s3.example.org/news/',
    );
    vi.stubEnv('AWS_ENDPOINT_URL_S3', 'http://127.0.0.1:9000');
    expect(build({ bucket: 'news' }).identity).toBe('s3:127.0.0.1:9000/news/');
    vi.unstubAllEnvs();
  });

  it.each([
    ['no bucket', {}],
    ['a name that no bucket has', { bucket: 'a/b' }],
    ['a prefix that climbs', { bucket: 'news', prefix: '../other' }],
    ['a prefix with an empty segment', { bucket: 'news', prefix: 'a//b' }],
    ['a prefix that leaves no room', { bucket: 'news', prefix: 'a'.repeat(900) }],
    ['an endpoint that is no URL', { bucket: 'news', endpoint: 'localhost:9000' }],
    ['no attempt', { bucket: 'news', attempts: 0 }],
    ['parts that S3 does not take', { bucket: 'news', partBytes: 1024 * 1024 }],
    ['a wait that is none', { bucket: 'news', timeouts: { idleMs: -1 } }],
    [
      'a client whose place it does not know',
      { bucket: 'news', client: new S3Client({ endpoint: 'http://127.0.0.1:1' }) },
    ],
  ])('refuses %s', (_, options) => {
    expect(() => s3Store(options as S3StoreOptions)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });
});
