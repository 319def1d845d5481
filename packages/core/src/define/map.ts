import { inspect } from 'node:util';
import { Cancellation } from '../context/cancellation.js';
import { currentScope, inScope } from '../context/run-scope.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { LIMITS } from '../model/limits.js';
import { whenAborted } from '../model/when-aborted.js';
import type { CallOptions } from '../model/routine-definition.js';
import { formatRoutineId } from '../model/routine-id.js';
import type { RoutineCall } from '../ports/routine-engine.js';
import { callRoutine } from './call.js';
import { MappedCalls, type Settled } from './mapped-calls.js';
import { assertOptions } from './options.js';
import type { OrRef, OrRefs } from './or-ref.js';

/** What `map` takes items from. @public */
export type MapItems<Item> = Iterable<Item> | AsyncIterable<Item>;

/** The argument of a routine that can be called with one; `never` for any other. @public */
export type OnlyArgument<Args extends readonly unknown[]> = [Args[0]] extends Args ? OrRef<Args[0]> : never;

/** How `map` calls, beside the options of each call. @public */
export interface MapOptions<
  Item,
  Arguments extends readonly unknown[] = readonly unknown[],
> extends CallOptions {
  /** Most calls that are under way, or whose results wait to be taken: a whole number from 1 to 1,000,000. Default 1,000. */
  readonly concurrency?: number;
  /**
   * `true`: results come in the order of the items, so that a slow one holds up those behind it. `false`: each comes as soon as
   * it is there. Default `true`.
   */
  readonly ordered?: boolean;
  /**
   * `true`: results come as those of `Promise.allSettled` do, and a call that fails ends nothing. Default `false`.
   */
  readonly settled?: boolean;
  /** Makes the arguments of a call from an item and its index. Default: the item is the only argument. */
  readonly args?: (item: Item, index: number) => Arguments;
}

/** See {@link RoutineCaller.map}. @public */
export interface RoutineMap<Args extends readonly unknown[], Result> {
  <Item>(
    items: MapItems<Item>,
    options: MapOptions<Item, Readonly<OrRefs<Args>>> & {
      readonly settled: true;
      readonly args: (item: Item, index: number) => Readonly<OrRefs<Args>>;
    },
  ): AsyncIterableIterator<PromiseSettledResult<Result>>;
  <Item>(
    items: MapItems<Item>,
    options: MapOptions<Item, Readonly<OrRefs<Args>>> & {
      readonly args: (item: Item, index: number) => Readonly<OrRefs<Args>>;
    },
  ): AsyncIterableIterator<Result>;
  (
    items: MapItems<OnlyArgument<Args>>,
    options: MapOptions<never> & { readonly settled: true; readonly args?: never },
  ): AsyncIterableIterator<PromiseSettledResult<Result>>;
  (
    items: MapItems<OnlyArgument<Args>>,
    options?: MapOptions<never> & { readonly args?: never },
  ): AsyncIterableIterator<Result>;
}

const MOST = 1_000_000;

/** See {@link RoutineCaller.map}. */
export function mapCalls(
  call: Omit<RoutineCall, 'args'>,
  items: MapItems<unknown>,
  given: MapOptions<unknown>,
): AsyncGenerator<unknown, undefined> {
  const routine = formatRoutineId(call.id);
  const options = { ...call.options, ...given };
  assertMap(routine, items, options);
  const {
    concurrency = LIMITS.mapConcurrency,
    ordered = true,
    settled = false,
    args,
    signal,
    ...rest
  } = options;
  const cancellation = new Cancellation();
  const calls = new MappedCalls(items, {
    ...{ concurrency, ordered, settled, cancellation },
    // Wherever the results are taken, the calls are made where `map` was called.
    within: boundToScope(),
    call: (item, index) =>
      callRoutine({ ...call, args: args ? args(item, index) : [item], options: rest, cancel: cancellation }),
  });
  return results(calls, follow(signal, routine, cancellation), settled);
}

async function* results(
  calls: MappedCalls,
  begin: () => () => void,
  settled: boolean,
): AsyncGenerator<unknown, undefined> {
  const release = begin();
  try {
    for (;;) {
      const next = await calls.next();
      if (!next) return undefined;
      yield settled ? next : valueOf(next);
    }
  } finally {
    release();
    await calls.close();
  }
}

function valueOf(settled: Settled): unknown {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

/** Lets a signal cancel all calls. @returns begins to listen, and gives what ends that. */
function follow(
  signal: AbortSignal | undefined,
  routine: string,
  cancellation: Cancellation,
): () => () => void {
  return () => {
    if (!signal) return () => undefined;
    const abort = (): void =>
      cancellation.cancel(
        new RoutineEngineError('RUN_CANCELLED', `The map of ${routine} was cancelled by its signal`, {
          cause: signal.reason,
        }),
      );
    if (!signal.aborted) return whenAborted(signal, abort);
    abort();
    return () => undefined;
  };
}

/** Calls functions in the scope of now. */
function boundToScope(): <T>(callback: () => T) => T {
  const scope = currentScope();
  return (callback) => (scope ? inScope(scope, callback) : callback());
}

function assertMap(routine: string, items: unknown, options: MapOptions<unknown>): void {
  const refuse = (what: string, value: unknown, wanted: string): never => {
    throw new RoutineEngineError(
      'OPTION_INVALID',
      `${routine}.map: ${what} is ${inspect(value, { depth: 0 })}; it must be ${wanted}`,
    );
  };
  const isIterable =
    items !== undefined &&
    items !== null &&
    (Symbol.iterator in Object(items) || Symbol.asyncIterator in Object(items));
  if (!isIterable) refuse('the first argument', items, 'iterable');
  assertOptions(`${routine}.map`, options);
  const { concurrency, ordered, settled, args }: Record<string, unknown> = { ...options };
  const isCount = typeof concurrency === 'number' && Number.isInteger(concurrency);
  if (concurrency !== undefined && !(isCount && concurrency >= 1 && concurrency <= MOST))
    refuse('concurrency', concurrency, `a whole number from 1 to ${MOST}`);
  for (const [name, value] of Object.entries({ ordered, settled }))
    if (value !== undefined && typeof value !== 'boolean') refuse(name, value, 'true or false');
  if (args !== undefined && typeof args !== 'function') refuse('args', args, 'a function');
}
