import type { Call, Flow, Leaf, Step } from './tree.ts';

/** What a call comes to. */
export type TreeOutcome =
  | { readonly status: 'DONE'; readonly value: number }
  | { readonly status: 'FAILED'; readonly code: string };

/** What stands for a step whose value does not count. */
export const NOTHING = 17;
/** Code of what bodies of trees throw. */
export const TREE_FAILED = 'TREE_FAILED';

export function mix(one: number, other: number): number {
  return (Math.imul(one, 31) + other) >>> 0;
}

export function hashOf(text: string): number {
  let value = 7;
  for (let index = 0; index < text.length; index += 1) value = mix(value, text.charCodeAt(index));
  return value;
}

/** The number that a leaf gives. */
export function numberOfLeaf({ id, given }: Leaf): number {
  let value = hashOf(id);
  for (const byte of given?.subarray(0, 10) ?? []) value = mix(value, byte);
  return value;
}

/** What a call comes to by definition: no engine is asked. */
export function valueOf(call: Call): TreeOutcome {
  try {
    return {
      status: 'DONE',
      value: call.of === 'flow' ? flowValue(call.node) : leafValue(call.node, call.retries ?? 0),
    };
  } catch (error) {
    if (error !== failed) throw error;
    return { status: 'FAILED', code: TREE_FAILED };
  }
}

const failed = new Error(TREE_FAILED);

function leafValue(leaf: Leaf, retries: number): number {
  if (leaf.fails || (leaf.failsFirst ?? 0) > retries) throw failed;
  const value = numberOfLeaf(leaf);
  return leaf.gives === undefined ? value : mix(value, leaf.gives);
}

function flowValue({ id, steps, fails }: Flow): number {
  let value = hashOf(id);
  for (const step of steps) value = mix(value, stepValue(step));
  if (fails) throw failed;
  return value;
}

function stepValue(step: Step): number {
  switch (step.do) {
    case 'call':
      return doneValue(step.call);
    case 'together':
      return step.calls.map(doneValue).reduce(mix);
    case 'try': {
      const outcome = valueOf(step.call);
      return outcome.status === 'DONE' ? outcome.value : hashOf(outcome.code);
    }
    case 'time-out':
      return hashOf('RUN_TIMEOUT');
    case 'cancel':
    case 'abandon':
    case 'pause':
      return NOTHING;
  }
}

function doneValue(call: Call): number {
  const outcome = valueOf(call);
  if (outcome.status === 'FAILED') throw failed;
  return outcome.value;
}
