import { createHash } from 'node:crypto';
import {
  bodyOf,
  encodedOf,
  type ResultMetadata,
  type StoredBlob,
  type StoredResult,
  type StoreEvent,
} from '@routine-engine/core/adapter';
import { onTestFinished } from 'vitest';
import { S3Store, type S3StoreSettings } from '../src/s3-store.ts';
import { ACCESS_KEY, BUCKET, S3Double, SECRET_KEY } from './s3-double.ts';

export const METADATA: ResultMetadata = {
  routineId: 'tname:news:train:0.0.1',
  argumentsDigest: 'b'.repeat(64),
  runId: '0190b5a2-4c1e-7d3a-9f21-3c5d7e9f1a2b',
  codec: 'msgpackr-1',
  createdAt: 1_720_000_000_123,
  durationMs: 1234.5,
};

export const KEY = 'ab'.padEnd(64, '0');

export const CREDENTIALS = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };

/** A server of its own for one test. */
export async function startServer(): Promise<S3Double> {
  const server = await S3Double.start();
  onTestFinished(() => server.close());
  return server;
}

/** A store on that server, and what it tells. */
export function openStore(
  server: S3Double,
  settings: Partial<S3StoreSettings> = {},
): { store: S3Store; events: StoreEvent[] } {
  const store = new S3Store({
    bucket: BUCKET,
    endpoint: server.endpoint,
    credentials: CREDENTIALS,
    partBytes: 5 * 1024 * 1024,
    now: () => 42,
    node: 'client',
    ...settings,
  });
  const events: StoreEvent[] = [];
  store.events$.subscribe((event) => events.push(event));
  onTestFinished(() => store.close());
  return { store, events };
}

/** Names of the objects that begin so. */
export function namesIn(server: S3Double, begin = ''): string[] {
  return [...server.objects.keys()].filter((name) => name.startsWith(begin)).toSorted();
}

/** Bytes that differ from others by their seed. */
export function bytesOf(byteLength: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  for (let at = 0; at < byteLength; at += 1) bytes[at] = (at * 31 + (at >> 8) * 7 + seed) % 251;
  return bytes;
}

export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Bytes as chunks of that length. */
export async function* inChunks(bytes: Uint8Array, length = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += length) yield bytes.subarray(at, at + length);
}

/** SHA-256 of what reading a blob gives. */
export async function readDigest(blob: StoredBlob | undefined): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of blob?.chunks() ?? []) hash.update(chunk);
  return hash.digest('hex');
}

/** SHA-256 of what reading a blob into memory of its length gives. */
export async function readIntoDigest(
  blob: StoredBlob | undefined,
  memory: Uint8Array = new Uint8Array(blob?.byteLength ?? 0),
): Promise<string> {
  await blob?.readInto?.(memory);
  return digestOf(memory);
}

export function resultOf(...sizes: number[]): StoredResult {
  const [head = new Uint8Array(0), ...buffers] = sizes.map((size, part) => bytesOf(size, part + 1));
  return { metadata: METADATA, body: bodyOf({ head, buffers }) };
}

/** The same result, with a body that can only be read once, in chunks. */
export function streamed({ metadata, body }: StoredResult): StoredResult {
  const { sizes, byteLength } = body;
  return { metadata, body: { sizes, byteLength, chunks: () => body.chunks() } };
}

/** SHA-256 of each part of a result; `undefined` when there is none. */
export async function digestsOf(result: StoredResult | undefined): Promise<string[] | undefined> {
  if (!result) return undefined;
  const { head, buffers } = await encodedOf(result.body);
  return [head, ...buffers].map(digestOf);
}

/** Bytes with one wrong bit. */
export function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at]! ^= 1;
  return changed;
}
