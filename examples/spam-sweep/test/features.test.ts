import { describe, expect, it } from 'vitest';
import { extractFeatures } from '../src/features.js';
import { complete } from '../src/steps.js';
import { corpusOf, rowsOf } from './toy-data.js';

const extract = (texts: string[], minLength = 3, maxLength = 3, bucketBits = 16) =>
  complete(extractFeatures(corpusOf(texts), { minLength, maxLength, bucketBits }));

describe('n-gram features', () => {
  it('set one column for each different n-gram of a mail', () => {
    const [once, twice, short] = rowsOf(extract(['abcd', 'abcabcabc', 'ab']));
    expect(once).toHaveLength(2); // abc bcd
    expect(twice).toHaveLength(3); // abc bca cab
    expect(short).toEqual([]);
  });

  it('include every length that was asked for', () => {
    expect(rowsOf(extract(['abcde'], 3, 5))[0]).toHaveLength(3 + 2 + 1);
  });

  it('come in ascending order and below the column count', () => {
    const features = extract(['the quick brown fox jumps over the lazy dog'], 1, 4, 8);
    const columns = rowsOf(features)[0] ?? [];
    expect(columns).toEqual([...new Set(columns)].toSorted((a, b) => a - b));
    expect(features.columnCount).toBe(256);
    expect(Math.max(...columns)).toBeLessThan(256);
  });

  it('are the same for other case and white space, and different for other words', () => {
    const [plain, loud, other] = rowsOf(extract(['buy it now', '  BUY\n\tit   Now', 'buy it then']));
    expect(loud).toEqual(plain);
    expect(other).not.toEqual(plain);
  });

  it('share n-grams between mails by column', () => {
    const [first, second] = rowsOf(extract(['abc', 'abcd']));
    expect(second).toEqual(expect.arrayContaining(first ?? []));
  });

  it('have 16 bits a column where that is enough', () => {
    expect(extract(['abc'], 3, 3, 16).columns).toBeInstanceOf(Uint16Array);
    expect(extract(['abc'], 3, 3, 17).columns).toBeInstanceOf(Uint32Array);
  });

  it('never change: the columns of a known text', () => {
    // A change of these numbers changes every result: the version of `featurize` has to change with them.
    expect(rowsOf(extract(['Free money!'], 4, 4, 16))[0]).toMatchInlineSnapshot(`
      [
        24654,
        24864,
        42354,
        46956,
        47036,
        60218,
        62014,
        63513,
      ]
    `);
  });

  it('are the same before and after the table had to grow', () => {
    const text = Array.from({ length: 12_000 }, (_, index) => index.toString(36)).join(' ');
    const [first, ...others] = rowsOf(extract([text, text, text, text], 3, 9, 24)).map(String);
    expect(first?.length).toBeGreaterThan(1_000_000);
    for (const other of others) expect(other === first).toBe(true);
  });

  it.each([
    [{ minLength: 0, maxLength: 3, bucketBits: 16 }, 'n-grams of 0 to 3 bytes'],
    [{ minLength: 4, maxLength: 3, bucketBits: 16 }, 'n-grams of 4 to 3 bytes'],
    [{ minLength: 3, maxLength: 3, bucketBits: 25 }, 'bucketBits is 25'],
  ])('refuse options out of range: %o', (options, message) => {
    expect(() => complete(extractFeatures(corpusOf(['abc']), options))).toThrow(message);
  });
});
