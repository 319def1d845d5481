import {
  createServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Observable, type Subscriber } from 'rxjs';
import { WebSocketServer } from 'ws';
import {
  LIMITS,
  multiplex,
  RoutineEngineError,
  type Connection,
  type Listener,
} from '@routine-engine/core/adapter';
import { systemClock } from '@routine-engine/core/host';
import { Admission } from './admission.js';
import { authentication, type Authenticate } from './authentication.js';
import { assertNotExposed, urlHost } from './exposure.js';
import { WS_LIMITS, type WsGrant, type WsListenerOptions } from './options.js';
import { WebSocketPipe } from './web-socket-pipe.js';

/**
 * Listens for nodes that dial by WebSocket. Without options on a free port of this machine's loopback.
 * @throws {@link RoutineEngineError} `LISTENER_EXPOSED` when other machines could connect unknown or in plain text,
 *   `TRANSPORT_ADDRESS_IN_USE`, `OPTION_INVALID`, `TRANSPORT_UNREACHABLE` for an address that is not this machine's.
 * @public
 */
export async function wsListener(options: WsListenerOptions = {}): Promise<Listener> {
  assertNotExposed(options);
  const { path = '/' } = options;
  if (!path.startsWith('/') || path.includes('?'))
    throw new RoutineEngineError(
      'OPTION_INVALID',
      `wsListener: path is ${path}; it must begin with / and have no ?`,
    );
  const listener = new WsListener(options, path);
  await listener.start();
  return listener;
}

class WsListener implements Listener {
  readonly #options: WsListenerOptions;
  readonly #path: string;
  readonly #authenticate: Authenticate;
  readonly #admission: Admission;
  readonly #server: HttpServer | HttpsServer;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: LIMITS.chunkBytes,
    maxFragments: WS_LIMITS.fragments,
  });
  readonly #connections = new Map<Connection, WebSocketPipe>();
  readonly #handshakes = new Set<Duplex>();
  #waiting: Connection[] = [];
  #subscriber: Subscriber<Connection> | undefined;
  #closing: Promise<void> | undefined;
  /** Where it listened, once it closes. */
  #was: ReturnType<HttpServer['address']> = null;

  constructor(options: WsListenerOptions, path: string) {
    this.#options = options;
    this.#path = path;
    this.#authenticate = authentication(options.auth);
    this.#admission = new Admission(options.limits);
    this.#server = options.server ?? ownServer(options, this.#admission);
    this.#server.on('upgrade', this.#onUpgrade);
  }

  readonly connections$: Observable<Connection> = new Observable((subscriber) => {
    this.#subscriber = subscriber;
    for (const connection of this.#waiting.splice(0)) subscriber.next(connection);
    if (this.#closing) subscriber.complete();
  });

  get address(): string {
    const { tls, server, host } = this.#options;
    const at = this.#closing ? this.#was : this.#server.address();
    if (typeof at === 'string') return `ws+unix:${at}${this.#path === '/' ? '' : `:${this.#path}`}`;
    const scheme = tls || (server && 'setSecureContext' in server) ? 'wss' : 'ws';
    const name = host ?? at?.address ?? '127.0.0.1';
    return `${scheme}://${urlHost(name)}:${at?.port ?? 0}${this.#path}`;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const { server, host = '127.0.0.1', port = 0, socketPath } = this.#options;
    if (server) return;
    const where = socketPath ?? `${urlHost(host)}:${port}`;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(startError(error, where)));
      const onListening = (): void => resolve();
      if (socketPath === undefined) this.#server.listen({ host, port }, onListening);
      else this.#server.listen({ path: socketPath }, onListening);
    });
    // Such as of a socket that could not be accepted: the next one may be.
    this.#server.on('error', () => undefined);
  }

  close(): Promise<void> {
    if (!this.#closing) this.#was = this.#server.address();
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#server.off('upgrade', this.#onUpgrade);
    for (const stream of this.#handshakes) stream.destroy();
    this.#waiting = [];
    const ending = [...this.#connections].map(async ([connection, pipe]) => {
      pipe.goesAway();
      await connection.close('the listener closes');
      await pipe.closed;
    });
    const closed = this.#options.server
      ? undefined
      : new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await Promise.all(ending);
    if (!this.#options.server) this.#server.closeAllConnections();
    await closed;
    this.#subscriber?.complete();
  }

  readonly #onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    if (pathOf(request) !== this.#path) {
      // Another listener of the same server may know it.
      if (!this.#options.server) refuse(stream, 404, 'Not Found');
      return;
    }
    const place = this.#admission.enter(request.socket.remoteAddress ?? '');
    if (!place) return refuse(stream, 503, 'Service Unavailable');
    stream.once('close', () => place.gone());
    const { origin } = request.headers;
    if (origin !== undefined && !this.#options.origins?.includes(origin))
      return refuse(stream, 403, 'Forbidden');
    this.#handshakes.add(stream);
    const ignore = (): void => undefined;
    // Its end tells the same.
    stream.on('error', ignore);
    void this.#grantOf(request).then((grant) => {
      this.#handshakes.delete(stream);
      stream.off('error', ignore);
      if (!grant) return refuse(stream, 401, 'Unauthorized');
      place.authenticated();
      this.#accept(request, stream, head, grant);
    });
  };

  /** Never rejects: who can't be checked is not let in. */
  async #grantOf(request: IncomingMessage): Promise<WsGrant | undefined> {
    const { clock = systemClock, limits } = this.#options;
    const handshakeMs = limits?.handshakeMs ?? WS_LIMITS.handshakeMs;
    return new Promise((resolve) => {
      const late = clock.after(handshakeMs, () => resolve(undefined));
      this.#authenticate(request)
        .then(resolve, () => resolve(undefined))
        .finally(() => late.cancel());
    });
  }

  #accept(request: IncomingMessage, stream: Duplex, head: Buffer, grant: WsGrant): void {
    if (this.#closing || stream.destroyed) return void stream.destroy();
    this.#sockets.handleUpgrade(request, stream, head, (socket) => {
      const { clock = systemClock, pingMs = WS_LIMITS.pingMs, connectionLimits } = this.#options;
      const { remoteAddress, remotePort } = request.socket;
      const peer = remoteAddress === undefined ? 'a Unix socket' : `${urlHost(remoteAddress)}:${remotePort}`;
      const pipe = new WebSocketPipe({ socket, stream, peer, clock, pingMs });
      const connection = multiplex(pipe, {
        clock,
        ...(connectionLimits && { limits: connectionLimits }),
        ...(grant.roles && { roles: grant.roles }),
      });
      this.#connections.set(connection, pipe);
      void pipe.closed.then(() => this.#connections.delete(connection));
      if (this.#subscriber) this.#subscriber.next(connection);
      else this.#waiting.push(connection);
    });
  }
}

function ownServer(
  { tls, limits, onRequest = askToUpgrade }: WsListenerOptions,
  admission: Admission,
): HttpServer | HttpsServer {
  const handshakeMs = limits?.handshakeMs ?? WS_LIMITS.handshakeMs;
  const options = {
    headersTimeout: handshakeMs,
    requestTimeout: handshakeMs,
    connectionsCheckingInterval: Math.ceil(handshakeMs / 4),
    keepAlive: true,
    noDelay: true,
    maxHeaderSize: limits?.headerBytes ?? WS_LIMITS.headerBytes,
  };
  const server = tls
    ? createTlsServer({ minVersion: 'TLSv1.2', handshakeTimeout: handshakeMs, ...tls, ...options })
    : createServer(options);
  server.maxConnections = limits?.connections ?? WS_LIMITS.connections;
  // Before TLS: who never says anything has a socket all the same.
  server.on('connection', (socket: Socket) => {
    const gone = admission.open(socket.remoteAddress ?? '');
    if (gone) socket.once('close', gone);
    else socket.destroy();
  });
  server.on('request', onRequest);
  return server;
}

function askToUpgrade(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { Connection: 'close', Upgrade: 'websocket', 'Content-Length': 0 }).end();
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

function refuse(stream: Duplex, status: number, text: string): void {
  // It may be gone already.
  stream.on('error', () => undefined);
  stream.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    stream.destroy(),
  );
}

function startError(cause: NodeJS.ErrnoException, where: string): RoutineEngineError {
  if (cause.code === 'EADDRINUSE')
    return new RoutineEngineError('TRANSPORT_ADDRESS_IN_USE', `Something listens at ${where} already`, {
      cause,
    });
  return new RoutineEngineError('TRANSPORT_UNREACHABLE', `Can't listen at ${where}: ${cause.message}`, {
    cause,
  });
}
