import type { Socket } from 'node:net';
import { LIMITS, type Clock } from '@routine-engine/core/adapter';

/** What both sides say first, so that each knows that somebody is there who speaks the same. */
const GREETING = Buffer.from('ren1');

/**
 * Greets, and waits for the greeting of the peer. Nothing behind it is read.
 * @throws an Error that says what came instead, at the latest after `LIMITS.handshakeMs`.
 */
export function greet(socket: Socket, clock: Clock): Promise<void> {
  socket.write(GREETING);
  return new Promise((resolve, reject) => {
    const settle = (why?: string): void => {
      late.cancel();
      socket.off('readable', look).off('close', ended);
      if (why === undefined) resolve();
      else reject(new Error(why));
    };
    const look = (): void => {
      const said = socket.read(GREETING.byteLength) as Buffer | null;
      if (said) settle(GREETING.equals(said) ? undefined : 'the peer says something else');
    };
    const ended = (): void => settle('the peer ended before it greeted');
    const late = clock.after(LIMITS.handshakeMs, () => settle('the peer does not greet'));
    socket.on('readable', look).on('close', ended);
  });
}
