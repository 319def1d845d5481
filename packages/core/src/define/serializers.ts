import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Serializer } from '../ports/serializer.js';

/** One list a thread, also for a second installed copy of this package. */
const SERIALIZERS = Symbol.for('@routine-engine/serializers.v1');
type WithSerializers = typeof globalThis & { [SERIALIZERS]?: Map<string, Serializer> };
const serializers = ((globalThis as WithSerializers)[SERIALIZERS] ??= new Map());

/**
 * Registers a serializer for every codec of this thread made from now on. Put it beside the routines whose values
 * need it: background threads then register it as they load the module.
 * @throws {@link RoutineEngineError} `SERIALIZER_DUPLICATE` when another serializer has the same key.
 * @public
 */
export function serializer<T, Plain>(definition: Serializer<T, Plain>): Serializer<T, Plain> {
  const other = serializers.get(definition.key);
  if (other && other !== definition) {
    throw new RoutineEngineError('SERIALIZER_DUPLICATE', `Two serializers have the key ${definition.key}`);
  }
  serializers.set(definition.key, definition as Serializer);
  return definition;
}

/** Every serializer registered in this thread, in order. */
export function definedSerializers(): readonly Serializer[] {
  return [...serializers.values()];
}
