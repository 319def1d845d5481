import { isIPv6 } from 'node:net';
import { RoutineEngineError } from '@routine-engine/core/adapter';
import type { WsListenerOptions } from './options.js';

/** Whether only processes of this machine reach a host. */
export function isLoopback(host: string): boolean {
  const bare = bareHost(host);
  return bare === 'localhost' || bare === '::1' || /^127\.\d+\.\d+\.\d+$/.test(bare);
}

/**
 * Refuses to be open to other machines without knowing who comes, or in plain text.
 * @throws {@link RoutineEngineError} `LISTENER_EXPOSED`.
 */
export function assertNotExposed(options: WsListenerOptions): void {
  const { host = '127.0.0.1', socketPath, server, auth, tls, allowPlaintext } = options;
  if (!server && (socketPath !== undefined || isLoopback(host))) return;
  const where = server ? 'a server that exists' : host;
  const isMutual = tls?.requestCert === true && tls.rejectUnauthorized !== false;
  if (!auth && !isMutual) {
    throw new RoutineEngineError(
      'LISTENER_EXPOSED',
      `wsListener: ${where} may be reached from other machines, and whoever connects may run code here. ` +
        'Give auth, or tls with ca and requestCert, or listen on 127.0.0.1',
    );
  }
  if (tls || server || allowPlaintext) return;
  throw new RoutineEngineError(
    'LISTENER_EXPOSED',
    `wsListener: ${where} may be reached from other machines, and others could read along. Give tls, or ` +
      'allowPlaintext: true behind a proxy that has it or in a private network',
  );
}

/** A host without the brackets that IPv6 has in a URL. */
export function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

/** A host as it stands in a URL. */
export function urlHost(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
