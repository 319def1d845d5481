import type { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import { LIMITS } from '../../src/model/limits.js';
import type { Connection } from '../../src/ports/transport.js';
import { putRecord, recordOf } from '../../src/protocol/envelope-record.js';
import { FrameType, creditPayload, startPayload } from '../../src/protocol/frames.js';
import { multiplex } from '../../src/protocol/multiplexer.js';
import { Outbox } from '../../src/protocol/outbox.js';
import { Heard, streamed } from './connected.js';
import { noteTaker, type FrameNote } from './frame-notes.js';
import { NOTHING } from './frames-by-hand.js';
import { MemoryPipe, Turns } from './memory-pipe.js';

/** What it says at its start. */
export const START = startPayload({ initialWindowBytes: 100_000, connectionWindowBytes: 200_000 });

/** A connection whose peer is a test that writes frames by hand. */
export class Hostile {
  readonly turns = new Turns();
  readonly violations: RoutineEngineError[] = [];
  readonly victim: Connection;
  readonly heard: Heard;
  readonly pipe: MemoryPipe;
  /** What the victim said. */
  readonly said: FrameNote[] = [];
  isClosed = false;

  constructor() {
    const { here, there } = MemoryPipe.pair(this.turns);
    this.pipe = here;
    this.victim = multiplex(there, {
      clock: this.turns,
      onViolation: (error) => void this.violations.push(error),
    });
    this.heard = new Heard(this.victim);
    const reader = noteTaker(this.said);
    this.pipe.messages$.subscribe((message) => reader.read(message));
    void this.pipe.closed.then(() => (this.isClosed = true));
  }

  /** Sends one frame as a message of its own. */
  async frame(type: number, flags: number, stream: number, payload: Uint8Array = NOTHING): Promise<void> {
    const outbox = new Outbox(LIMITS.chunkBytes);
    outbox.write(type, flags, stream, payload);
    await this.message(outbox.take() as Uint8Array);
  }

  async message(bytes: Uint8Array): Promise<void> {
    if (!this.isClosed) this.pipe.send(bytes);
    await this.turns.settle();
  }

  /** Begins a body. */
  async open(stream: number, byteLength: number): Promise<void> {
    const body = streamed(byteLength, async function* () {});
    const record = recordOf({ header: { n: stream }, body }, false);
    const payload = new Uint8Array(record.byteLength);
    putRecord(payload, 0, record);
    await this.frame(FrameType.envelope, 0, stream, payload);
  }
}

/** One that has said its start. */
export async function started(): Promise<Hostile> {
  const hostile = new Hostile();
  await hostile.frame(FrameType.start, 0, 0, START);
  return hostile;
}

export const data = (hostile: Hostile, stream: number, flags: number, length = 1) =>
  hostile.frame(FrameType.data, flags, stream, new Uint8Array(length));
export const end = (hostile: Hostile, stream: number) => hostile.frame(FrameType.end, 0, stream);
export const credit = (hostile: Hostile, stream: number, bytes: number) =>
  hostile.frame(FrameType.credit, 0, stream, creditPayload(bytes));
