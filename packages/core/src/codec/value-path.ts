import { inspectValue } from '../errors/inspect-value.js';

/** How a step leads from a container to a part of it. */
export type StepKind = 'property' | 'map-key' | 'map-value' | 'set-item' | 'serialized';

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/**
 * Where a walk is in a value. Steps are only noted on the way, and only become text when an error needs it, since
 * nearly no walk does.
 */
export class ValuePath {
  readonly #root: string;
  readonly #kinds: StepKind[] = [];
  readonly #steps: unknown[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  /** Notes the step that leads from the container at `depth` to a part of it. */
  step(depth: number, kind: StepKind, step: unknown): void {
    this.#kinds[depth] = kind;
    this.#steps[depth] = step;
  }

  /** The path of the value at `depth`, such as `args[0].model.fit`. */
  text(depth: number): string {
    let text = this.#root;
    for (let level = 0; level < depth; level += 1) text += stepText(this.#kinds[level], this.#steps[level]);
    return text;
  }
}

function stepText(kind: StepKind | undefined, step: unknown): string {
  switch (kind) {
    case 'map-key':
      return `.keys()[${String(step)}]`;
    case 'map-value':
      return `.get(${inspectValue(step)})`;
    case 'set-item':
      return `.values()[${String(step)}]`;
    case 'serialized':
      return `<serialized by ${String(step)}>`;
    default:
      if (typeof step === 'string' && IDENTIFIER.test(step)) return `.${step}`;
      return `[${typeof step === 'number' ? step : JSON.stringify(step)}]`;
  }
}
