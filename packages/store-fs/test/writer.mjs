// A process that puts results until it is killed or has put all; run from processes.test.ts with `fork`.
// It runs the built files, as a user's program does.
import process from 'node:process';
import { FsStore } from '@routine-engine/store-fs';

const metadata = {
  routineId: 'tname:news:train:0.0.1',
  argumentsDigest: 'b'.repeat(64),
  runId: 'run-1',
  codec: 'test-1',
  createdAt: 0,
  durationMs: 1,
};

/** A body that says who wrote it in each of its bytes: half of them in memory, half in chunks. */
function bodyOf(writer, byteLength, inMemory) {
  const bytes = new Uint8Array(byteLength).fill(writer);
  return {
    byteLength,
    sizes: [byteLength],
    ...(inMemory && { parts: [bytes] }),
    async *chunks() {
      for (let at = 0; at < byteLength; at += 50_000) yield bytes.subarray(at, at + 50_000);
    },
  };
}

/** Resolves when the message is on its way: what still waits when the channel closes is lost. */
const tell = (message) => new Promise((sent) => process.send(message, sent));

process.once('message', (order) => void write(order));

/** Puts the same blob as every other process would for that key: from memory or in chunks. */
async function putBlob(store, key, byteLength, inMemory) {
  const bytes = Buffer.alloc(byteLength, key);
  const chunks = async function* () {
    for (let at = 0; at < byteLength; at += 50_000) yield bytes.subarray(at, at + 50_000);
  };
  return (await store.blobs.put(inMemory ? bytes : chunks())).outcome;
}

async function write({ dir, writer, keys, byteLength, atOnce, fsync, blobs }) {
  const store = new FsStore({ dir, fsync, now: () => Date.now(), node: `writer-${writer}` });
  const putNext = async () => {
    for (let key = keys.shift(); key !== undefined; key = keys.shift()) {
      const inMemory = keys.length % 2 === 0;
      const result = { metadata, body: bodyOf(writer, byteLength, inMemory) };
      const put = blobs ? putBlob(store, key, byteLength, inMemory) : store.put(key, result);
      await tell({ key, outcome: await put });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, putNext));
  await store.close();
  process.disconnect();
}
await tell('ready');
