import type { Duplex } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { WebSocket, type ClientOptions } from 'ws';
import {
  LIMITS,
  multiplex,
  RoutineEngineError,
  type Clock,
  type Connection,
  type Listener,
  type Transport,
  type TransportCapabilities,
  unlessAborted,
} from '@routine-engine/core/adapter';
import { assertToken } from './authentication.js';
import { bareHost, isLoopback } from './exposure.js';
import { WS_LIMITS, type WsClientOptions } from './options.js';
import { WebSocketPipe } from './web-socket-pipe.js';
import { wsListener } from './ws-listener.js';

/** How a transport dials, and whose time it goes by. @public */
export interface WsTransportOptions extends WsClientOptions {
  readonly clock: Clock;
}

/** Links nodes by WebSocket: `ws:`, `wss:` and, for Unix sockets, `ws+unix:`. @public */
export class WsTransport implements Transport {
  readonly name = 'ws';
  readonly schemes = ['ws:', 'wss:', 'ws+unix:'];
  readonly capabilities: TransportCapabilities = {
    ordered: true,
    largestBodyBytes: Number.POSITIVE_INFINITY,
    sharesMemory: false,
  };
  readonly #options: WsTransportOptions;

  /** @throws {@link RoutineEngineError} `OPTION_INVALID`. */
  constructor(options: WsTransportOptions) {
    if (options.token !== undefined) assertToken(options.token, 'wsTransport: token');
    this.#options = options;
  }

  /**
   * @throws {@link RoutineEngineError} `TRANSPORT_UNREACHABLE` also when the peer speaks no WebSocket, `TRANSPORT_REFUSED`
   *   when it does not let this node in, `OPTION_INVALID` for an address that is none or would show the token to others.
   */
  async dial(address: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Connection> {
    signal?.throwIfAborted();
    const url = this.#checked(address);
    const socket = new WebSocket(url, this.#clientOptions(url));
    const stream = await unlessAborted(opened(socket, place(url)), signal).catch((error: unknown) => {
      socket.terminate();
      throw error;
    });
    const { clock, pingMs = WS_LIMITS.pingMs, limits } = this.#options;
    const pipe = new WebSocketPipe({ socket, stream, peer: place(url), clock, pingMs });
    return multiplex(pipe, { clock, ...(limits && { limits }) });
  }

  /** Listens on this machine, for `ws:` addresses; {@link wsListener} has the rest. @throws what that throws. */
  async listen(address: string): Promise<Listener> {
    const url = this.#checked(address);
    const { clock } = this.#options;
    if (url.protocol === 'ws+unix:') return wsListener({ socketPath: url.pathname, clock });
    const port = url.port === '' ? 80 : Number(url.port);
    return wsListener({ host: bareHost(url.hostname), port, path: url.pathname, clock });
  }

  #checked(address: string): URL {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (!url || !this.schemes.includes(url.protocol)) {
      const what = url ? `${url.protocol} is none of ${this.schemes.join(', ')}` : 'it is no URL';
      throw new RoutineEngineError('OPTION_INVALID', `The address of a WebSocket was given, but ${what}`);
    }
    if (url.username || url.password) {
      throw new RoutineEngineError(
        'OPTION_INVALID',
        `${place(url)}: an address with a user or password would show them in logs; give token or headers`,
      );
    }
    const { token, allowPlaintext } = this.#options;
    if (token !== undefined && isReadByOthers(url) && !allowPlaintext) {
      throw new RoutineEngineError(
        'OPTION_INVALID',
        `${place(url)}: others could read the token; use wss:, or allowPlaintext: true in a private network`,
      );
    }
    return url;
  }

  #clientOptions(url: URL): ClientOptions {
    const { token, headers, tls, handshakeMs = WS_LIMITS.handshakeMs } = this.#options;
    return {
      ...tls,
      headers: { ...headers, ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
      handshakeTimeout: handshakeMs,
      followRedirects: false,
      perMessageDeflate: false,
      maxPayload: LIMITS.chunkBytes,
      maxFragments: WS_LIMITS.fragments,
      // Masks keep web pages from writing what a proxy on the way takes for a request (RFC 6455, section 10.3). Where there
      // is no proxy that could read along they would only cost a copy of every byte.
      ...(!isReadByOthers(url) && { generateMask: (mask: Buffer) => void mask.fill(0) }),
    };
  }
}

/** Whether somebody between the two could read along. */
function isReadByOthers({ protocol, hostname }: URL): boolean {
  return protocol === 'ws:' && !isLoopback(hostname);
}

/** An address without what may be secret. */
function place({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`;
}

/** Waits until a socket is open. @returns the stream below it. */
function opened(socket: WebSocket, where: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    let stream: Duplex | undefined;
    const unreachable = (cause: Error): void =>
      reject(new RoutineEngineError('TRANSPORT_UNREACHABLE', `${where}: ${cause.message}`, { cause }));
    socket.on('error', unreachable);
    socket.on('upgrade', (response: IncomingMessage) => (stream = response.socket));
    socket.on('unexpected-response', (_request, response: IncomingMessage) => {
      const { statusCode = 0 } = response;
      response.destroy();
      reject(refusal(where, statusCode));
    });
    socket.on('open', () => {
      // What the peer has sent already waits until the pipe listens.
      socket.pause();
      socket.off('error', unreachable);
      if (stream) resolve(stream);
      else reject(new RoutineEngineError('INTERNAL', `${where} opened without an upgrade`));
    });
  });
}

function refusal(where: string, status: number): RoutineEngineError {
  const isOfAuth = status === 401 || status === 403;
  const what = isOfAuth ? 'does not let this node in: check token, certificate and roles' : 'is no listener';
  return new RoutineEngineError(
    isOfAuth ? 'TRANSPORT_REFUSED' : 'TRANSPORT_UNREACHABLE',
    `${where} answered ${status}: it ${what}`,
  );
}
