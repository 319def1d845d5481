import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { RoutineEngineError, type NodeRole } from '@routine-engine/core/adapter';
import type { WsAuth, WsGrant, WsRequest } from './options.js';

/** Fewer could be guessed. */
const LEAST_TOKEN_LENGTH = 16;
const ALL_ROLES: readonly NodeRole[] = ['worker', 'client'];

/** Says what the sender of a request may be; `undefined` for nothing. */
export type Authenticate = (request: IncomingMessage) => Promise<WsGrant | undefined>;

/**
 * Makes one check of all that says who is let in.
 * @throws {@link RoutineEngineError} `OPTION_INVALID`, never with a token in its text.
 */
export function authentication(auth: WsAuth | undefined): Authenticate {
  if (!auth) return async () => ({ roles: ALL_ROLES });
  const tokens = (auth.tokens ?? []).map(({ token, roles = ALL_ROLES }, index) => {
    assertToken(token, `auth.tokens[${index}]`);
    assertRoles(roles, `auth.tokens[${index}]`);
    return { digest: digestOf(token), roles };
  });
  if (tokens.length === 0 && !auth.authenticate)
    throw new RoutineEngineError('OPTION_INVALID', 'wsListener: auth has neither tokens nor authenticate');
  return async (request) => {
    const given = bearerOf(request.headers.authorization);
    const digest = given === undefined ? undefined : digestOf(given);
    let granted: WsGrant | undefined;
    // All of them, so that the time tells nothing of which one it is.
    for (const { digest: expected, roles } of tokens)
      if (digest && timingSafeEqual(digest, expected)) granted = { roles };
    return granted ?? (await auth.authenticate?.(shown(request)));
  };
}

/** Refuses what would never be let in, before it is sent anywhere. @throws {@link RoutineEngineError} `OPTION_INVALID`. */
export function assertToken(token: unknown, where: string): void {
  if (typeof token === 'string' && token.length >= LEAST_TOKEN_LENGTH && /^[\x21-\x7e]+$/.test(token)) return;
  throw new RoutineEngineError(
    'OPTION_INVALID',
    `${where}: a token has at least ${LEAST_TOKEN_LENGTH} visible ASCII characters and no space`,
  );
}

function assertRoles(roles: readonly unknown[], where: string): void {
  if (roles.length > 0 && roles.every((role) => ALL_ROLES.includes(role as NodeRole))) return;
  throw new RoutineEngineError(
    'OPTION_INVALID',
    `wsListener: ${where}.roles must be some of ${ALL_ROLES.join(', ')}`,
  );
}

/** Of one length whatever the token is, which comparing in constant time asks for. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer ([\x21-\x7e]+)$/i.exec(header ?? '')?.[1];
}

function shown(request: IncomingMessage): WsRequest {
  const { headers, url = '/', socket } = request;
  const certificate = (socket as Partial<TLSSocket>).authorized
    ? (socket as TLSSocket).getPeerCertificate()
    : undefined;
  return { headers, url, remoteAddress: socket.remoteAddress ?? '', ...(certificate && { certificate }) };
}
