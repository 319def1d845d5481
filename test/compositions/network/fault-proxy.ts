import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Which way bytes go. */
export type Direction = 'to-service' | 'to-node';

export const BOTH: readonly Direction[] = ['to-service', 'to-node'];

/** How bytes pass for a while. */
export interface Weather {
  /** Every piece waits so long, in milliseconds. */
  readonly delayMs?: number;
  /** No more bytes a second in either direction. */
  readonly bytesPerSecond?: number;
}

type OnPassed = (direction: Direction) => void;

/** A network between one node and its service, which goes wrong when it is told to. */
export class FaultProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #refuses = false;
  #isPartitioned = false;
  #weather: Weather = {};

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * @param port - where the service is.
   * @param onPassed - hears of each piece that was passed on at once, while the other direction passes pieces on, too.
   */
  static async open(port: number, onPassed: OnPassed = () => undefined): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new FaultProxy(server);
    server.on('connection', (node) => {
      if (proxy.#refuses) return void node.resetAndDestroy();
      const service = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
      const link = new Link(node, service, () => proxy.#weather, onPassed);
      if (proxy.#isPartitioned) link.stall(BOTH);
      proxy.#links.add(link);
      void link.over.then(() => proxy.#links.delete(link));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Whether something is connected. */
  get isUsed(): boolean {
    return this.#links.size > 0;
  }

  /** Ends connections after so many more bytes, wherever in a message that is. */
  cut(afterBytes: number): void {
    for (const link of this.#links) link.cut(afterBytes);
  }

  /** Ends connections at once, with a reset. */
  reset(): void {
    for (const link of this.#links) link.reset();
  }

  /** Passes nothing on any more, and tells nobody, for a while; then the connections end. New ones are as ever. */
  async stall(directions: readonly Direction[], forMs: number, signal?: AbortSignal): Promise<void> {
    const stalled = [...this.#links];
    for (const link of stalled) link.stall(directions);
    await pause(forMs, signal);
    for (const link of stalled) link.reset();
  }

  /** Passes nothing on for a while, over no connection, and tells nobody; then those there are end. */
  async partition(forMs: number, signal?: AbortSignal): Promise<void> {
    this.#isPartitioned = true;
    for (const link of this.#links) link.stall(BOTH);
    await pause(forMs, signal);
    this.#isPartitioned = false;
    this.reset();
  }

  /** Ends connections, and lets nobody connect for a while. */
  async refuse(forMs: number, signal?: AbortSignal): Promise<void> {
    this.#refuses = true;
    this.reset();
    await pause(forMs, signal);
    this.#refuses = false;
  }

  /** Changes how bytes pass, for a while. */
  async during(weather: Weather, forMs: number, signal?: AbortSignal): Promise<void> {
    this.#weather = weather;
    await pause(forMs, signal);
    this.#weather = {};
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** One connection through the proxy: a socket to either side. */
class Link {
  /** Resolves when it has ended. */
  readonly over: Promise<void>;
  readonly #sockets: readonly Socket[];
  readonly #weather: () => Weather;
  readonly #onPassed: OnPassed;
  readonly #ended = new AbortController();
  readonly #stalled = new Set<Direction>();
  #bytesLeft = Number.POSITIVE_INFINITY;

  constructor(node: Socket, service: Socket, weather: () => Weather, onPassed: OnPassed) {
    this.#sockets = [node, service];
    this.#weather = weather;
    this.#onPassed = onPassed;
    this.over = this.#run(node, service);
  }

  cut(afterBytes: number): void {
    this.#bytesLeft = Math.min(this.#bytesLeft, afterBytes);
  }

  stall(directions: readonly Direction[]): void {
    for (const direction of directions) this.#stalled.add(direction);
  }

  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#ended.abort();
  }

  async #run(node: Socket, service: Socket): Promise<void> {
    await Promise.allSettled([this.#pass(node, service, 'to-service'), this.#pass(service, node, 'to-node')]);
    for (const socket of this.#sockets) socket.destroy();
  }

  async #pass(from: Socket, to: Socket, direction: Direction): Promise<void> {
    // Of a socket that is no longer read, too: reading tells of it where it goes on.
    to.on('error', () => undefined);
    try {
      // The end of one direction is not that of the other.
      for await (const piece of from.iterator({ destroyOnReturn: false })) {
        await this.#late((piece as Buffer).byteLength, direction);
        const isWhole = await this.#write(to, piece as Buffer);
        if (!isWhole) return this.reset();
        if (this.#isFair) this.#onPassed(direction);
      }
      const written = once(to, 'finish', { signal: this.#ended.signal });
      to.end();
      await written;
    } catch {
      // Whatever befell one side, the other is to hear of it.
      this.reset();
    }
  }

  get #isFair(): boolean {
    const { delayMs, bytesPerSecond } = this.#weather();
    return this.#stalled.size === 0 && delayMs === undefined && bytesPerSecond === undefined;
  }

  async #late(byteLength: number, direction: Direction): Promise<void> {
    const { signal } = this.#ended;
    if (this.#stalled.has(direction)) await once(signal, 'abort');
    const { delayMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY } = this.#weather();
    const forMs = delayMs + (byteLength * 1_000) / bytesPerSecond;
    if (forMs > 0) await delay(forMs, undefined, { signal });
  }

  /** @returns whether the connection was not to be cut within the piece. */
  async #write(to: Socket, piece: Buffer): Promise<boolean> {
    const { signal } = this.#ended;
    const isWhole = piece.byteLength <= this.#bytesLeft;
    const written = isWhole ? piece : piece.subarray(0, this.#bytesLeft);
    this.#bytesLeft -= written.byteLength;
    if (!to.write(written)) await once(to, 'drain', { signal });
    return isWhole;
  }
}

/** Waits, but no longer than until the signal. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, { ...(signal && { signal }) });
  } catch (error) {
    // What is waited for is over.
    if (!signal?.aborted) throw error;
  }
}
