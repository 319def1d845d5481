import type { Call, Flow, Leaf, LeafCall, MapStep, Step } from './tree.ts';

/** What a call comes to. */
export type TreeOutcome =
  | { readonly status: 'DONE'; readonly value: number }
  | { readonly status: 'FAILED'; readonly code: string };

/** What stands for a step whose value does not count. */
export const NOTHING = 17;
/** Codes of what bodies of trees throw; the second is not worth another attempt. */
export const TREE_FAILED = 'TREE_FAILED';
export const FAILED_FOR_GOOD = 'FAILED_FOR_GOOD';

export function mix(one: number, other: number): number {
  return (Math.imul(one, 31) + other) >>> 0;
}

export function hashOf(text: string): number {
  let value = 7;
  for (let index = 0; index < text.length; index += 1) value = mix(value, text.charCodeAt(index));
  return value;
}

/** The number that a leaf gives; of its newer version another one. */
export function numberOfLeaf({ id, given }: Leaf, isNewer: boolean): number {
  let value = hashOf(isNewer ? `${id}, newer` : id);
  for (const byte of given?.subarray(0, 10) ?? []) value = mix(value, byte);
  return value;
}

/** What the results of a map come to: in their order, if that counts. */
export function mapValue(values: readonly number[], ordered: boolean): number {
  return ordered ? values.reduce(mix, 0) : values.reduce((sum, value) => (sum + value) >>> 0, 0);
}

/** What a call comes to by definition: no engine is asked. */
export function valueOf(call: Call): TreeOutcome {
  try {
    return { status: 'DONE', value: call.of === 'flow' ? flowValue(call.node) : leafValue(call) };
  } catch (error) {
    if (!(error instanceof TreeFailure)) throw error;
    return { status: 'FAILED', code: error.message };
  }
}

/** Its message is the code. */
class TreeFailure extends Error {}

function leafValue({ of, node, retries = 0 }: LeafCall): number {
  if (node.failsForGood) throw new TreeFailure(FAILED_FOR_GOOD);
  if (node.fails || (node.failsFirst ?? 0) > retries) throw new TreeFailure(TREE_FAILED);
  const value = numberOfLeaf(node, of === 'newer');
  return node.gives === undefined ? value : mix(value, node.gives);
}

function flowValue({ id, steps, fails }: Flow): number {
  let value = hashOf(id);
  for (const step of steps) value = mix(value, stepValue(step));
  if (fails) throw new TreeFailure(TREE_FAILED);
  return value;
}

function stepValue(step: Step): number {
  switch (step.do) {
    case 'call':
    case 'submit':
      return doneValue(step.call);
    case 'together':
      return step.calls.map(doneValue).reduce(mix);
    case 'try': {
      const outcome = valueOf(step.call);
      return outcome.status === 'DONE' ? outcome.value : hashOf(outcome.code);
    }
    case 'map':
      return valueOfMap(step);
    case 'time-out':
      return hashOf('RUN_TIMEOUT');
    case 'attempt-time-out':
      return hashOf('ATTEMPT_TIMEOUT');
    case 'cancel-by-id':
      return hashOf('RUN_CANCELLED');
    case 'queue-time-out':
    case 'hurry':
    case 'cancel':
    case 'abandon':
    case 'pause':
      return NOTHING;
  }
}

function valueOfMap({ of, leaves, ordered, leaveAfter = leaves.length }: MapStep): number {
  const values = leaves.map((node) => leafValue({ of, node }));
  return mapValue(values.slice(0, leaveAfter), ordered);
}

function doneValue(call: Call): number {
  const outcome = valueOf(call);
  if (outcome.status === 'FAILED') throw new TreeFailure(outcome.code);
  return outcome.value;
}
