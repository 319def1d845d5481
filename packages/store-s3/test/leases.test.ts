import { describe, expect, it, onTestFinished } from 'vitest';
import { S3Store } from '../src/s3-store.ts';
import { KEY, namesIn, openStore, startServer } from './place.ts';
import type { S3Double } from './s3-double.ts';
import { empty, testServers } from './servers.ts';

const TERMS = { holder: 'client', ttlMs: 10_000 };
/** More than the time to live and what rounding can hide. */
const EXPIRED_MS = 12_000;

const leasesOn = (server: S3Double): S3Store['leases'] => openStore(server).store.leases;

describe.each(testServers())('a lease on $name', ({ start }) => {
  it('is held by one of many that ask for it at once, until it is given back', async () => {
    const server = await start();
    onTestFinished(() => server.close());
    const { endpoint, credentials, bucket } = server;
    const prefix = 'leases-test';
    const stores = [1, 2].map(
      () => new S3Store({ bucket, prefix, endpoint, credentials, now: () => 0, node: 'client' }),
    );
    onTestFinished(async () => {
      await Promise.all(stores.map((store) => store.close()));
      await empty(server, prefix);
    });
    const ask = (): Promise<unknown>[] =>
      Array.from({ length: 10 }, (_, at) => stores[at % 2]!.leases.acquire(KEY, TERMS));
    for (let round = 0; round < 3; round += 1) {
      const leases = (await Promise.all(ask())) as Awaited<ReturnType<S3Store['leases']['acquire']>>[];
      const held = leases.filter((lease) => lease !== undefined);
      expect(held).toHaveLength(1);
      expect(await held[0]?.renew()).toBe(true);
      await held[0]?.release();
      expect(await held[0]?.renew()).toBe(false);
    }
  });
});

describe('a lease', () => {
  it('ends by itself when it is not renewed, and goes to exactly one other', async () => {
    const server = await startServer();
    const first = await leasesOn(server).acquire(KEY, TERMS);
    server.aheadMs += 9_000;
    expect(await leasesOn(server).acquire(KEY, TERMS)).toBeUndefined();
    server.aheadMs += EXPIRED_MS;
    const asked = Array.from({ length: 5 }, () => leasesOn(server).acquire(KEY, TERMS));
    const taken = (await Promise.all(asked)).filter((lease) => lease !== undefined);
    expect(taken).toHaveLength(1);
    expect(await first?.renew()).toBe(false);
    await first?.release();
    expect(await taken[0]?.renew()).toBe(true);
    expect(namesIn(server, 'leases/')).toEqual([`leases/${KEY}/0000000002`]);
  });

  it('lasts as long as it is renewed in time', async () => {
    const server = await startServer();
    const lease = await leasesOn(server).acquire(KEY, TERMS);
    for (let round = 0; round < 4; round += 1) {
      server.aheadMs += 9_000;
      expect(await lease?.renew()).toBe(true);
    }
    expect(await leasesOn(server).acquire(KEY, TERMS)).toBeUndefined();
  });

  it('is renewed on a server that knows ETags only without their quotes', async () => {
    const server = await startServer();
    server.comparesBare = true;
    const lease = await leasesOn(server).acquire(KEY, TERMS);
    expect(await lease?.renew()).toBe(true);
    await lease?.release();
    expect(await lease?.renew()).toBe(false);
  });

  it('is renewed late as long as nobody else has it', async () => {
    const server = await startServer();
    const lease = await leasesOn(server).acquire(KEY, TERMS);
    server.aheadMs += EXPIRED_MS;
    expect(await lease?.renew()).toBe(true);
    expect(await leasesOn(server).acquire(KEY, TERMS)).toBeUndefined();
  });

  it('lasts as long as who holds it said, whatever who asks says', async () => {
    const server = await startServer();
    await leasesOn(server).acquire(KEY, { ...TERMS, ttlMs: 3_600_000 });
    server.aheadMs += 1_000_000;
    expect(await leasesOn(server).acquire(KEY, { ...TERMS, ttlMs: 1000 })).toBeUndefined();
  });

  it('goes by the clock of the server alone', async () => {
    const server = await startServer();
    server.aheadMs = -7_200_000;
    const lease = await openStore(server, { now: () => Date.now() + 86_400_000 }).store.leases.acquire(
      KEY,
      TERMS,
    );
    expect(lease).toBeDefined();
    expect(await leasesOn(server).acquire(KEY, TERMS)).toBeUndefined();
  });

  it('is held when the answer that it was taken is lost', async () => {
    const server = await startServer();
    let lost = 1;
    server.interfere = ({ method }) => (method === 'PUT' && (lost -= 1) >= 0 ? { reset: 'lost' } : undefined);
    expect(await leasesOn(server).acquire(KEY, TERMS)).toBeDefined();
  });

  it('given back leaves nothing, and not what somebody else has by now', async () => {
    const server = await startServer();
    const lease = await leasesOn(server).acquire(KEY, TERMS);
    server.aheadMs += EXPIRED_MS;
    const other = await leasesOn(server).acquire(KEY, TERMS);
    await other?.release();
    await other?.release();
    expect(namesIn(server)).toEqual([]);
    // Has the number of the first one again.
    const third = await leasesOn(server).acquire(KEY, TERMS);
    await lease?.release();
    expect(await third?.renew()).toBe(true);
  });

  it('that is not one as it is kept ends in an hour', async () => {
    const server = await startServer();
    server.set(`leases/${KEY}/0000000007`, Buffer.from('[]'));
    expect(await leasesOn(server).acquire(KEY, TERMS)).toBeUndefined();
    server.aheadMs += 3_700_000;
    expect(await leasesOn(server).acquire(KEY, TERMS)).toBeDefined();
  });

  it('is refused for a wrong key or time, and after close', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    await expect(store.leases.acquire('ab', TERMS)).rejects.toMatchObject({ code: 'STORE_KEY_INVALID' });
    for (const ttlMs of [0, 999, 3_600_001, Number.NaN]) {
      const asked = store.leases.acquire(KEY, { ...TERMS, ttlMs });
      await expect(asked).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    }
    await store.close();
    await expect(store.leases.acquire(KEY, TERMS)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });
});
