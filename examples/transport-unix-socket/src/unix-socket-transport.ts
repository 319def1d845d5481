import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
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

/** Links nodes of one machine by Unix sockets, at addresses such as `unix:/run/routines.sock`. */
export class UnixSocketTransport implements Transport {
  readonly name = 'unix';
  readonly schemes = ['unix:'];
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
    const socket = connect(pathOf(address));
    try {
      await unlessAborted(opened(socket, address, this.#clock), signal);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return multiplex(new SocketPipe(socket, address), { clock: this.#clock });
  }

  async listen(address: string): Promise<Listener> {
    const path = pathOf(address);
    const listener = new UnixSocketListener(address, this.#clock);
    const isTaken = !(await listener.open(path));
    // What a process leaves that was killed nobody answers at.
    if (isTaken && (await isAnswered(path))) throw inUse(address);
    if (isTaken) await rm(path, { force: true });
    if (isTaken && !(await listener.open(path))) throw inUse(address);
    return listener;
  }
}

class UnixSocketListener implements Listener {
  readonly address: string;
  readonly #server: Server;
  readonly #silent = new Set<Socket>();
  readonly #connections = new Map<Connection, SocketPipe>();
  #early: Connection[] = [];
  #subscriber: Subscriber<Connection> | undefined;
  #closing: Promise<void> | undefined;

  constructor(address: string, clock: Clock) {
    this.address = address;
    this.#server = createServer((socket) => void this.#take(socket, clock));
  }

  /** Who only looks whether somebody listens greets nobody, and is none. */
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
    const pipe = new SocketPipe(socket, this.address);
    const connection = multiplex(pipe, { clock });
    this.#connections.set(connection, pipe);
    void pipe.closed.then(() => this.#connections.delete(connection));
    if (this.#subscriber) this.#subscriber.next(connection);
    else this.#early.push(connection);
  }

  /** @returns whether it listens: not when there is something at the path. */
  open(path: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => {
        if (error.code === 'EADDRINUSE') return resolve(false);
        reject(new RoutineEngineError('TRANSPORT_UNREACHABLE', error.message, { cause: error }));
      };
      this.#server.once('error', failed);
      this.#server.listen(path, () => {
        this.#server.off('error', failed);
        resolve(true);
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
function pathOf(address: string): string {
  const path = /^unix:(\/[^\0]+)$/.exec(address)?.[1];
  if (path !== undefined) return path;
  const message = `${JSON.stringify(address)} is no address of a Unix socket, such as unix:/run/routines.sock`;
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

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

function inUse(address: string): RoutineEngineError {
  return new RoutineEngineError('TRANSPORT_ADDRESS_IN_USE', `Something listens at ${address} already`);
}
