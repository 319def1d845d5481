import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import {
  multiplex,
  RoutineEngineError,
  unlessAborted,
  type Clock,
  type Connection,
  type Listener,
  type Transport,
} from '@routine-engine/core/adapter';
import { Observable, type Subscriber } from 'rxjs';
import { greet } from './greeting.js';
import { SocketPipe } from './socket-pipe.js';

/**
 * Links nodes by TCP, at addresses such as `tcp://127.0.0.1:7700`. There are no credentials and no encryption: it listens on
 * this machine alone.
 */
export class TcpTransport implements Transport {
  readonly name = 'tcp';
  readonly schemes = ['tcp:'];
  readonly capabilities = {
    ordered: true,
    largestBodyBytes: Number.POSITIVE_INFINITY,
    sharesMemory: false,
  };
  readonly #clock: Clock;

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  async dial(address: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Connection> {
    signal?.throwIfAborted();
    const socket = connect({ ...placeOf(address), noDelay: true });
    try {
      await unlessAborted(opened(socket, address, this.#clock), signal);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    // Core makes everything else of a pipe: streams, chunks, windows.
    return multiplex(new SocketPipe(socket, address), { clock: this.#clock });
  }

  async listen(address: string): Promise<Listener> {
    const { host, port } = placeOf(address);
    if (!LOOPBACK.has(host))
      throw new RoutineEngineError(
        'LISTENER_EXPOSED',
        `${address}: others could connect; listen at 127.0.0.1`,
      );
    const listener = new TcpListener(this.#clock);
    await listener.open(host, port);
    return listener;
  }
}

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

class TcpListener implements Listener {
  readonly #server: Server;
  /** Connected, and not greeted yet. */
  readonly #silent = new Set<Socket>();
  readonly #connections = new Map<Connection, SocketPipe>();
  #address = '';
  #early: Connection[] = [];
  #subscriber: Subscriber<Connection> | undefined;
  #closing: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#server = createServer({ noDelay: true }, (socket) => void this.#take(socket, clock));
  }

  /** Who does not greet is no node. */
  async #take(socket: Socket, clock: Clock): Promise<void> {
    this.#silent.add(socket.on('error', ignore));
    socket.once('close', () => this.#silent.delete(socket));
    try {
      await greet(socket, clock);
    } catch {
      return void socket.destroy();
    }
    this.#silent.delete(socket);
    if (this.#closing) return void socket.destroy();
    const pipe = new SocketPipe(socket, `${this.#address}#${socket.remotePort}`);
    const connection = multiplex(pipe, { clock });
    this.#connections.set(connection, pipe);
    void pipe.closed.then(() => this.#connections.delete(connection));
    if (this.#subscriber) this.#subscriber.next(connection);
    else this.#early.push(connection);
  }

  /** The one to dial: with the port that was free when none was given. */
  get address(): string {
    return this.#address;
  }

  open(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (cause: NodeJS.ErrnoException): void => {
        const code = cause.code === 'EADDRINUSE' ? 'TRANSPORT_ADDRESS_IN_USE' : 'TRANSPORT_UNREACHABLE';
        reject(new RoutineEngineError(code, cause.message, { cause }));
      };
      this.#server.once('error', failed);
      this.#server.listen(port, host, () => {
        this.#server.off('error', failed);
        const { port: own } = this.#server.address() as AddressInfo;
        this.#address = `tcp://${host.includes(':') ? `[${host}]` : host}:${own}`;
        resolve();
      });
    });
  }

  readonly connections$: Observable<Connection> = new Observable((subscriber) => {
    this.#subscriber = subscriber;
    for (const connection of this.#early.splice(0)) subscriber.next(connection);
    if (this.#closing) subscriber.complete();
  });

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#silent) socket.destroy();
    const ending = [...this.#connections].map(async ([connection, pipe]) => {
      await connection.close('the listener closes');
      await pipe.closed;
    });
    await Promise.all([closed, ...ending]);
    this.#subscriber?.complete();
  }
}

/** @throws `OPTION_INVALID` */
function placeOf(address: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^tcp:\/\/(\[[0-9a-f:]+\]|[\w.-]+):(\d{1,5})$/i.exec(address) ?? [];
  if (host !== undefined && Number(port) <= 65_535)
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  const message = `${JSON.stringify(address)} is no address of this transport, such as tcp://127.0.0.1:7700`;
  throw new RoutineEngineError('OPTION_INVALID', message);
}

/** @throws `TRANSPORT_UNREACHABLE` */
async function opened(socket: Socket, address: string, clock: Clock): Promise<void> {
  try {
    await once(socket, 'connect');
    socket.on('error', ignore);
    await greet(socket, clock);
    socket.off('error', ignore);
  } catch (cause) {
    const message = `${address}: ${(cause as Error).message}`;
    throw new RoutineEngineError('TRANSPORT_UNREACHABLE', message, { cause });
  }
}

/** Its end tells the same. */
function ignore(): void {}
