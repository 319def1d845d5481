import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { assertResultKey, type ResultKey } from './result.js';

/** Names a stored result. Plain data. @public */
export interface ReferenceData {
  readonly key: ResultKey;
  /** Identity of the store that has the result. */
  readonly store: string;
  /** Full id of the routine whose result it is. */
  readonly routineId: string;
  /** Bytes of the result. */
  readonly byteLength: number;
  /**
   * What stands for the value in canonical digests (see docs/digest.md), so that a reference counts as the value itself.
   * 1 to {@link REFERENCE_NODE_BYTES} bytes.
   */
  readonly node: Uint8Array;
}

/** Most bytes of {@link ReferenceData.node}. */
export const REFERENCE_NODE_BYTES = 4096;
const TEXT_LENGTH = 2_000;

const DATA: unique symbol = Symbol.for('@routine-engine/reference.v1') as never;

/** A value that stands for a stored result. Codecs carry what {@link referenceData} gives for it. @public */
export abstract class Reference {
  /** @internal */
  readonly [DATA]: ReferenceData;

  protected constructor(data: ReferenceData) {
    this[DATA] = data;
  }
}

/** What a reference stands for; `undefined` for any other value. Knows those of another installed copy too. @public */
export function referenceData(value: object): ReferenceData | undefined {
  return (value as Partial<Reference>)[DATA];
}

/**
 * Checks data that may come from a stranger.
 * @throws {@link RoutineEngineError} `BYTES_MALFORMED` or `STORE_KEY_INVALID`.
 * @public
 */
export function readReferenceData(plain: unknown): ReferenceData {
  const { key, store, routineId, byteLength, node } = (plain ?? {}) as Readonly<Record<string, unknown>>;
  assertResultKey(key);
  if (
    typeof store !== 'string' ||
    store.length > TEXT_LENGTH ||
    typeof routineId !== 'string' ||
    routineId.length > TEXT_LENGTH ||
    !Number.isSafeInteger(byteLength) ||
    (byteLength as number) < 0 ||
    !(node instanceof Uint8Array) ||
    node.byteLength === 0 ||
    node.byteLength > REFERENCE_NODE_BYTES
  ) {
    throw new RoutineEngineError('BYTES_MALFORMED', 'A reference lacks a part, or a part is too long');
  }
  return { key, store, routineId, byteLength: byteLength as number, node };
}
