import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';

/** Somebody who is connected to a listener and may say anything. @public */
export interface RawPeer {
  /** Sends bytes as they are; does nothing once the connection is closed. */
  write(bytes: Uint8Array): void;
  /** Says that no more comes. */
  end(): void;
  /** Is gone without a goodbye. */
  destroy(): void;
  /** Resolves when the connection is closed, however it came to that. */
  readonly closed: Promise<void>;
}

/** A {@link RawPeer} for transports over TCP or Unix sockets. @public */
export async function rawTcpPeer(target: NetConnectOpts): Promise<RawPeer> {
  const socket = connect(target);
  // Its end tells the same.
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await Promise.race([once(socket, 'connect'), closed]);
  socket.resume();
  return {
    write: (bytes) => void (socket.writable && socket.write(bytes)),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
    closed,
  };
}
