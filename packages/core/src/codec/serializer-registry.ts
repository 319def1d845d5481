import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Serializer } from '../ports/serializer.js';

const LONGEST_KEY = 200;

/** The serializers of one codec, by key. */
export class SerializerRegistry {
  readonly #serializers: readonly Serializer[];
  readonly #byKey = new Map<string, Serializer>();

  /** @throws {@link RoutineEngineError} `SERIALIZER_DUPLICATE`, or `OPTION_INVALID` when a key is not 1 to 200 characters. */
  constructor(serializers: readonly Serializer[]) {
    this.#serializers = [...serializers];
    for (const serializer of serializers) {
      const { key } = serializer;
      if (typeof key !== 'string' || key.length < 1 || key.length > LONGEST_KEY) {
        throw new RoutineEngineError(
          'OPTION_INVALID',
          `A serializer's key has 1 to ${LONGEST_KEY} characters`,
        );
      }
      if (this.#byKey.has(key)) {
        throw new RoutineEngineError(
          'SERIALIZER_DUPLICATE',
          `Two serializers are registered under the key "${key}"`,
        );
      }
      this.#byKey.set(key, serializer);
    }
  }

  /** Keys in the order of their UTF-16 units. */
  get keys(): readonly string[] {
    return [...this.#byKey.keys()].sort();
  }

  /** The first serializer that claims the value. */
  claiming(value: object): Serializer | undefined {
    return this.#serializers.find((serializer) => serializer.claims(value));
  }

  /** @throws {@link RoutineEngineError} `SERIALIZER_UNKNOWN`. */
  named(key: string): Serializer {
    const serializer = this.#byKey.get(key);
    if (serializer) return serializer;
    throw new RoutineEngineError(
      'SERIALIZER_UNKNOWN',
      `No serializer is registered here under the key "${key}"; register the one that the sender has`,
    );
  }
}
