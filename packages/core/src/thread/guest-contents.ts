import type { Cancellation } from '../context/cancellation.js';
import { fromPlainError } from '../errors/error-conversion.js';
import type { Encoded } from '../model/encoded.js';
import type { ReferenceData } from '../model/reference.js';
import type { StoredBlob } from '../model/stored-blob.js';
import { untilAborted } from '../model/until-aborted.js';
import type { Clock } from '../ports/clock.js';
import { cameWith } from './conversions.js';
import type { ContentAnswer, KeptContent, StreamMessage, ToGuest, ToHost, ValueStreams } from './messages.js';
import type { ParcelPort } from './parcel-port.js';
import { PortStreams } from './port-streams.js';

/** What a {@link GuestContents} is made of. */
export interface GuestContentsParts {
  readonly runId: string;
  readonly port: ParcelPort<ToHost, ToGuest>;
  readonly clock: Clock;
  /** Of the run: ends whatever it asks for or reads. */
  readonly cancellation: Cancellation;
}

/** What waits for an answer of the host. */
interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** The streams of one run and what its references stand for, inside the thread. */
export class GuestContents {
  readonly #parts: GuestContentsParts;
  readonly #streams: PortStreams;
  readonly #fetches = new Map<number, Waiting<Encoded>>();
  readonly #spools = new Map<number, Waiting<StoredBlob>>();
  /** What is being fetched, by its store and key: equal references share one message. */
  readonly #underWay = new Map<string, Promise<Encoded>>();
  #numbered = 0;
  #closed: Error | undefined;

  constructor(parts: GuestContentsParts) {
    const { runId, port, clock } = parts;
    this.#parts = parts;
    this.#streams = new PortStreams({
      ...{ runId, clock },
      send: (message, value) => port.send(message, value, true),
    });
    parts.cancellation.onCancel((reason) => this.close(reason));
  }

  /** See `RunHost.fetch`. */
  fetch(reference: ReferenceData): Promise<Encoded> {
    const name = `${reference.store} ${reference.key}`;
    const underWay = this.#underWay.get(name);
    if (underWay) return underWay;
    const { runId, port } = this.#parts;
    const fetched = this.#ask(this.#fetches, (request) =>
      port.send({ kind: 'fetch', runId, request, reference }),
    ).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, fetched);
    return fetched;
  }

  /** See `RunHost.spool`; the bytes stay with the host. */
  spool(chunks: AsyncIterable<Uint8Array>): Promise<StoredBlob> {
    const { runId, port } = this.#parts;
    return this.#ask(this.#spools, (request) => {
      port.send({ kind: 'spool', runId, request });
      // Its own error, not what the host makes of it.
      this.#streams.write(request, chunks, (error) => this.#refuse(request, error as Error));
    });
  }

  receive(message: ContentAnswer | StreamMessage, value: Encoded | undefined): void {
    switch (message.kind) {
      case 'fetched': {
        const fetched = this.restore(cameWith(value, 'a reference'), message.streams);
        return this.#takeOut(this.#fetches, message.request)?.resolve(fetched);
      }
      case 'spooled':
        return this.#takeOut(this.#spools, message.request)?.resolve(new HostBlob(message.kept, this));
      case 'refused':
        return this.#refuse(message.request, fromPlainError(message.error));
      default:
        return this.#streams.receive(message, value);
    }
  }

  /** A value that came from the host, with its streams in their places. */
  restore(value: Encoded, streams: ValueStreams | undefined): Encoded {
    if (!streams) return value;
    const blobs = new Map(streams.kept.map(({ part, ...kept }) => [part, new HostBlob(kept, this)]));
    return { ...value, streams: streams.count, blobs };
  }

  /** What the host keeps, as a stream; it is asked for when its reading begins. */
  async *read(content: number): AsyncGenerator<Uint8Array> {
    if (this.#closed) throw this.#closed;
    const { runId, port } = this.#parts;
    this.#numbered += 1;
    const request = this.#numbered;
    const chunks = this.#streams.read(request);
    port.send({ kind: 'read', runId, request, content });
    yield* chunks;
  }

  /** The run is over or cancelled: whatever still waits or reads gets the reason, and streams that it sends are ended. */
  close(reason: Error): void {
    this.#closed ??= reason;
    this.#streams.close(reason);
    for (const waiting of [this.#fetches, this.#spools]) {
      const rejects = [...waiting.values()].map(({ reject }) => reject);
      waiting.clear();
      for (const reject of rejects) reject(reason);
    }
  }

  #ask<T>(waiting: Map<number, Waiting<T>>, send: (request: number) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed);
      this.#numbered += 1;
      waiting.set(this.#numbered, { resolve, reject });
      send(this.#numbered);
    });
  }

  #refuse(request: number, error: Error): void {
    this.#takeOut(this.#fetches, request)?.reject(error);
    this.#takeOut(this.#spools, request)?.reject(error);
  }

  #takeOut<T>(waiting: Map<number, Waiting<T>>, request: number): Waiting<T> | undefined {
    const found = waiting.get(request);
    waiting.delete(request);
    return found;
  }
}

/** A blob that the host of a run keeps for it. */
class HostBlob implements StoredBlob {
  readonly digest: string;
  readonly byteLength: number;
  readonly content: number;
  readonly #contents: GuestContents;

  constructor({ digest, byteLength, content }: KeptContent, contents: GuestContents) {
    this.digest = digest;
    this.byteLength = byteLength;
    this.content = content;
    this.#contents = contents;
  }

  chunks(options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array> {
    return untilAborted(this.#contents.read(this.content), options?.signal);
  }
}

/** The streams of a value that goes to the host. */
export function streamsOf({ streams, blobs }: Encoded): ValueStreams | undefined {
  if (!streams) return undefined;
  const kept = [...(blobs ?? [])].flatMap(([part, blob]) => {
    if (!(blob instanceof HostBlob)) return [];
    const { digest, byteLength, content } = blob;
    return [{ part, digest, byteLength, content }];
  });
  return { count: streams, kept };
}
