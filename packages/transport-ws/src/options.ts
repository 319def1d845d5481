import type { IncomingHttpHeaders, IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { PeerCertificate, TlsOptions } from 'node:tls';
import type { Clock, MultiplexLimits, NodeRole } from '@routine-engine/core/adapter';

/** Every default number of this transport, each with its unit in its name. @public */
export const WS_LIMITS = {
  /** How long a connection may take from its first byte, or from dialling, until it is open. */
  handshakeMs: 10_000,
  /** How often either side asks whether the other is there; a peer that says nothing from one question to the next is gone. */
  pingMs: 30_000,
  /** Connections of one listener, those in their handshake included. */
  connections: 16_384,
  /** Connections from one address, and as many sockets beside them that are none yet. */
  connectionsPerAddress: 1_024,
  /** Connections that have not authenticated yet; of one address at most a quarter of them. */
  handshakes: 1_024,
  /** Bytes of the headers of a request. */
  headerBytes: 16 * 1024,
  /** Frames that one message may be cut into. */
  fragments: 64,
} as const;

/** How a node trusts the service, and is trusted by it. @public */
export interface WsClientTls {
  /** Certificates of authorities that are trusted, in PEM. Default: those that Node trusts. */
  readonly ca?: TlsOptions['ca'];
  /** Certificate of this node, in PEM, where the listener asks for one. */
  readonly cert?: TlsOptions['cert'];
  /** Key of `cert`, in PEM. */
  readonly key?: TlsOptions['key'];
  /** Name that the certificate of the service must have. Default: the host of the address. */
  readonly servername?: string;
}

/** How connections are dialled. @public */
export interface WsClientOptions {
  /** Sent as `Authorization: Bearer`. It never reaches logs, events or errors. */
  readonly token?: string;
  /** Further headers of the request, such as for a proxy. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls?: WsClientTls;
  /**
   * Sends a token also where others could read it: by `ws:` to another machine, as in a private network. Default no.
   */
  readonly allowPlaintext?: boolean;
  /** Milliseconds until a connection that is dialled must be open. Default: `WS_LIMITS.handshakeMs`. */
  readonly handshakeMs?: number;
  /** Milliseconds between two pings; 0 for none. Default: `WS_LIMITS.pingMs`. */
  readonly pingMs?: number;
  /** What connections may hold. */
  readonly limits?: Partial<MultiplexLimits>;
}

/** A request to connect, as it is shown to `authenticate`. @public */
export interface WsRequest {
  readonly headers: IncomingHttpHeaders;
  /** Path and query. */
  readonly url: string;
  /** Address of the peer, or of the proxy before it; empty for a Unix socket. */
  readonly remoteAddress: string;
  /** The checked certificate of the peer, when the listener asks for one. */
  readonly certificate?: PeerCertificate;
}

/** What a peer that is let in may be. @public */
export interface WsGrant {
  /** Default: all. */
  readonly roles?: readonly NodeRole[];
}

/** Who is let in. @public */
export interface WsAuth {
  /** Tokens, and what their bearers may be. At least 16 characters each. */
  readonly tokens?: readonly (WsGrant & { readonly token: string })[];
  /** Decides by itself, when no token fits. `undefined`, or a throw, refuses; it must answer within `handshakeMs`. */
  readonly authenticate?: (request: WsRequest) => Promise<WsGrant | undefined> | WsGrant | undefined;
}

/** How many of what one listener takes. @public */
export interface WsListenerLimits {
  /** Default: `WS_LIMITS.connections`. */
  readonly connections?: number;
  /** Default: `WS_LIMITS.connectionsPerAddress`. */
  readonly connectionsPerAddress?: number;
  /** Default: `WS_LIMITS.handshakes`. */
  readonly handshakes?: number;
  /** Default: `WS_LIMITS.handshakeMs`. */
  readonly handshakeMs?: number;
  /** Default: `WS_LIMITS.headerBytes`. Only for a server of its own. */
  readonly headerBytes?: number;
}

/** Where and how a listener takes connections. @public */
export interface WsListenerOptions {
  /** Default `127.0.0.1`. Another machine reaches only others, and they need `auth` and `tls`. */
  readonly host?: string;
  /** Default 0: any free port; see the listener's `address`. */
  readonly port?: number;
  /** A Unix socket in place of host and port. */
  readonly socketPath?: string;
  /** Path of the address. Default `/`. */
  readonly path?: string;
  /** A server that exists: only upgrades of `path` are taken, and it is neither started nor closed. */
  readonly server?: HttpServer | HttpsServer;
  /**
   * Answers requests that are no upgrades, such as for health checks: anybody who reaches the port may send them. Default: 426.
   * Only for a server of its own.
   */
  readonly onRequest?: (request: IncomingMessage, response: ServerResponse) => void;
  readonly auth?: WsAuth;
  /** Key, certificate and, for mutual TLS, `ca` and `requestCert: true`. */
  readonly tls?: TlsOptions;
  /** Takes connections of other machines without `tls`: behind a proxy that has it, or in a private network. Default no. */
  readonly allowPlaintext?: boolean;
  /** Origins of web pages that may connect. Default none: browsers always send one, nodes never do. */
  readonly origins?: readonly string[];
  readonly limits?: WsListenerLimits;
  /** What one connection may hold. */
  readonly connectionLimits?: Partial<MultiplexLimits>;
  /** Milliseconds between two pings; 0 for none. Default: `WS_LIMITS.pingMs`. */
  readonly pingMs?: number;
  /** Default: the machine's own time. */
  readonly clock?: Clock;
}
