import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildCorpus } from '../src/corpus.js';
import { extractFeatures } from '../src/features.js';
import { fitModel } from '../src/logistic-regression.js';
import {
  decodeFilter,
  encodeFilter,
  saveFilter,
  type SpamFilter,
  spamProbability,
} from '../src/model-file.js';
import { complete } from '../src/steps.js';
import { allRows } from './toy-data.js';

const ngrams = { minLength: 3, maxLength: 4, bucketBits: 12 };
const maxMailBytes = 200;
const mails = [
  { group: 'spam-1', text: 'Subject: x\n\nWin free money today! Click now.' },
  { group: 'easy-ham-1', text: 'Subject: x\n\nThe patch for the kernel module compiles.' },
];
const corpus = complete(buildCorpus(mails, { every: 1, maxMailBytes }));
const features = complete(extractFeatures(corpus, ngrams));
const model = complete(fitModel(features, allRows(features), { learningRate: 2, epochs: 20, l2: 1e-4 }, 1));
const filter: SpamFilter = { model, ngrams, maxMailBytes };

describe('a saved model', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'spam-sweep-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('is one whole file, named by the digest of its bytes', async () => {
    const deeper = join(directory, 'not', 'there', 'yet');
    const { path, byteLength, digest } = await saveFilter(filter, deeper, 'toy');
    const bytes = await readFile(path);
    expect(bytes).toHaveLength(byteLength);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(digest);
    expect(await readdir(deeper)).toEqual([`toy-${digest.slice(0, 12)}.model`]);
  });

  it('comes back bit for bit', async () => {
    const { path } = await saveFilter(filter, directory, 'toy');
    expect(decodeFilter(await readFile(path))).toEqual(filter);
  });

  it('tells spam from ham in a mail with headers', () => {
    const again = decodeFilter(encodeFilter(filter));
    expect(spamProbability(again, 'Subject: kernel patch\n\nFree money! Click!')).toBeGreaterThan(0.5);
    expect(spamProbability(again, 'Subject: free money\n\nThe module compiles.')).toBeLessThan(0.5);
  });

  it('is refused when it is cut short or something else', () => {
    const bytes = encodeFilter(filter);
    expect(() => decodeFilter(bytes.subarray(0, bytes.length - 1))).toThrow(
      'should have 16384 bytes of weights',
    );
    for (const wrong of [
      '',
      'hello\n',
      '{"format":"spam-sweep-model/1"}\n',
      '{"format":"other"}\n',
      'null\n',
    ]) {
      expect(() => decodeFilter(Buffer.from(wrong))).toThrow('not a model');
    }
  });
});
