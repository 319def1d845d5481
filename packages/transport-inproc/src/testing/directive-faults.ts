import type { DirectiveFate, SentDirective } from '../simulation/link-conditions.js';

/** Which directives something is done to. @public */
export interface DirectiveChoice {
  /** Name of the node that sends it. Default: any. */
  readonly from?: string;
  /** Name of the node that it goes to. Default: any. */
  readonly to?: string;
  /** Such as `v1.routine.completed`. Default: any, heartbeats too. */
  readonly type?: string;
  /** How many of those to come. Default 1. */
  readonly count?: number;
}

/** What is still to be done to directives. */
export class DirectiveFaults {
  readonly #faults: { readonly choice: DirectiveChoice; readonly fate: DirectiveFate; left: number }[] = [];

  add(fate: DirectiveFate, choice: DirectiveChoice): void {
    this.#faults.push({ choice, fate, left: choice.count ?? 1 });
  }

  fateOf({ from, to, header }: SentDirective): DirectiveFate | undefined {
    const fault = this.#faults.find(
      ({ choice, left }) =>
        left > 0 && fits(choice.from, from) && fits(choice.to, to) && fits(choice.type, header['type']),
    );
    if (!fault) return undefined;
    fault.left -= 1;
    return fault.fate;
  }

  clear(): void {
    this.#faults.length = 0;
  }
}

function fits(wanted: string | undefined, given: unknown): boolean {
  return wanted === undefined || wanted === given;
}
