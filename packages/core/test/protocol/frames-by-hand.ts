import type { Envelope } from '../../src/ports/transport.js';
import { putRecord, readRecord, recordOf } from '../../src/protocol/envelope-record.js';
import { FrameReader, type FrameHandler } from '../../src/protocol/frame-reader.js';
import { FrameType, startPayload } from '../../src/protocol/frames.js';

export const NOTHING = new Uint8Array(0);
/** What a start says. */
export const START = startPayload({ initialWindowBytes: 1_000, connectionWindowBytes: 5_000 });

/** A frame, written by hand so that it may be wrong. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array,
  length = payload.length,
): Uint8Array {
  const header = Buffer.alloc(10);
  header.writeUInt8(type, 0);
  header.writeUInt8(flags, 1);
  header.writeUInt32LE(stream, 2);
  header.writeUInt32LE(length, 6);
  return Buffer.concat([header, payload]);
}

/** The record of an envelope without a body, or with a small one. */
export function record(envelope: Envelope): Uint8Array {
  const outgoing = recordOf(envelope, true);
  const bytes = new Uint8Array(outgoing.byteLength);
  putRecord(bytes, 0, outgoing);
  return bytes;
}

/** The record of the smallest directive. */
export const HEADER = record({ header: { type: 'x' } });
/** The message that begins everything. */
export const start = frame(FrameType.start, 0, 0, START);

/** Reads messages and says what was heard. */
export function heard(...messages: Uint8Array[]): unknown[] {
  const frames: unknown[] = [];
  const handler: FrameHandler = {
    onStart: (told) => frames.push(['start', told]),
    onEnvelope: (stream, place) => frames.push(['envelope', stream, readRecord(place, stream !== 0)]),
    onData: (stream, bytes, isEarly) => frames.push(['data', stream, [...bytes], isEarly]),
    onEnd: (stream) => frames.push(['end', stream]),
    onReset: (stream, code, reason) => frames.push(['reset', stream, code, reason]),
    onStop: (stream) => frames.push(['stop', stream]),
    onCredit: (stream, bytes) => frames.push(['credit', stream, bytes]),
  };
  const reader = new FrameReader(handler);
  for (const message of messages) reader.read(message);
  return frames;
}
