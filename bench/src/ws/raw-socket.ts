import type { Duplex } from 'node:stream';
import { LIMITS } from '@routine-engine/core/adapter';
import { WebSocket, type ClientOptions } from 'ws';

/** Bytes that wait for the socket before a sender of chunks waits. */
const FULL_BYTES = 4 * LIMITS.chunkBytes;
/** Messages of this length on are chunks, which nobody on the way looks into. */
export const CHUNK_LEAST_BYTES = 1_024;

/** How the processes of a raw relay speak with each other. */
export interface RawOptions {
  /** Whether the messages of one turn go out in one write. */
  readonly isCorked: boolean;
}

/** Without masks, as the transport has it where nobody could read along: a raw socket with them would be slower. */
const CLIENT_OPTIONS: ClientOptions = {
  perMessageDeflate: false,
  generateMask: (mask: Buffer) => void mask.fill(0),
};

/** A bare WebSocket. */
export class RawSocket {
  readonly socket: WebSocket;
  readonly #stream: Duplex;
  readonly #isCorked: boolean;
  #isHeld = false;

  constructor(socket: WebSocket, stream: Duplex, { isCorked }: RawOptions) {
    this.socket = socket;
    this.#stream = stream;
    this.#isCorked = isCorked;
  }

  static async dial(address: string, options: RawOptions): Promise<RawSocket> {
    const socket = new WebSocket(address, CLIENT_OPTIONS);
    const stream = new Promise<Duplex>((resolve) => socket.once('upgrade', ({ socket: at }) => resolve(at)));
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return new RawSocket(socket, await stream, options);
  }

  /** @returns whether there is room for more. */
  send(bytes: Uint8Array, sent?: () => void): boolean {
    if (this.#isCorked && !this.#isHeld) this.#hold();
    this.socket.send(bytes, sent);
    return this.socket.bufferedAmount < FULL_BYTES;
  }

  /** Sends each chunk as a message, waiting where the socket is full. */
  async sendChunks(chunks: Iterable<Uint8Array>): Promise<void> {
    for (const chunk of chunks) {
      let sent: () => void = () => undefined;
      const room = new Promise<void>((resolve) => (sent = resolve));
      if (!this.send(chunk, sent)) await room;
    }
  }

  #hold(): void {
    this.#isHeld = true;
    this.#stream.cork();
    process.nextTick(() => {
      this.#isHeld = false;
      this.#stream.uncork();
    });
  }
}
