import { readRecord, putRecord, recordOf } from '../../src/protocol/envelope-record.js';
import { FrameReader } from '../../src/protocol/frame-reader.js';
import {
  FrameFlag,
  FrameType,
  creditPayload,
  resetPayload,
  startPayload,
} from '../../src/protocol/frames.js';
import { bodyOf, encodedOfParts } from '../../src/model/body.js';
import { multiplex } from '../../src/protocol/multiplexer.js';
import { Heard, inMemory, pattern, read, streamed } from './connected.js';
import { NOTHING, frame } from './frames-by-hand.js';
import { MemoryPipe, Turns } from './memory-pipe.js';

/** A frame in words, as the golden vectors note it. Bytes are hexadecimal. */
export type FrameNote =
  | { readonly type: 'start'; readonly initialWindowBytes: number; readonly connectionWindowBytes: number }
  | {
      readonly type: 'envelope';
      readonly stream: number;
      readonly header: Readonly<Record<string, unknown>>;
      readonly sizes: readonly number[];
      readonly body?: string;
    }
  | { readonly type: 'piece'; readonly stream: number; readonly hasMore: boolean; readonly bytes: string }
  | {
      readonly type: 'data';
      readonly stream: number;
      readonly isEarly: boolean;
      readonly isDetached: boolean;
      readonly bytes: string;
    }
  | { readonly type: 'end' | 'stop'; readonly stream: number }
  | { readonly type: 'reset'; readonly stream: number; readonly code: string; readonly reason: string }
  | { readonly type: 'credit'; readonly stream: number; readonly bytes: number };

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The bytes of a message. Detached data is announced only: it is the next message. */
export function bytesOf(frames: readonly FrameNote[]): Uint8Array {
  return Buffer.concat(frames.map(bytesOfFrame));
}

function bytesOfFrame(note: FrameNote): Uint8Array {
  switch (note.type) {
    case 'start':
      return frame(FrameType.start, 0, 0, startPayload(note));
    case 'envelope':
      return frame(FrameType.envelope, 0, note.stream, recordOfNote(note));
    case 'piece':
      return frame(
        FrameType.envelope,
        note.hasMore ? FrameFlag.more : 0,
        note.stream,
        Buffer.from(note.bytes, 'hex'),
      );
    case 'data': {
      const flag = note.isEarly ? FrameFlag.early : 0;
      const bytes = Buffer.from(note.bytes, 'hex');
      if (note.isDetached)
        return frame(FrameType.data, flag | FrameFlag.detached, note.stream, NOTHING, bytes.byteLength);
      return frame(FrameType.data, flag, note.stream, bytes);
    }
    case 'end':
    case 'stop':
      return frame(FrameType[note.type], 0, note.stream, NOTHING);
    case 'reset':
      return frame(FrameType.reset, 0, note.stream, resetPayload(note.code, note.reason));
    case 'credit':
      return frame(FrameType.credit, 0, note.stream, creditPayload(note.bytes));
  }
}

function recordOfNote({ header, sizes, body }: Extract<FrameNote, { type: 'envelope' }>): Uint8Array {
  const byteLength = sizes.reduce((sum, size) => sum + size, 0);
  const streams = { ...streamed(byteLength, async function* () {}), sizes };
  const envelope =
    sizes.length === 0 ? { header } : { header, body: body === undefined ? streams : partsOf(body, sizes) };
  const record = recordOf(envelope, body !== undefined);
  const bytes = new Uint8Array(record.byteLength);
  putRecord(bytes, 0, record);
  return bytes;
}

function partsOf(body: string, sizes: readonly number[]) {
  const bytes = new Uint8Array(Buffer.from(body, 'hex'));
  let at = 0;
  return bodyOf(encodedOfParts(sizes.map((size) => bytes.subarray(at, (at += size)))));
}

/** Notes what it reads. */
export function noteTaker(notes: FrameNote[]): FrameReader {
  return new FrameReader({
    onStart: (start) => notes.push({ type: 'start', ...start }),
    onEnvelope: (stream, place) => {
      const { header, sizes, parts } = readRecord(place, stream !== 0);
      const body = parts && { body: toHex(Buffer.concat(parts)) };
      notes.push({ type: 'envelope', stream, header, sizes, ...body });
    },
    onData: (stream, bytes, isEarly, isDetached) =>
      notes.push({ type: 'data', stream, isEarly, isDetached, bytes: toHex(bytes) }),
    onEnd: (stream) => notes.push({ type: 'end', stream }),
    onReset: (stream, code, reason) => notes.push({ type: 'reset', stream, code, reason }),
    onStop: (stream) => notes.push({ type: 'stop', stream }),
    onCredit: (stream, bytes) => notes.push({ type: 'credit', stream, bytes }),
  });
}

/** Reads messages into notes. @param hasStart - whether they begin with a start; else one before them is not noted. */
export function notesOf(messages: readonly Uint8Array[], hasStart: boolean): FrameNote[] {
  const notes: FrameNote[] = [];
  const reader = noteTaker(notes);
  if (!hasStart) {
    reader.read(bytesOf([{ type: 'start', initialWindowBytes: 1, connectionWindowBytes: 1 }]));
    notes.length = 0;
  }
  for (const message of messages) reader.read(message);
  return notes;
}

/** Two connections with tiny windows, one body of 40 bytes from here to there: every message as it went. */
export async function conversation(): Promise<readonly { readonly from: string; readonly hex: string }[]> {
  const turns = new Turns();
  const pipe = MemoryPipe.pair(turns);
  const limits = {
    inlineBodyBytes: 8,
    initialWindowBytes: 16,
    streamWindowBytes: 16,
    connectionWindowBytes: 64,
  };
  const said: { from: string; hex: string }[] = [];
  for (const [from, end] of Object.entries(pipe)) {
    const send = end.send.bind(end);
    end.send = (message) => {
      said.push({ from, hex: toHex(message) });
      return send(message);
    };
  }
  const [here, there] = [pipe.here, pipe.there].map((end) => multiplex(end, { clock: turns, limits }));
  if (!here || !there) throw new Error('There are two ends');
  const heard = new Heard(there);
  await turns.settle();
  here.send({ header: { n: 1 }, body: inMemory(pattern(8)) });
  here.send({ header: { n: 2 }, body: inMemory(pattern(40)) });
  await turns.settle();
  await turns.until(read(heard.envelopes[1]?.body));
  await turns.settle();
  return said;
}
