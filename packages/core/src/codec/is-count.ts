/** Whether a value is a number that counts something: no fraction, and neither negative nor -0. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}
