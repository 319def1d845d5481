import { once } from 'node:events';
import {
  connect,
  createServer,
  type AddressInfo,
  type NetConnectOpts,
  type Server,
  type Socket,
} from 'node:net';

/** A way to a listener that can be cut or go silent. @public */
export interface FaultyLink {
  /** Leads to the listener when it is dialled. */
  readonly address: string;
  /** Breaks every connection that goes over it, at once and without a goodbye, as the crash of a process does. */
  cut(): void;
  /** From now on nothing goes over it either way, and nobody hears of that, as when a cable is pulled. */
  freeze(): void;
  /** Lets go over it what has waited. */
  thaw(): void;
  /** Cuts, and can't be dialled any more. */
  close(): Promise<void>;
}

/** Where a {@link tcpLink} leads, and how it is reached. @public */
export interface TcpLinkOptions {
  /** Where the listener is: host and port, or the path of a Unix socket. */
  readonly target: NetConnectOpts;
  /** Path of a Unix socket that leads there. Default: a port of `127.0.0.1`. */
  readonly path?: string;
  /** The address for the transport to dial. @param port - 0 with a `path`. */
  readonly addressOf: (port: number) => string;
}

/** A {@link FaultyLink} for transports over TCP or Unix sockets. @public */
export async function tcpLink(options: TcpLinkOptions): Promise<FaultyLink> {
  const link = new TcpLink(options);
  await link.start();
  return link;
}

class TcpLink implements FaultyLink {
  readonly #options: TcpLinkOptions;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #isFrozen = false;

  constructor(options: TcpLinkOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#join(near));
  }

  async start(): Promise<void> {
    const { path } = this.#options;
    if (path === undefined) this.#server.listen(0, '127.0.0.1');
    else this.#server.listen(path);
    await once(this.#server, 'listening');
  }

  get address(): string {
    const at = this.#server.address() as AddressInfo | string;
    return this.#options.addressOf(typeof at === 'string' ? 0 : at.port);
  }

  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) crash(socket);
  }

  freeze(): void {
    this.#isFrozen = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.unpipe().pause();
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const pair of this.#pairs) flow(pair);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  #join(near: Socket): void {
    const far = connect({ ...this.#options.target, allowHalfOpen: true });
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [socket, other] of [pair, [far, near] as const]) {
      socket.setNoDelay(true);
      // Its end tells the same.
      socket.on('error', () => undefined);
      socket.once('close', () => {
        other.destroy();
        this.#pairs.delete(pair);
      });
    }
    if (!this.#isFrozen) flow(pair);
  }
}

/** A Unix socket knows no reset: its peer sees an end without a goodbye. */
function crash(socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

function flow([near, far]: readonly [Socket, Socket]): void {
  near.pipe(far);
  far.pipe(near);
}
