import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { Reference, type ReferenceData } from '../model/reference.js';
import { ambientEngine } from './ambient.js';
import { currentScope, inScope } from './run-scope.js';

/** What {@link Ref.stream} can give the bytes of. @public */
export type BinaryResult =
  | ArrayBufferLike
  | ArrayBufferView
  | AsyncIterable<Uint8Array>
  | ReadableStream<Uint8Array>;

/**
 * A handle to a result that stays where it is kept. Passed to a routine in place of the value, also deep inside an argument,
 * it is resolved where that routine runs, with the references that the result holds; and it counts as the value when results
 * are looked up. It may be returned, and kept for as long as the result is. Only routines carry it: JSON refuses it, and
 * `structuredClone` keeps nothing of it.
 * @public
 */
export class Ref<T> extends Reference {
  readonly #data: ReferenceData;

  /** @internal */
  constructor(data: ReferenceData) {
    super(data);
    this.#data = data;
  }

  /** Full id of the routine whose result it is. */
  get routineId(): string {
    return this.#data.routineId;
  }

  /** Bytes of the result. */
  get byteLength(): number {
    return this.#data.byteLength;
  }

  /**
   * Fetches the result. Each call gives a value of the caller's own.
   * @throws {@link RoutineEngineError} `REFERENCE_UNREACHABLE` when this node does not have the store, or the store no longer
   *   the result; `CONTENT_MISSING` or `CONTENT_CORRUPT` when a part of it is lost.
   */
  async value(): Promise<T> {
    return (await engine().resolve(this.#data)) as T;
  }

  /**
   * The bytes of a result that is nothing but bytes (a typed array, ArrayBuffer, DataView, Buffer) or a stream of them,
   * without having all of them in memory. Each chunk belongs to the reader.
   * @throws {@link RoutineEngineError} `REFERENCE_NOT_BINARY`, and what {@link Ref.value} throws.
   */
  stream(this: Ref<BinaryResult>): AsyncGenerator<Uint8Array> {
    return chunksOf(this.#data, currentScope());
  }

  /**
   * Refuses to become JSON, which would keep nothing of it.
   * @throws {@link RoutineEngineError} `VALUE_NOT_ENCODABLE`.
   */
  toJSON(): never {
    throw new RoutineEngineError(
      'VALUE_NOT_ENCODABLE',
      `A Ref to a result of ${this.routineId} can't be kept as JSON: return it from a routine, or call the routine's ref() again`,
    );
  }
}

/** Reads for the scope in which the bytes were asked for, wherever they are read. */
async function* chunksOf(
  data: ReferenceData,
  scope: ReturnType<typeof currentScope>,
): AsyncGenerator<Uint8Array> {
  yield* await (scope ? inScope(scope, () => scope.engine.open(data)) : ambientEngine().open(data));
}

const engine = (): ReturnType<typeof ambientEngine> => currentScope()?.engine ?? ambientEngine();

/** For decoding values in which references stay references. */
export function makeRef(data: ReferenceData): Ref<unknown> {
  return new Ref(data);
}
