import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { S3Store } from '../src/s3-store.ts';
import { KEY, openStore, resultOf, startServer } from './place.ts';
import { S3Double, SECRET_KEY } from './s3-double.ts';

const get = (store: S3Store): Promise<unknown> => store.get(KEY);
const put = (store: S3Store): Promise<unknown> => store.put(KEY, resultOf(10));
const putLarge = (store: S3Store): Promise<unknown> => store.put(KEY, resultOf(700_000));
const list = async (store: S3Store): Promise<unknown> => store.list()[Symbol.asyncIterator]().next();

/** The error of a call while the server refuses every request of a method. */
async function refusalOf(
  call: (store: S3Store) => Promise<unknown>,
  method: string,
  ...refuse: [number, string]
): Promise<unknown> {
  const server = await startServer();
  const { store } = openStore(server, { attempts: 1 });
  server.interfere = (request) => (request.method === method ? { refuse } : undefined);
  return call(store).catch((error: unknown) => error);
}

describe('an error of the server says what to do', () => {
  it.each([
    ['reading', 'GET', 's3:GetObject, and s3:ListBucket on the bucket', get],
    ['keeping', 'PUT', 's3:PutObject', put],
    ['keeping a large result', 'PUT', 's3:PutObject', putLarge],
    ['listing', 'GET', 's3:ListBucket', list],
  ])('which permission is missing for %s', async (_, method, permission, call) => {
    expect(await refusalOf(call, method, 403, 'AccessDenied')).toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining(`allow ${permission}`) as string,
    });
  });

  it('which permission is missing for deleting', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    await store.put(KEY, resultOf(10));
    server.interfere = ({ method }) => (method === 'DELETE' ? { refuse: [403, 'AccessDenied'] } : undefined);
    await expect(store.delete(KEY)).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining('allow s3:DeleteObject') as string,
    });
  });

  it.each([
    [403, 'InvalidAccessKeyId', 'does not know the access key'],
    [403, 'RequestTimeTooSkewed', 'clock of this machine'],
    [400, 'ExpiredToken', 'have expired'],
    [301, 'PermanentRedirect', 'in another region'],
    [501, 'NotImplemented', 'conditional writes'],
    [503, 'SlowDown', 'asked too much'],
    [500, 'InternalError', 'failed at every attempt'],
    [400, 'SomethingNew', 'look at what the server says'],
  ])('for %i %s', async (status, name, advice) => {
    expect(await refusalOf(put, 'PUT', status, name)).toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringMatching(new RegExp(`${name}.*${advice}`)) as string,
    });
  });

  it.each([
    [403, 'QuotaExceeded'],
    [507, 'XMinioStorageFull'],
  ])('for %i %s, as a store that is full', async (status, name) => {
    expect(await refusalOf(put, 'PUT', status, name)).toMatchObject({ code: 'STORE_FULL' });
    expect(await refusalOf(putLarge, 'PUT', status, name)).toMatchObject({ code: 'STORE_FULL' });
  });

  it('when the bucket is not there, whatever is asked', async () => {
    const server = await startServer();
    const { store } = openStore(server, { bucket: 'another' });
    const wanted = {
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining('no such bucket') as string,
    };
    for (const call of [get, put, putLarge, list]) await expect(call(store)).rejects.toMatchObject(wanted);
    await expect(store.has(KEY)).rejects.toMatchObject(wanted);
    await expect(store.delete(KEY)).rejects.toMatchObject(wanted);
  });

  it('when the secret key is wrong, without telling it', async () => {
    const server = await startServer();
    const secretAccessKey = 'something-else-entirely';
    const { store } = openStore(server, { credentials: { accessKeyId: 'test', secretAccessKey } });
    const error: unknown = await get(store).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining('correct credentials') as string,
    });
    expect(inspect(error, { depth: 20 })).not.toContain(secretAccessKey);
  });

  it('when nothing listens', async () => {
    const server = await S3Double.start();
    await server.close();
    const { store } = openStore(server, { attempts: 1 });
    await expect(get(store)).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringMatching(/ECONNREFUSED.*nothing listens there/) as string,
    });
  });

  it('when no credentials can be found', async () => {
    const server = await startServer();
    const fails = (): Promise<never> =>
      Promise.reject(Object.assign(new Error('none'), { name: 'CredentialsProviderError' }));
    const { store } = openStore(server, { credentials: fails });
    await expect(get(store)).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining('AWS_ACCESS_KEY_ID') as string,
    });
  });
});

it('works with a server whose clock is an hour ahead', async () => {
  const server = await startServer();
  server.aheadMs = 3_600_000;
  server.checksTime = true;
  const { store } = openStore(server);
  expect(await put(store)).toBe('stored');
  expect(await get(store)).toBeDefined();
});

it('has an identity without secrets', async () => {
  const server = await startServer();
  const { store } = openStore(server, { prefix: '/news/results/' });
  expect(store.identity).toBe(`s3:${new URL(server.endpoint).host}/results/news/results/`);
  const withLogin = server.endpoint.replace('//', `//user:${SECRET_KEY}@`);
  expect(openStore(server, { endpoint: withLogin }).store.identity).not.toContain(SECRET_KEY);
});
