import { resultStoreCompliance } from '@routine-engine/core/compliance';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { S3Store } from '../src/s3-store.ts';
import { damage, empty, litter, type TestServer, testServers } from './servers.ts';

describe.each(testServers())('S3Store on $name', ({ start, elapses }) => {
  let server: TestServer;
  let places = 0;
  let passedMs = 0;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.close());

  resultStoreCompliance(
    { describe, it },
    {
      capabilities: { durable: true, shared: true },
      blobs: true,
      leases: true,
      sweeps: true,
      ...(elapses && {
        elapse: (_: object, milliseconds: number) => {
          passedMs += milliseconds;
          server.elapse?.(milliseconds);
        },
      }),
      create: async () => {
        const prefix = `place-${(places += 1)}`;
        const { endpoint, credentials, bucket } = server;
        const now = (): number => Date.now() + passedMs;
        return {
          prefix,
          open: async () => new S3Store({ bucket, prefix, endpoint, credentials, now, node: 'client' }),
          destroy: () => empty(server, `${prefix}/`),
        };
      },
      litter: ({ prefix }) => litter(server, prefix),
      damage: ({ prefix }, key) => damage(server, prefix, `results/${key}`),
      damageBlob: ({ prefix }, digest) => damage(server, prefix, `blobs/${digest}`),
    },
  );
});
