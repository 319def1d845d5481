import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../src/cli.js';

function parse(...args: string[]) {
  const texts = { out: '', err: '' };
  const result = parseCommandLine(args, {
    out: (text) => void (texts.out += text),
    err: (text) => void (texts.err += text),
  });
  return { result, ...texts };
}

describe('the command line', () => {
  it('means the quick sweep on two threads when it is empty', () => {
    expect(parse().result).toEqual({
      preset: 'quick',
      local: false,
      workers: 2,
      store: resolve('.routine-engine/results'),
      output: resolve('.routine-engine/models'),
    });
  });

  it('takes every option', () => {
    const { result } = parse('--preset', 'full', '--workers', '8', '--store', 'a', '--output', '/b');
    expect(result).toEqual({ preset: 'full', local: false, workers: 8, store: resolve('a'), output: '/b' });
    expect(parse('--local').result).toMatchObject({ local: true });
  });

  it('explains itself to standard output with --help', () => {
    const { result, out, err } = parse('--help');
    expect(result).toBe(0);
    expect(err).toBe('');
    for (const option of ['--preset', '--local', '--workers', '--store', '--output', '--help'])
      expect(out).toContain(option);
  });

  it.each([
    [['--preset', 'huge'], "'huge' is invalid. Allowed choices are quick, default, full."],
    [['--workers', '0'], "'0' is invalid. Expected a whole number from 1 to 256."],
    [['--workers', '1.5'], "'1.5' is invalid"],
    [['--workers', '257'], "'257' is invalid"],
    [['--workers'], 'argument missing'],
    [['--local', '--workers', '2'], "'--local' cannot be used with option '--workers <n>'"],
    [['--worker', '2'], "unknown option '--worker'"],
    [['quick'], 'too many arguments'],
  ])('refuses %j with exit code 2 and says why', (args, reason) => {
    const { result, out, err } = parse(...args);
    expect(result).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(reason);
  });
});
