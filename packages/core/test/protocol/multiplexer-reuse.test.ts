import { expect, it } from 'vitest';
import { LIMITS } from '../../src/model/limits.js';
import type { MessagePipe } from '../../src/ports/message-pipe.js';
import type { Connection } from '../../src/ports/transport.js';
import { multiplex } from '../../src/protocol/multiplexer.js';
import { Heard, lent, pattern, read } from './connected.js';
import { MemoryPipe, Turns } from './memory-pipe.js';

const BYTES = 8 * 1024 * 1024 + 77;
/** Messages of a chunk that the pipe has in hand before it is full. */
const IN_HAND = (1024 * 1024) / LIMITS.chunkBytes;

interface Sending {
  readonly turns: Turns;
  readonly here: Connection;
  readonly there: Connection;
  /** Memories that long messages were sent in. */
  readonly memories: Set<ArrayBufferLike>;
}

/** A connection whose pipe copies what it sends; when it gives memory back, it spoils it before. */
function sending(givesBack: boolean): Sending {
  const turns = new Turns();
  const { here, there } = MemoryPipe.pair(turns);
  const memories = new Set<ArrayBufferLike>();
  const pipe: MessagePipe = Object.create(here, {
    send: {
      value(message: Uint8Array, released?: () => void): boolean {
        if (message.byteLength > LIMITS.chunkBytes / 2) memories.add(message.buffer);
        const hasRoom = here.send(Uint8Array.from(message));
        if (!givesBack || !released) return hasRoom;
        message.fill(0xee);
        turns.nextTurn(released);
        return hasRoom;
      },
    },
    drained: { value: () => here.drained() },
    messages$: { value: here.messages$ },
    pause: { value: () => here.pause() },
    resume: { value: () => here.resume() },
    close: { value: (reason?: string) => here.close(reason) },
  });
  const connection = multiplex(pipe, { clock: turns });
  return { turns, here: connection, there: multiplex(there, { clock: turns }), memories };
}

async function arrived({ turns, here, there }: Sending, chunkBytes: number): Promise<void> {
  const heard = new Heard(there);
  const bytes = pattern(BYTES);
  here.send({ header: {}, body: lent(bytes, chunkBytes) });
  const { body } = await turns.until(heard.take());
  expect(Buffer.compare(await turns.until(read(body)), bytes)).toBe(0);
}

it.each([LIMITS.chunkBytes, 200_000, 3_000_000])(
  'a body in lent chunks of %i bytes goes in memory that the pipe gives back, and arrives exact',
  async (chunkBytes) => {
    const connection = sending(true);
    await arrived(connection, chunkBytes);
    expect(connection.memories.size).toBeLessThanOrEqual(2 * IN_HAND + 2);
  },
);

it('memory that the pipe does not give back is never used again', async () => {
  const connection = sending(false);
  await arrived(connection, LIMITS.chunkBytes);
  expect(connection.memories.size).toBeGreaterThanOrEqual(Math.floor(BYTES / LIMITS.chunkBytes));
});
