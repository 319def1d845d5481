import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChildNode } from '../processes/child-node.js';
import type { RawRelayOptions } from '../processes/raw-relay.js';
import type { RawSourceOptions } from '../processes/raw-source.js';
import { SocketPipe } from '../socket/socket-pipe.js';
import { connectTo } from '../socket/socket-transport.js';

/** The same bytes by the same sockets, with nothing of the engine: what relaying can't be faster than. */
export class RawLink implements AsyncDisposable {
  readonly #byteLength: number;
  readonly #dir: string;
  readonly #children: readonly ChildNode[];
  readonly #relayed: SocketPipe;
  readonly #direct: Socket;
  #onBytes: (bytes: Uint8Array) => void = () => undefined;

  private constructor(
    byteLength: number,
    dir: string,
    children: readonly ChildNode[],
    sockets: [Socket, Socket],
  ) {
    this.#byteLength = byteLength;
    this.#dir = dir;
    this.#children = children;
    this.#relayed = new SocketPipe(sockets[0], 'the relay');
    this.#direct = sockets[1];
    this.#relayed.messages$.subscribe((message) => {
      this.#onBytes(message);
      this.#relayed.recycle(message);
    });
    this.#direct.on('data', (bytes) => this.#onBytes(bytes));
  }

  static async start(byteLength: number): Promise<RawLink> {
    const dir = await mkdtemp(join(tmpdir(), 'routine-bench-raw-'));
    const [pipe, stream, to] = ['pipe', 'stream', 'relay'].map((name) => join(dir, name)) as [
      string,
      string,
      string,
    ];
    const source = await ChildNode.start('raw-source.js', {
      byteLength,
      pipe,
      stream,
    } satisfies RawSourceOptions);
    const relay = await ChildNode.start('raw-relay.js', { from: pipe, to } satisfies RawRelayOptions);
    return new RawLink(byteLength, dir, [relay, source], [await connectTo(to), await connectTo(stream)]);
  }

  /** Through a process between, as messages of a pipe. */
  relayed(): Promise<Float32Array> {
    return this.#collect(() => this.#relayed.send(Uint8Array.of(1)));
  }

  /** As the bytes of a stream, from process to process. */
  direct(): Promise<Float32Array> {
    return this.#collect(() => this.#direct.write(Uint8Array.of(1)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#relayed.close();
    this.#direct.end();
    await Promise.all([this.#relayed.closed, once(this.#direct, 'close')]);
    for (const child of this.#children) await child[Symbol.asyncDispose]();
    await rm(this.#dir, { recursive: true });
  }

  #collect(ask: () => unknown): Promise<Float32Array> {
    return new Promise((resolve) => {
      const whole = new Uint8Array(this.#byteLength);
      let filled = 0;
      this.#onBytes = (bytes) => {
        whole.set(bytes, filled);
        filled += bytes.byteLength;
        if (filled === whole.byteLength) resolve(new Float32Array(whole.buffer));
      };
      ask();
    });
  }
}
