import { AssertionError } from 'node:assert';
import {
  completeRoutineId,
  formatRoutineId,
  Lifecycle,
  parseRoutineId,
  type EngineEvent,
  type EnginePlugin,
  type LifecycleOptions,
  type NamedRoutineId,
} from '@routine-engine/core';
import { ADAPTER_API_VERSION, CODEC, provide, type Codec, type Token } from '@routine-engine/core/adapter';
import { firstDifference, type Difference } from './first-difference.js';
import { runTree, type RunTree } from './run-tree.js';

/**
 * Says how a lifecycle is composed, anew for each call: what it was given, such as a store, is closed with it. Named after the
 * function in messages.
 * @public
 */
export type Composition = () => LifecycleOptions | Promise<LifecycleOptions>;

/** @public */
export interface SameRunOptions {
  /**
   * `all`: every run that the call led to is compared, which needs compositions whose nodes are all in this process. `root`: the
   * run of the call alone. Default `all`.
   */
  readonly runs?: 'all' | 'root';
}

/** What came of a call under one composition. */
interface Ran {
  readonly name: string;
  readonly outcome:
    | { readonly value: unknown; readonly digest: string }
    | { readonly failure: Readonly<Record<'name' | 'code' | 'message', unknown>> };
  readonly tree: RunTree | undefined;
}

/**
 * Calls a routine under several compositions, one after the other, and asserts that it is the same run: an equal value, by
 * deep equality and by canonical digest, or an equal failure, by name, code and message; and for each run that it led
 * to the same routine, calls, progress and log lines in order, and one terminal event, the last. Which of several calls made
 * at the same time came first, and where and how often anything was executed, does not count.
 * @param compositions - two or more; each lifecycle is open only while its call and its triggers run.
 * @returns the value under the first composition; `undefined` when the call failed under all in the same way.
 * @throws AssertionError that names both compositions, the path of the first difference, and what is there.
 * @public
 */
export async function expectSameRun<Args extends readonly unknown[], Result>(
  routine: ((...args: Args) => Promise<Result>) & { readonly id: string },
  args: Args,
  compositions: readonly Composition[],
  options: SameRunOptions = {},
): Promise<Result | undefined> {
  const ran: Ran[] = [];
  for (const [index, composition] of compositions.entries()) {
    const name = composition.name || `composition ${index + 1}`;
    ran.push(await runUnder(name, await composition(), () => routine(...args), routine.id, options));
  }
  const [first, ...others] = ran;
  if (!first || others.length === 0) throw new TypeError('expectSameRun needs two compositions or more');
  for (const each of ran) assertWellFormed(each);
  for (const other of others) assertSame(first, other);
  return 'value' in first.outcome ? (first.outcome.value as Result) : undefined;
}

const CODEC_IN_USE: Token<Codec> = Symbol.for('@routine-engine/testing-codec') as Token<Codec>;

async function runUnder(
  name: string,
  lifecycleOptions: LifecycleOptions,
  call: () => Promise<unknown>,
  id: string,
  { runs = 'all' }: SameRunOptions,
): Promise<Ran> {
  const { project, plugins = [] } = lifecycleOptions;
  const codecs: Codec[] = [];
  const capture: EnginePlugin = {
    name: '@routine-engine/transport-inproc expectSameRun()',
    api: `^${ADAPTER_API_VERSION}`,
    parts: [
      provide(CODEC_IN_USE, (parts) => {
        const codec = parts.get(CODEC);
        codecs.push(codec);
        return codec;
      }),
    ],
  };
  const lifecycle = await Lifecycle.init({ ...lifecycleOptions, plugins: [...plugins, capture] });
  const events: EngineEvent[] = [];
  lifecycle.events$.subscribe((event) => events.push(event));
  let outcome: Ran['outcome'];
  try {
    const value = await lifecycle.run(call);
    outcome = { value, digest: codecs[0]?.digest(value, { path: 'result' }) ?? '' };
  } catch (error) {
    outcome = { failure: failureOf(error) };
  } finally {
    await lifecycle.shutdown();
  }
  const full = completeRoutineId(parseRoutineId(id) as NamedRoutineId, { project });
  return { name, outcome, tree: runTree(events, formatRoutineId(full), runs === 'all') };
}

function failureOf(error: unknown): Readonly<Record<'name' | 'code' | 'message', unknown>> {
  const { name, message, code } = error as Error & { code?: unknown };
  return { name, code, message };
}

/** Requested first, one terminal event, and none after it. */
function assertWellFormed({ name, tree }: Ran): void {
  if (!tree) throw new AssertionError({ message: `Under ${name} no event told of the run` });
  const check = ({ routineId, told, led }: RunTree, path: string): void => {
    const terminal = told.filter(isTerminal);
    const isWhole = told[0] === 'requested' && terminal.length === 1 && isTerminal(told.at(-1) ?? '');
    if (!isWhole) {
      const actual = told.join(', ');
      const message = `Under ${name} the events of ${path}${routineId} are not those of one run: ${actual}`;
      throw new AssertionError({ message, actual, expected: 'requested, ..., one terminal event' });
    }
    for (const each of led) check(each, `${path}${routineId} > `);
  };
  check(tree, '');
}

function isTerminal(line: string): boolean {
  return line === 'answered' || line === 'cancelled' || line.startsWith('failed ');
}

function assertSame(first: Ran, other: Ran): void {
  const [one, two] = [first.outcome, other.outcome];
  const isValue = 'value' in one && 'value' in two;
  const difference = isValue
    ? (firstDifference(one.value, two.value, 'result') ??
      firstDifference(one.digest, two.digest, 'digest of result'))
    : firstDifference(plain(one), plain(two), 'outcome');
  report(difference ?? treeDifference(first.tree, other.tree, 'runs'), first.name, other.name);
}

function plain(outcome: Ran['outcome']): unknown {
  return 'failure' in outcome ? { error: outcome.failure } : { result: outcome.value };
}

/** The first run, from the root down, that is not the same, or that only one of both has. */
function treeDifference(
  one: RunTree | undefined,
  other: RunTree | undefined,
  path: string,
): Difference | undefined {
  const at = `${path} > ${(one ?? other)?.routineId}`;
  if (!one || !other || firstDifference([one.routineId, one.told], [other.routineId, other.told], at))
    return { path: at, one: linesOf(one), other: linesOf(other) };
  for (let index = 0; index < Math.max(one.led.length, other.led.length); index += 1) {
    const found = treeDifference(one.led[index], other.led[index], at);
    if (found) return found;
  }
  return undefined;
}

function linesOf(tree: RunTree | undefined): string {
  return tree ? `${tree.routineId}: ${tree.told.join(', ')}` : 'no such run';
}

function report(difference: Difference | undefined, one: string, other: string): void {
  if (!difference) return;
  const { path } = difference;
  throw new AssertionError({
    message: `The run differs at ${path}: ${difference.one} under ${one}, ${difference.other} under ${other}`,
    actual: difference.other,
    expected: difference.one,
  });
}
