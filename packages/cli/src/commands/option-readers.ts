import { InvalidArgumentError } from 'commander';

/** Reads a whole number from 0 on. */
export function wholeNumberOption(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

const BYTES: Readonly<Record<string, number>> = {
  '': 1,
  K: 1_024,
  M: 1_024 ** 2,
  G: 1_024 ** 3,
  T: 1_024 ** 4,
};
const MILLISECONDS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `1500`, `64M` or `10G` as bytes. */
export function bytesOption(text: string): number {
  return inUnits(text, BYTES, 'It must be a number of bytes, such as 1500, 64M or 10G.');
}

/** Reads `30d`, `12h`, `15m` or `90s` as milliseconds. */
export function ageOption(text: string): number {
  return inUnits(text, MILLISECONDS, 'It must be a time, such as 30d, 12h, 15m or 90s.');
}

function inUnits(text: string, units: Readonly<Record<string, number>>, wanted: string): number {
  const [, digits, unit = ''] = /^(\d{1,12}(?:\.\d{1,3})?)([a-zA-Z]?)$/.exec(text) ?? [];
  const factor = units[unit];
  if (digits === undefined || factor === undefined) throw new InvalidArgumentError(wanted);
  return Math.round(Number(digits) * factor);
}
