import {
  everythingRemote,
  executionPolicy,
  memoryStore,
  move,
  type RoutineEngineError,
} from '@routine-engine/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cluster, local, type Opened } from './fixtures/engines.ts';
import {
  asksForRemembered,
  leftOfGiven,
  makesAndMoves,
  movesPooled,
  numbersFrom,
  passesMovedOn,
  remembersAndMoves,
  takesMoved,
} from './fixtures/moving-routines.ts';

const modules = [new URL('./fixtures/moving-routines.ts', import.meta.url)];
const allRemote = executionPolicy(everythingRemote);
/** More than a pool of Node's Buffers, and than what a thread is given as a copy. */
const COUNT = 50_000;

const engines: [string, () => Promise<Opened>][] = [
  ['the local engine', () => local(memoryStore())],
  ['a cluster of two workers', () => cluster(2, { modules })(memoryStore())],
  ['a cluster where nothing runs here', () => cluster(1, { modules })(memoryStore(), allRemote)],
];

describe.each(engines)('%s', (_, start) => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await start();
  });
  afterAll(() => opened.lifecycle.shutdown());

  it('gives a moved result as it was, also where it stands twice', async () => {
    const { twice, bytes } = await makesAndMoves(COUNT);
    const expected = numbersFrom(1, COUNT);
    expect(twice[0]).toEqual(expected);
    expect(twice[1].buffer).toBe(twice[0].buffer);
    expect(new Uint8Array(bytes)).toEqual(new Uint8Array(expected));
  });

  it('takes a moved argument as it was', async () => {
    expect(await takesMoved(move(numbersFrom(3, COUNT)))).toEqual([COUNT, 4, COUNT + 2]);
  });

  it('takes moved memory in two calls at once', async () => {
    const numbers = move(numbersFrom(3, COUNT));
    const taken = await Promise.all([takesMoved(numbers), takesMoved(numbers)]);
    expect(taken[0]).toEqual([COUNT, 4, COUNT + 2]);
  });

  it('carries a moved argument from a workflow on', async () => {
    expect((await passesMovedOn(COUNT)).taken).toEqual([COUNT, 6, COUNT + 4]);
  });

  it('leaves the pool of small Buffers alone', async () => {
    const { moved, before, after } = await movesPooled();
    expect([moved.toString(), before, after]).toEqual(['moved', 'before', 'after']);
    expect(await takesMoved(move(new Float64Array([7])))).toEqual([1, 8, 8]);
  });

  it('remembers a moved result, and gives each caller one of his own', async () => {
    const [one, two] = await Promise.all([remembersAndMoves(9), remembersAndMoves(9)]);
    one.fill(0);
    expect(two).toEqual(numbersFrom(9, COUNT));
    two.fill(1);
    expect(await remembersAndMoves(9)).toEqual(numbersFrom(9, COUNT));
    expect(await asksForRemembered(9)).toEqual([COUNT, 9, COUNT + 8]);
    expect(await asksForRemembered(70)).toEqual([COUNT, 70, COUNT + 69]);
  });
});

it('takes the memory of a moved result from its thread in place of a copy', async () => {
  await using _ = await cluster(1, { modules })(allRemote);
  await makesAndMoves(COUNT);
  expect(await leftOfGiven()).toBe(0);
});

it('takes the memory of a moved argument from the thread whose workflow calls', async () => {
  await using _ = await cluster(1, { modules })(allRemote);
  expect((await passesMovedOn(COUNT)).left).toBe(0);
});

it('refuses memory that was given away to a thread, where it is moved and where it is passed', async () => {
  const numbers = numbersFrom(1, COUNT);
  structuredClone(numbers, { transfer: [numbers.buffer as ArrayBuffer] });
  const refused = expect.objectContaining({
    code: 'VALUE_NOT_ENCODABLE',
    message: expect.stringContaining('detached') as string,
  }) as RoutineEngineError;
  expect(() => move(numbers)).toThrow(refused);
  await using _ = await local();
  await expect(takesMoved(numbers)).rejects.toThrow(refused);
});
