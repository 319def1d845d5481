/** A kind of value that a setting has: how it is written as text, and what else a configuration file may give. */
export interface Kind<T> {
  /** For messages, such as `a whole number from 1 to 5`. */
  readonly wanted: string;
  /** A flag of this kind takes no value. */
  readonly isSwitch?: boolean;
  /** A flag of this kind may be given several times. */
  readonly isList?: boolean;
  /** Reads a flag or a variable; `undefined` when it does not fit. */
  parse(text: string): T | undefined;
  /** Whether a value of a configuration file fits. */
  accepts(value: unknown): boolean;
}

export const text: Kind<string> = {
  wanted: 'a text that is not empty',
  parse: (given) => (given === '' ? undefined : given),
  accepts: (value) => typeof value === 'string' && value !== '',
};

export const truth: Kind<boolean> = {
  wanted: 'true or false',
  isSwitch: true,
  parse: (given) => ({ true: true, '1': true, false: false, '0': false })[given],
  accepts: (value) => typeof value === 'boolean',
};

export function wholeNumber(least: number, most: number): Kind<number> {
  const fits = (value: unknown): boolean =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
  return {
    wanted: `a whole number from ${least} to ${most}`,
    parse: (given) => (/^\d{1,15}$/.test(given) && fits(Number(given)) ? Number(given) : undefined),
    accepts: fits,
  };
}

/** Several, which in a variable stand one after the other with commas between. */
export const texts: Kind<readonly string[]> = {
  wanted: 'one or several texts, in a variable with commas between',
  isList: true,
  parse: (given) => {
    const parts = given.split(',').map((part) => part.trim());
    return parts.every((part) => part !== '') ? parts : undefined;
  },
  accepts: (value) =>
    Array.isArray(value) && value.every((each) => typeof each === 'string' || each instanceof URL),
};

export const labels: Kind<Readonly<Record<string, string>>> = {
  wanted: 'name=value, in a variable several with commas between',
  isList: true,
  parse: (given) => {
    const pairs = given.split(',').map((part) => /^([^=]+)=(.*)$/.exec(part.trim()));
    if (!pairs.every((pair) => pair !== null)) return undefined;
    return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value]));
  },
  accepts: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};
