import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Hello } from '../protocol/directives.js';

/** The codec of the nodes of a service: those whose codecs differ can't read each other's values. */
export class CodecInUse {
  readonly #wanted: string | undefined;
  readonly #nodes = new Map<object, Hello>();

  /** @param wanted - which codec it has to be. Default: that of whoever is connected first. */
  constructor(wanted: string | undefined) {
    this.#wanted = wanted;
  }

  /** @throws {@link RoutineEngineError} `CODEC_MISMATCH`, naming both codecs. */
  check({ name, codec }: Hello): void {
    const [other] = this.#nodes.values();
    const wanted = this.#wanted ?? other?.codec;
    if (wanted === undefined || codec === wanted) return;
    const whose = this.#wanted === undefined && other ? `such as ${other.name}` : 'as the service was told';
    throw new RoutineEngineError(
      'CODEC_MISMATCH',
      `${name} has the codec ${codec}, and the nodes of this service have ${wanted}, ${whose}`,
    );
  }

  joined(node: object, hello: Hello): void {
    this.#nodes.set(node, hello);
  }

  left(node: object): void {
    this.#nodes.delete(node);
  }
}
