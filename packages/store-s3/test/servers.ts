import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { flipped } from './place.ts';
import { ACCESS_KEY, BUCKET, S3Double, SECRET_KEY } from './s3-double.ts';

/** A server to test a store against. */
export interface TestServer {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly bucket: string;
  /** Lets time pass on the server; a real server can't. */
  readonly elapse?: (milliseconds: number) => void;
  close(): Promise<void>;
}

/**
 * The double, and the real server that `ROUTINE_TEST_S3_ENDPOINT` names, with `ROUTINE_TEST_S3_ACCESS_KEY` and
 * `ROUTINE_TEST_S3_SECRET_KEY`.
 */
export function testServers(): {
  readonly name: string;
  readonly start: () => Promise<TestServer>;
  /** Whether time passes on it as a test wants. */
  readonly elapses: boolean;
}[] {
  const endpoint = process.env['ROUTINE_TEST_S3_ENDPOINT'];
  const servers = [{ name: 'the double', start: startDouble, elapses: true }];
  if (endpoint) servers.push({ name: endpoint, start: () => useServer(endpoint), elapses: false });
  return servers;
}

async function startDouble(): Promise<TestServer> {
  const double = await S3Double.start();
  const credentials = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };
  return {
    ...{ endpoint: double.endpoint, credentials, bucket: BUCKET, close: () => double.close() },
    elapse: (milliseconds) => {
      double.aheadMs += milliseconds;
    },
  };
}

async function useServer(endpoint: string): Promise<TestServer> {
  const { ROUTINE_TEST_S3_ACCESS_KEY = '', ROUTINE_TEST_S3_SECRET_KEY = '' } = process.env;
  const bucket = `routine-test-${Date.now()}`;
  const credentials = {
    accessKeyId: ROUTINE_TEST_S3_ACCESS_KEY,
    secretAccessKey: ROUTINE_TEST_S3_SECRET_KEY,
  };
  const server = { endpoint, credentials, bucket, close: async () => {} };
  const client = clientOf(server);
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  return server;
}

/** A client of nobody's store. */
function clientOf({ endpoint, credentials }: TestServer): S3Client {
  return new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
}

/** Removes everything whose name begins so. */
export async function empty(server: TestServer, begin: string): Promise<void> {
  const client = clientOf(server);
  for await (const { Contents = [] } of paginateListObjectsV2(
    { client },
    { Bucket: server.bucket, Prefix: begin },
  )) {
    for (const { Key } of Contents)
      await client.send(new DeleteObjectCommand({ Bucket: server.bucket, Key }));
  }
  client.destroy();
}

/** Leaves what writers leave that die in the middle of an upload, and before they make the entry of what was uploaded; and a lease. */
export async function litter({ bucket: Bucket, ...server }: TestServer, prefix: string): Promise<void> {
  const client = clientOf({ bucket: Bucket, ...server });
  const half = { Bucket, Key: `${prefix}/data/${randomUUID()}` };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(half));
  await client.send(new UploadPartCommand({ ...half, UploadId, PartNumber: 1, Body: 'half a part' }));
  const whole = { Bucket, Key: `${prefix}/data/${randomUUID()}`, Body: 'no entry names this' };
  await client.send(new PutObjectCommand(whole));
  const lease = { Bucket, Key: `${prefix}/leases/${'c'.repeat(64)}/0000000001`, Body: '{}' };
  await client.send(new PutObjectCommand(lease));
  client.destroy();
}

/** Changes a bit of the content of an entry: it is in the entry, or an object of its own. */
export async function damage(server: TestServer, prefix: string, name: string): Promise<void> {
  const client = clientOf(server);
  const read = async (key: string): Promise<Buffer> => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: server.bucket, Key: key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };
  const entry = `${prefix}/${name}`;
  const [, id] = /"id":"([^"]+)","inline":false/.exec((await read(entry)).toString('latin1')) ?? [];
  const damaged = id === undefined ? entry : `${prefix}/data/${id}`;
  const bytes = await read(damaged);
  const body = flipped(bytes, id === undefined ? bytes.byteLength - 1 : bytes.byteLength >> 1);
  await client.send(new PutObjectCommand({ Bucket: server.bucket, Key: damaged, Body: body }));
  client.destroy();
}
