import assert from 'node:assert/strict';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Body } from '../model/body.js';
import type { Envelope } from '../ports/transport.js';
import { assertCode, assertRejects } from './assert-code.js';
import { patternAt } from './byte-pattern.js';
import { assertBody, bodyIn, chunked, hear, StreamedBody } from './sample-bodies.js';
import { needsPieces, type TransportCase, type TransportGiven } from './transport-subject.js';

const promise = 'connection-bodies';

async function readAll(envelope: Envelope): Promise<number> {
  let read = 0;
  for await (const chunk of bodyIn(envelope).chunks()) read += chunk.byteLength;
  return read;
}

/** Sends a body that fails. @returns what its reader got. Fails unless the connection goes on. */
async function failureOf({ connected }: TransportGiven, body: Body): Promise<unknown> {
  const { here, there } = await connected();
  const toThere = hear(there);
  here.send({ header: {}, body });
  const failure: unknown = await readAll(await toThere.next()).then(
    (read) => assert.fail(`a body that fails was read to an end, after ${read} bytes`),
    (error: unknown) => error,
  );
  if (failure instanceof assert.AssertionError) throw failure;
  here.send({ header: {}, body: new StreamedBody(400_000) });
  await assertBody(await toThere.next(), 400_000);
  return failure;
}

/** Bodies that do not come to their end. */
export const failingBodyCases: readonly TransportCase[] = [
  {
    id: 'transport/half-close/source-fails',
    title: 'tells the reader of a body that its source failed, with the code of the failure, and goes on',
    promise,
    async run(given) {
      const failure = await failureOf(
        given,
        chunked(1_000_000, async function* () {
          yield patternAt(0, 300_000);
          throw new RoutineEngineError('BYTES_MALFORMED', 'the source is damaged');
        }),
      );
      assertCode(failure, 'BYTES_MALFORMED');
    },
  },
  {
    id: 'transport/half-close/source-fails-at-once',
    title: 'tells the reader of a body whose source fails before its first chunk',
    promise,
    async run(given) {
      const failure = await failureOf(
        given,
        // oxlint-disable-next-line require-yield -- it fails before there is anything to give
        chunked(10, async function* () {
          throw new RoutineEngineError('BYTES_MALFORMED', 'there is no source');
        }),
      );
      assertCode(failure, 'BYTES_MALFORMED');
    },
  },
  {
    id: 'transport/half-close/body-too-short',
    title: 'tells the reader of a body that has less than it said, rather than ending it',
    promise,
    needs: needsPieces,
    async run(given) {
      const failure = await failureOf(
        given,
        chunked(300_001, async function* () {
          yield patternAt(0, 300_000);
        }),
      );
      assertCode(failure, 'BYTES_MALFORMED', 'TRANSPORT_CLOSED');
    },
  },
  {
    id: 'transport/half-close/body-too-long',
    title: 'tells the reader of a body that has more than it said, rather than cutting it',
    promise,
    needs: needsPieces,
    async run(given) {
      const failure = await failureOf(
        given,
        chunked(300_000, async function* () {
          yield patternAt(0, 300_000);
          yield patternAt(0, 1);
        }),
      );
      assertCode(failure, 'BYTES_MALFORMED', 'TRANSPORT_CLOSED');
    },
  },
  {
    id: 'transport/half-close/closed-by-reader',
    title: 'fails a body in the middle when the reading end closes',
    promise,
    needs: needsPieces,
    async run({ connected }) {
      const { here, there } = await connected();
      here.send({ header: {}, body: new StreamedBody(64 * 1024 * 1024) });
      const reading = readAll(await hear(there).next());
      const failed = assertRejects(reading, 'TRANSPORT_CLOSED');
      await there.close();
      await failed;
    },
  },
  {
    id: 'transport/half-close/ends-source-at-close',
    title: 'ends the source of a body when the reading end closes',
    promise,
    needs: needsPieces,
    async run({ connected }) {
      const { here, there } = await connected();
      let end = (): void => undefined;
      const ended = new Promise<void>((resolve) => (end = resolve));
      here.send({
        header: {},
        body: chunked(1_000_000, async function* () {
          try {
            for (let at = 0; at < 1_000_000; at += 1_000) yield patternAt(at, 1_000);
          } finally {
            end();
          }
        }),
      });
      await hear(there).next();
      await there.close();
      await ended;
    },
  },
];
