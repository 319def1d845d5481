import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  bodyOf,
  encodedOf,
  type ResultMetadata,
  type StoredBlob,
  type StoredResult,
  type StoreEvent,
} from '@routine-engine/core/adapter';
import { onTestFinished } from 'vitest';
import { FsStore } from '../src/fs-store.ts';

export const METADATA: ResultMetadata = {
  routineId: 'tname:news:train:0.0.1',
  argumentsDigest: 'b'.repeat(64),
  runId: '0190b5a2-4c1e-7d3a-9f21-3c5d7e9f1a2b',
  codec: 'msgpackr-1',
  createdAt: 1_720_000_000_123,
  durationMs: 1234.5,
};

export const KEY = 'ab'.padEnd(64, '0');

/** A new, empty directory that goes when the test is over. */
export function newDirectory(): string {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'store-fs-')));
  onTestFinished(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A store on a directory, and what it tells. */
export function openStore(
  dir: string,
  settings: { fsync?: boolean; now?: () => number; leases?: boolean } = {},
): { store: FsStore; events: StoreEvent[] } {
  const store = new FsStore({ dir, fsync: false, now: () => 42, node: 'client', ...settings });
  const events: StoreEvent[] = [];
  store.events$.subscribe((event) => events.push(event));
  onTestFinished(() => store.close());
  return { store, events };
}

/** Where the README says that a result is. */
export function fileOf(dir: string, key = KEY): string {
  return path.join(dir, 'v1', key.slice(0, 2), `${key}.result`);
}

/** Where the README says that a blob is. */
export function blobFileOf(dir: string, digest: string): string {
  return path.join(dir, 'v1', 'blobs', digest.slice(0, 2), digest);
}

/** Bytes that differ from others by their seed. */
export function bytesOf(byteLength: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length: byteLength }, (_, at) => (at * 31 + (at >> 8) * 7 + seed) % 251);
}

export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The bytes that other processes of these tests put for a tag. */
export function bytesOfTag(tag: string, byteLength: number): Uint8Array {
  return Buffer.alloc(byteLength, createHash('sha256').update(tag).digest());
}

/** All bytes of a blob. */
export async function readAll(blob: StoredBlob): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of blob.chunks()) chunks.push(Uint8Array.from(chunk));
  return new Uint8Array(Buffer.concat(chunks));
}

/** How many files of that directory this process has open. */
export function openFilesIn(dir: string): number {
  const links = fs.readdirSync('/proc/self/fd').map((file) => {
    try {
      return fs.readlinkSync(path.join('/proc/self/fd', file));
    } catch {
      // That of the listing itself is closed by now.
      return '';
    }
  });
  return links.filter((target) => target.startsWith(dir)).length;
}

export function resultOf(...sizes: number[]): StoredResult {
  const [head = new Uint8Array(0), ...buffers] = sizes.map((size, part) =>
    Uint8Array.from({ length: size }, (_, at) => (at * 31 + part * 7 + size) % 251),
  );
  return { metadata: METADATA, body: bodyOf({ head, buffers }) };
}

/** The parts of a result; `undefined` when there is none. */
export async function partsOf(result: StoredResult | undefined): Promise<Uint8Array[] | undefined> {
  if (!result) return undefined;
  const { head, buffers } = await encodedOf(result.body);
  return [head, ...buffers];
}

/** Every file and directory under a directory, as paths from it. */
export function everythingIn(dir: string): string[] {
  return fs.readdirSync(dir, { recursive: true, encoding: 'utf8' }).toSorted();
}
