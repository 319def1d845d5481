import { fromPlainError, toPlainError } from '../errors/error-conversion.js';
import type { Encoded } from '../model/encoded.js';
import { LIMITS } from '../model/limits.js';
import type { Clock } from '../ports/clock.js';
import { IncomingBody } from '../protocol/incoming-body.js';
import type { StreamMessage } from './messages.js';
import { StreamSource } from './stream-source.js';

/** Credit goes back in parts of this size, so that it costs few messages. */
const CREDIT_BYTES = LIMITS.threadWindowBytes / 4;
/** Shorter pieces are put together where they wait for their reader. */
const ALONE_BYTES = 16 * 1024;
/** Memory from this size on goes back to where it came from with the credit, to be used again. */
const REUSED_BYTES = 64 * 1024;
const EMPTY = new Uint8Array(0);

/** Sends a message to the other end. The buffers of its value own their memory, and are given up. */
export type SendStreamMessage = (message: StreamMessage, value?: Encoded) => void;

/** What a {@link PortStreams} is made of. */
export interface PortStreamsParts {
  readonly runId: string;
  readonly send: SendStreamMessage;
  readonly clock: Clock;
}

/**
 * The byte streams of one run between host and guest, in both directions, as one end sees them. Of each at most
 * `LIMITS.threadWindowBytes` are under way. The guest gives them their numbers.
 */
export class PortStreams {
  readonly #parts: PortStreamsParts;
  readonly #outgoing = new Map<number, StreamSource>();
  readonly #incoming = new Map<number, IncomingBody>();
  #closed: Error | undefined;

  constructor(parts: PortStreamsParts) {
    this.#parts = parts;
  }

  /** How many are under way. */
  get size(): number {
    return this.#outgoing.size + this.#incoming.size;
  }

  /**
   * Sends a stream. The chunks are only lent, each until the next is asked for.
   * @param onFailure - hears what the stream throws, after the other end was told.
   */
  write(stream: number, chunks: AsyncIterable<Uint8Array>, onFailure?: (error: unknown) => void): void {
    const { runId, send, clock } = this.#parts;
    const source = new StreamSource(chunks, clock, {
      onBytes: (bytes) => send({ kind: 'chunk', runId, stream }, { head: EMPTY, buffers: [bytes] }),
      onEnd: () => {
        this.#outgoing.delete(stream);
        send({ kind: 'end', runId, stream });
      },
      onFailure: (error) => {
        this.#outgoing.delete(stream);
        send({ kind: 'failed', runId, stream, error: toPlainError(error) });
        onFailure?.(error);
      },
    });
    if (this.#closed) return source.stop();
    this.#outgoing.set(stream, source);
    source.start();
  }

  /**
   * A stream that the other end sends. A chunk is only lent, until the next one is asked for: then its memory goes back to be
   * used again, since what is left to the garbage collector it collects late. Whoever asks for a stream reads it or ends its
   * iterator.
   * @throws what the stream throws; the reason of {@link PortStreams.close}.
   */
  read(stream: number): AsyncIterable<Uint8Array> {
    const { runId, send } = this.#parts;
    let takenBytes = 0;
    let used: Uint8Array[] = [];
    // How long it will be nobody knows.
    const body = new IncomingBody([], Number.NaN, {
      onBegun: () => undefined,
      onHungry: () => undefined,
      onTaken: (bytes) => {
        takenBytes += bytes;
        if (takenBytes < CREDIT_BYTES || !this.#incoming.has(stream)) return;
        send({ kind: 'credit', runId, stream, bytes: takenBytes }, { head: EMPTY, buffers: used });
        takenBytes = 0;
        used = [];
      },
      onReturned: (chunk) => {
        if (chunk.byteLength >= REUSED_BYTES) used.push(new Uint8Array(chunk.buffer));
      },
      onStopped: () => {
        if (this.#incoming.delete(stream)) send({ kind: 'stop', runId, stream });
      },
    });
    if (this.#closed) body.fail(this.#closed);
    else this.#incoming.set(stream, body);
    return body.chunks();
  }

  /** Takes what the other end says. Streams that are over on this side may still be spoken of. */
  receive(message: StreamMessage, value: Encoded | undefined): void {
    const { stream } = message;
    const incoming = this.#incoming.get(stream);
    const outgoing = this.#outgoing.get(stream);
    switch (message.kind) {
      case 'chunk': {
        const bytes = value?.buffers[0] ?? EMPTY;
        return incoming?.push(bytes, false, bytes.byteLength >= ALONE_BYTES);
      }
      case 'end':
        this.#incoming.delete(stream);
        return incoming?.end();
      case 'failed':
        this.#incoming.delete(stream);
        return incoming?.fail(fromPlainError(message.error));
      case 'credit':
        return outgoing?.credit(message.bytes, value?.buffers ?? []);
      case 'stop':
        this.#outgoing.delete(stream);
        return outgoing?.stop();
    }
  }

  /** Ends all that is under way: readers get the reason, sources are stopped. The other end is not told. */
  close(reason: Error): void {
    this.#closed ??= reason;
    const [sources, bodies] = [[...this.#outgoing.values()], [...this.#incoming.values()]];
    this.#outgoing.clear();
    this.#incoming.clear();
    for (const source of sources) source.stop();
    for (const body of bodies) body.fail(reason);
  }
}
