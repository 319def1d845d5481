import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bytesOf, conversation, notesOf, type FrameNote } from './frame-notes.js';

interface Vectors {
  readonly vectors: readonly {
    readonly name: string;
    readonly messages: readonly { readonly hex: string; readonly frames: readonly FrameNote[] }[];
  }[];
  readonly refused: readonly { readonly name: string; readonly why: string; readonly hex: string }[];
  readonly conversation: readonly { readonly from: string; readonly hex: string }[];
}

const {
  vectors,
  refused,
  conversation: said,
} = JSON.parse(
  readFileSync(new URL('../../../../docs/protocol-vectors.json', import.meta.url), 'utf8'),
) as Vectors;

/** The notes of what a reader hears: pieces put together, and detached data in place of its announcement. */
const heardOf: Readonly<Record<string, readonly FrameNote[]>> = {
  pieces: [
    { type: 'end', stream: 7 },
    { type: 'envelope', stream: 0, header: { n: 7 }, sizes: [] },
  ],
};

describe('docs/protocol-vectors.json', () => {
  it('has at least 15 vectors of valid messages', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(15);
  });

  it.each(vectors)('$name is written as noted', ({ messages }) => {
    for (const { hex, frames } of messages) expect(Buffer.from(bytesOf(frames)).toString('hex')).toBe(hex);
  });

  it.each(vectors)('$name is read as noted', ({ name, messages }) => {
    const frames = messages.flatMap((message) => message.frames);
    const detached = frames.flatMap((note) =>
      note.type === 'data' && note.isDetached ? [Buffer.from(note.bytes, 'hex')] : [],
    );
    const bytes = [...messages.map(({ hex }) => Buffer.from(hex, 'hex')), ...detached];
    const heard = notesOf(bytes, frames[0]?.type === 'start');
    expect(heard).toEqual(heardOf[name] ?? frames);
  });

  it.each(refused)('$name is refused', ({ why, hex }) => {
    expect(() => notesOf([Buffer.from(hex, 'hex')], false)).toThrow(
      expect.objectContaining({ code: 'PROTOCOL_MALFORMED', message: expect.stringContaining(why) }),
    );
  });

  it('has the conversation as it goes', async () => {
    expect(await conversation()).toEqual(said);
  });
});
