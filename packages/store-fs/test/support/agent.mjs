// A process that does with a store what it is asked for over IPC; run by agents.ts with `fork`.
// It runs the built files, as a user's program does.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import process from 'node:process';

/** Kills this process at some file operation: while the thread pool is at it, or between two. */
function killSelfAt({ operation, count }) {
  let calls = 0;
  const kill = () => process.kill(process.pid, 'SIGKILL');
  const names = ['open', 'writev', 'fsync', 'link', 'rename', 'unlink', 'lutimes', 'futimes', 'rmdir'];
  for (const name of [...names, 'mkdirSync', 'fsyncSync']) {
    const original = fs[name];
    fs[name] = (...args) => {
      const isLast = (operation === undefined || operation === name) && (calls += 1) === count;
      if (isLast && name.endsWith('Sync') && count % 2 === 0) kill();
      try {
        return original(...args);
      } finally {
        if (isLast) kill();
      }
    };
  }
}

/** The bytes that stand for a tag: of a result, or of a blob. */
function bytesOf(tag, byteLength) {
  const seed = createHash('sha256').update(tag).digest();
  return Buffer.alloc(byteLength, seed);
}

function resultOf(tag, byteLength, blobs) {
  const metadata = {
    routineId: 'tname:news:train:0.0.1',
    argumentsDigest: 'b'.repeat(64),
    runId: `${tag} ${byteLength}`,
    codec: 'test-1',
    createdAt: 0,
    durationMs: 1,
    ...(blobs && {
      blobs: blobs.map(({ digest, byteLength: bytes }, at) => ({ part: at + 1, digest, byteLength: bytes })),
    }),
  };
  const parts = [bytesOf(tag, byteLength), ...(blobs ?? []).map(() => new Uint8Array(0))];
  return {
    metadata,
    body: {
      byteLength,
      sizes: parts.map((part) => part.byteLength),
      parts,
      chunks: () => chunksOf(parts[0]),
    },
  };
}

async function* chunksOf(bytes) {
  for (let at = 0; at < bytes.byteLength; at += 50_000) yield bytes.subarray(at, at + 50_000);
}

/** The same without its parts, as what comes from another process has it. */
function inChunks({ metadata, body: { byteLength, sizes, chunks } }) {
  return { metadata, body: { byteLength, sizes, chunks } };
}

/** Which result it is, if every byte of it is right. */
function tagOf({ metadata, body }) {
  const [tag, byteLength] = metadata.runId.split(' ');
  const [head] = body.parts;
  const isRight = Buffer.compare(head, bytesOf(tag, Number(byteLength))) === 0;
  return { tag: isRight ? tag : 'WRONG', blobs: (metadata.blobs ?? []).map(({ digest }) => digest) };
}

let store;

/** Collects garbage, and tells the keys and digests of what went. @param options - those of collectGarbage. */
async function collect({ options }) {
  const { collectGarbage } = await import('@routine-engine/core/host');
  const removed = [];
  const noting = (place) => async (id) => {
    const wasThere = await place.delete(id);
    if (wasThere) removed.push(id);
    return wasThere;
  };
  const blobs = { list: () => store.blobs.list(), delete: noting(store.blobs) };
  const noted = { list: () => store.list(), delete: noting(store), sweep: () => store.sweep(), blobs };
  // What was put in this very millisecond was put before.
  const clock = { now: () => Date.now() + 1 };
  const report = await collectGarbage(noted, { ...options, blobGraceMs: 0 }, clock);
  const told = report.removed.results + report.removed.blobs;
  if (told !== removed.length) throw new Error(`${told} are said to have gone, but ${removed.length} have`);
  return removed;
}

const OPERATIONS = {
  async open({ dir, fsync, kill }) {
    if (kill) killSelfAt(kill);
    const { FsStore } = await import('@routine-engine/store-fs');
    await store?.close();
    store = new FsStore({ dir, fsync, now: () => Date.now(), node: `agent-${process.pid}` });
    store.events$.subscribe((event) => process.send({ event }));
  },
  put({ key, tag, byteLength, blobs, stream }) {
    const result = resultOf(tag, byteLength, blobs);
    return store.put(key, stream ? inChunks(result) : result);
  },
  async get({ key }) {
    const found = await store.get(key);
    return found && tagOf(found);
  },
  has: ({ key }) => store.has(key),
  delete: ({ key }) => store.delete(key),
  pin: ({ key, pinned }) => store.pin(key, pinned),
  async list() {
    const entries = [];
    for await (const { key, pinned } of store.list()) entries.push({ key, pinned });
    return entries;
  },
  async putBlob({ tag, byteLength, stream }) {
    const bytes = bytesOf(tag, byteLength);
    const { blob, outcome } = await store.blobs.put(stream ? chunksOf(bytes) : bytes);
    return { digest: blob.digest, byteLength: blob.byteLength, outcome };
  },
  async getBlob({ digest }) {
    const blob = await store.blobs.get(digest);
    if (!blob) return undefined;
    const hash = createHash('sha256');
    for await (const chunk of blob.chunks()) hash.update(chunk);
    return hash.digest('hex');
  },
  deleteBlob: ({ digest }) => store.blobs.delete(digest),
  async listBlobs() {
    const digests = [];
    for await (const { digest } of store.blobs.list()) digests.push(digest);
    return digests;
  },
  collect,
  async take({ key, ttlMs }) {
    const lease = await store.leases.acquire(key, { holder: String(process.pid), ttlMs });
    if (lease) leases.set(key, lease);
    return lease !== undefined;
  },
  renew: ({ key }) => leases.get(key).renew(),
  giveBack: ({ key }) => leases.get(key).release(),
  async close() {
    await store.close();
    process.disconnect();
  },
};
const leases = new Map();

async function answer({ id, operation, ...order }) {
  try {
    const value = await OPERATIONS[operation](order);
    if (process.connected) process.send({ id, value });
  } catch (error) {
    process.send({ id, code: error.code ?? String(error.stack), message: error.message });
  }
}

process.on('message', (order) => void answer(order));
