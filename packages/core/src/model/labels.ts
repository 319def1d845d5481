/** What a worker says of itself, such as `{ gpu: 'a100' }`, and what a run may require of its worker. @public */
export type Labels = Readonly<Record<string, string>>;

/** Most labels of one worker or one run. */
const LABEL_COUNT = 32;
const NAME_LENGTH = 100;
const VALUE_LENGTH = 200;

/** What labels have to be, for messages. */
export const LABELS_WANTED = `at most ${LABEL_COUNT} texts under names of 1 to ${NAME_LENGTH} characters, each at most ${VALUE_LENGTH} long`;

/** Whether a value is made of labels alone. */
export function isLabels(value: unknown): value is Labels {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return entries.length <= LABEL_COUNT && entries.every(isLabel);
}

/** Whether a worker has all labels that a run requires, with just their values. */
export function hasLabels(has: Labels | undefined, requires: Labels | undefined): boolean {
  if (!requires) return true;
  for (const name of Object.keys(requires))
    if (!has || !Object.hasOwn(has, name) || has[name] !== requires[name]) return false;
  return true;
}

/** The same text for the same labels, whatever their order; empty for none. */
export function labelsText(labels: Labels | undefined): string {
  const entries = Object.entries(labels ?? {});
  return entries.length === 0 ? '' : JSON.stringify(entries.toSorted(byName));
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

function isLabel([name, value]: readonly [string, unknown]): boolean {
  const isNamed = name.length > 0 && name.length <= NAME_LENGTH && name !== '__proto__';
  return isNamed && typeof value === 'string' && value.length <= VALUE_LENGTH;
}
