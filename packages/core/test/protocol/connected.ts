import type { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import { bodyOf, type Body } from '../../src/model/body.js';
import type { Connection, Envelope } from '../../src/ports/transport.js';
import type { MultiplexLimits } from '../../src/protocol/multiplex-limits.js';
import { multiplex } from '../../src/protocol/multiplexer.js';
import { MemoryPipe, Turns, type MemoryPipeOptions } from './memory-pipe.js';

export interface ConnectedOptions extends MemoryPipeOptions {
  readonly seed?: number;
  readonly limits?: Partial<MultiplexLimits>;
}

/** Two connections over one pipe in memory, and what went wrong at each. */
export interface Connected {
  readonly turns: Turns;
  readonly pipe: { readonly here: MemoryPipe; readonly there: MemoryPipe };
  readonly here: Connection;
  readonly there: Connection;
  readonly violations: RoutineEngineError[];
}

export function connected(options: ConnectedOptions = {}): Connected {
  return connectedIn(new Turns(options.seed), options);
}

/** The same among other connections, in one order of turns. */
export function connectedIn(turns: Turns, options: ConnectedOptions = {}): Connected {
  const pipe = MemoryPipe.pair(turns, options);
  const violations: RoutineEngineError[] = [];
  const shared = {
    clock: turns,
    onViolation: (error: RoutineEngineError) => void violations.push(error),
    ...(options.limits && { limits: options.limits }),
  };
  const [here, there] = [multiplex(pipe.here, shared), multiplex(pipe.there, shared)];
  return { turns, pipe, here, there, violations };
}

/** What a connection is sent, as it comes. */
export class Heard {
  readonly envelopes: Envelope[] = [];
  isComplete = false;
  #next: ((envelope: Envelope) => void)[] = [];
  #taken = 0;

  constructor(connection: Connection) {
    connection.inbound$.subscribe({
      next: (envelope) => {
        this.envelopes.push(envelope);
        const next = this.#next.shift();
        if (next) next(this.envelopes[this.#taken++] as Envelope);
      },
      complete: () => (this.isComplete = true),
    });
  }

  /** The first envelope that nobody took, once it is there. */
  take(): Promise<Envelope> {
    if (this.#taken < this.envelopes.length)
      return Promise.resolve(this.envelopes[this.#taken++] as Envelope);
    return new Promise((resolve) => this.#next.push(resolve));
  }

  /** What the headers say under `n`. */
  get numbers(): unknown[] {
    return this.envelopes.map(({ header }) => header['n']);
  }
}

/** Bytes that differ from place to place and from seed to seed. */
export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1)
    bytes[index] = (index * 31 + (index >>> 8) * 7 + seed) & 0xff;
  return bytes;
}

/** A body of one part in memory. */
export function inMemory(bytes: Uint8Array): Body {
  return bodyOf({ head: bytes, buffers: [] });
}

/** A body that is only there in chunks. */
export function streamed(byteLength: number, chunks: () => AsyncIterable<Uint8Array>): Body {
  return { byteLength, sizes: [byteLength], chunks };
}

/** A body of memory that is not told to be in memory, in chunks of one size. Chunks are lent, as strictly as may be. */
export function lent(bytes: Uint8Array, chunkBytes: number): Body {
  return streamed(bytes.byteLength, async function* () {
    for (let at = 0; at < bytes.byteLength; at += chunkBytes) {
      const chunk = bytes.slice(at, at + chunkBytes);
      yield chunk;
      chunk.fill(0xee);
    }
  });
}

/** All bytes of a body. */
export async function read(body: Body | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body?.chunks() ?? []) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** The reader of a body, by hand. */
export function readerOf(body: Body | undefined): AsyncIterator<Uint8Array> {
  if (!body) throw new Error('There is no body');
  return body.chunks()[Symbol.asyncIterator]();
}
