import { createHash } from 'node:crypto';
import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Encoded } from '../model/encoded.js';
import type { StoredBlob } from '../model/stored-blob.js';
import type { Clock } from '../ports/clock.js';
import type { RunHost } from '../ports/executor.js';
import type { BackgroundThread } from './background-thread.js';
import type { ContentAnswer, ContentRequest, KeptContent, StreamMessage, ValueStreams } from './messages.js';
import { PortStreams } from './port-streams.js';

/** What a {@link HostContents} is made of. */
export interface HostContentsParts {
  readonly runId: string;
  readonly host: RunHost;
  readonly thread: BackgroundThread;
  readonly clock: Clock;
}

/** The streams of one run and what its references stand for, as its host sees them. */
export class HostContents {
  readonly #parts: HostContentsParts;
  readonly #streams: PortStreams;
  /** What the guest may read, and put into its result, by its number. */
  readonly #kept: (StoredBlob | Uint8Array)[] = [];
  #isOver = false;

  constructor(parts: HostContentsParts) {
    const { runId, thread, clock } = parts;
    this.#parts = parts;
    this.#streams = new PortStreams({
      ...{ runId, clock },
      send: (message, value) => thread.send(message, value, true),
    });
  }

  receive(message: ContentRequest | StreamMessage, value: Encoded | undefined): void {
    switch (message.kind) {
      case 'fetch':
        return void this.#answer(message.request, this.#fetch(message));
      case 'spool':
        return void this.#answer(message.request, this.#spool(message.request));
      case 'read':
        return this.#streams.write(message.request, chunksOf(this.#kept[message.content]));
      default:
        return this.#streams.receive(message, value);
    }
  }

  /** The streams of a value that goes to the guest; what is not in memory is kept for it. */
  keep({ streams, blobs }: Encoded): ValueStreams | undefined {
    if (!streams) return undefined;
    const kept = [...(blobs ?? [])].map(([part, blob]) => ({ part, ...this.#add(blob, blob.digest) }));
    return { count: streams, kept };
  }

  /** A value that came from the guest, with its streams in their places. */
  restore({ head, buffers }: Encoded, { count, kept }: ValueStreams): Encoded {
    const parts = [...buffers];
    const blobs = new Map<number, StoredBlob>();
    for (const { part, content } of kept) {
      const found = this.#kept[content];
      if (found instanceof Uint8Array) parts[part - 1] = found;
      else if (found) blobs.set(part, found);
    }
    return { head, buffers: parts, streams: count, ...(blobs.size > 0 && { blobs }) };
  }

  /** The run is over: whatever still reads or sends a stream gets the reason. */
  close(reason: Error): void {
    this.#isOver = true;
    this.#streams.close(reason);
  }

  /** Sends an answer when there is one, unless the run is over by then. */
  async #answer(request: number, answer: Promise<Answer>): Promise<void> {
    const { runId, thread } = this.#parts;
    const { message, value } = await answer.catch((error: unknown): Answer => ({
      message: { kind: 'refused', runId, request, error: toPlainError(error) },
    }));
    if (!this.#isOver) thread.send(message, value);
  }

  async #fetch({ request, reference }: Extract<ContentRequest, { kind: 'fetch' }>): Promise<Answer> {
    const { runId, host } = this.#parts;
    const value = await host.fetch(reference);
    return { message: { kind: 'fetched', runId, request, streams: this.keep(value) }, value };
  }

  async #spool(request: number): Promise<Answer> {
    const chunks = this.#streams.read(request);
    try {
      const content = await this.#parts.host.spool(chunks);
      const digest = content instanceof Uint8Array ? digestOf(content) : content.digest;
      return {
        message: { kind: 'spooled', runId: this.#parts.runId, request, kept: this.#add(content, digest) },
      };
    } finally {
      // Whoever kept it may have failed without reading to its end.
      await chunks[Symbol.asyncIterator]().return?.();
    }
  }

  #add(content: StoredBlob | Uint8Array, digest: string): KeptContent {
    return { content: this.#kept.push(content) - 1, digest, byteLength: content.byteLength };
  }
}

interface Answer {
  readonly message: ContentAnswer;
  readonly value?: Encoded;
}

async function* chunksOf(content: StoredBlob | Uint8Array | undefined): AsyncGenerator<Uint8Array> {
  if (!content)
    throw new RoutineEngineError('CONTENT_MISSING', 'The host of a run keeps no such content for it');
  if (content instanceof Uint8Array) yield content;
  else yield* content.chunks();
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
