import { createHash } from 'node:crypto';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { Cancellation } from '../../src/context/cancellation.js';
import { makeRef, type Ref } from '../../src/context/ref.js';
import { systemClock } from '../../src/lifecycle/platform/system-clock.js';
import type { EncodedCall } from '../../src/model/call.js';
import type { Encoded } from '../../src/model/encoded.js';
import type { Outcome } from '../../src/model/outcome.js';
import type { ReferenceData } from '../../src/model/reference.js';
import type { StoredBlob } from '../../src/model/stored-blob.js';
import type { RunHost } from '../../src/ports/executor.js';
import { ThreadExecutor } from '../../src/thread/thread-executor.js';

export const codec = new MsgpackrCodec();

/** One background thread that offers the routines of `fixtures/content-routines.ts`. */
export async function startThread(): Promise<ThreadExecutor> {
  const executor = new ThreadExecutor({
    threads: { modules: [new URL('./fixtures/content-routines.ts', import.meta.url)] },
    clock: systemClock,
  });
  await executor.start({ slots: 1, project: 'test', onExhausted: () => undefined });
  return executor;
}

let runs = 0;

/** A call of one of these routines; workflows have names that `ids` knows. */
export function callOf(routineId: string, args: Encoded | readonly unknown[]): EncodedCall {
  runs += 1;
  const runId = `run-${runs}`;
  const encoded = 'head' in args ? args : codec.encode(args);
  return { runId, rootRunId: runId, routineId, attempt: 1, arguments: encoded };
}

export const task = (name: string): string => `tname:test:${name}:1.0.0`;
export const workflow = (name: string): string => `wfname:test:${name}`;

/** What a run asks of its engine, as a test wants it answered. */
export class TestHost implements RunHost {
  readonly cancel = new Cancellation();
  readonly fetched: ReferenceData[] = [];
  readonly requested: EncodedCall[] = [];
  /** What the body told last. */
  done = 0;

  constructor(readonly answers: Partial<Pick<RunHost, 'request' | 'fetch' | 'spool'>> = {}) {}

  request(call: EncodedCall): Promise<Outcome> {
    this.requested.push(call);
    return this.answers.request?.(call, this.cancel) ?? Promise.reject(new Error('no call is expected'));
  }

  fetch(reference: ReferenceData): Promise<Encoded> {
    this.fetched.push(reference);
    return this.answers.fetch?.(reference) ?? Promise.reject(new Error('no reference is expected'));
  }

  spool(chunks: AsyncIterable<Uint8Array>): Promise<StoredBlob | Uint8Array> {
    return this.answers.spool?.(chunks) ?? keepInMemory(chunks);
  }

  progress(done: number): void {
    this.done = done;
  }

  starting(): void {}
  hanging(): void {}
  log(): void {}
}

/** Keeps a stream as a blob. */
export async function keepInMemory(chunks: AsyncIterable<Uint8Array>): Promise<StoredBlob> {
  const kept: Uint8Array[] = [];
  for await (const chunk of chunks) kept.push(Uint8Array.from(chunk));
  return blobOf(Buffer.concat(kept));
}

export function blobOf(bytes: Uint8Array): StoredBlob {
  return {
    digest: createHash('sha256').update(bytes).digest('hex'),
    byteLength: bytes.byteLength,
    async *chunks() {
      yield bytes;
    },
  };
}

/** The same value with its buffers in memory that threads share. */
export function shared({ head, buffers }: Encoded): Encoded {
  const share = (bytes: Uint8Array): Uint8Array => {
    const copy = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
    copy.set(bytes);
    return copy;
  };
  return { head, buffers: buffers.map(share) };
}

export function refOf(name: string, value: unknown): Ref<unknown> {
  const key = createHash('sha256').update(name).digest('hex');
  const node = codec.digestNode(value);
  return makeRef({ key, store: 'mem:test', routineId: `tname:test:${name}:1.0.0`, byteLength: 1, node });
}

/** The value of a run that is done. @throws when it is not. */
export function valueOf(outcome: Outcome): Encoded {
  if (outcome.status === 'DONE' && outcome.value) return outcome.value;
  throw new Error(`The run is not done: ${JSON.stringify(outcome)}`);
}

export const decoded = (outcome: Outcome): unknown => codec.decode(valueOf(outcome), { reference: makeRef });
