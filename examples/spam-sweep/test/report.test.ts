import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatDuration, formatPercent } from '../src/number-format.js';
import { reportText, savedModelText, summaryText } from '../src/report.js';
import type { SweepReport } from '../src/sweep.js';

const report: SweepReport = {
  mails: 6046,
  spam: 1896,
  duplicates: 593,
  folds: 2,
  best: 1,
  model: { weights: new Float32Array(2), bias: 0 },
  scores: [
    {
      parameters: { learningRate: 2, epochs: 40, l2: 0 },
      confusions: [],
      accuracy: { mean: 0.98693, deviation: 0.0043 },
      f1: { mean: 0.9791, deviation: 0.007 },
    },
    {
      parameters: { learningRate: 10, epochs: 40, l2: 1e-6 },
      confusions: [
        { truePositives: 900, falsePositives: 20, trueNegatives: 2055, falseNegatives: 48 },
        { truePositives: 940, falsePositives: 0, trueNegatives: 2075, falseNegatives: 8 },
      ],
      accuracy: { mean: 0.98809, deviation: 0.0029 },
      f1: { mean: 0.981, deviation: 0.005 },
    },
  ],
};

describe('the report', () => {
  it('has a table of all sets with the best marked, and its confusion matrix', () => {
    expect(reportText(report)).toMatchInlineSnapshot(`
      "2-fold cross-validation on 6,046 mails: 1,896 spam, 4,150 ham; headers stripped, 593 copies kept in the fold of their original.
      Accuracy and F1 of spam on held-out mails: mean ± standard deviation over the folds.

         learning rate    L2  epochs        accuracy              F1
                     2     0      40  98.69 % ± 0.43  97.91 % ± 0.70
      >             10  1e-6      40  98.81 % ± 0.29  98.10 % ± 0.50

      Confusion matrix of the best (>): each mail predicted by the model that had not seen it.

            predicted spam  predicted ham
      spam           1,840             56
      ham               20          4,130"
    `);
  });
});

describe('the place of the model', () => {
  const saved = { path: resolve('/data/models/quick.model'), byteLength: 262_293, digest: 'abc' };

  it('is told from the working directory when it is below, else in full', () => {
    expect(savedModelText(saved, resolve('/data'))).toBe(
      `Model saved: ${join('models', 'quick.model')} (262.3 kB)\nsha256: abc`,
    );
    expect(savedModelText(saved, resolve('/data/elsewhere'))).toContain(`Model saved: ${saved.path} (`);
  });
});

describe('the summary line', () => {
  it('says what was executed and what came from the store', () => {
    const summary = { tasks: 63, executed: 0, cached: 63, failed: 0, cancelled: 0 };
    expect(summaryText(summary, 412)).toBe('63 tasks: 0 executed, 63 from the store, 0 failed in 0.4 s');
    expect(summaryText({ ...summary, cancelled: 2 }, 412)).toContain('0 failed, 2 cancelled in');
  });
});

describe('numbers for people', () => {
  it('have units that fit', () => {
    expect([0, 999, 1000, 12_772_026, 999_960, 3e15].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '12.8 MB',
      '1.0 MB',
      '3000.0 TB',
    ]);
    expect([0, 59_949, 59_950, 119_700].map(formatDuration)).toEqual([
      '0.0 s',
      '59.9 s',
      '1 min 0 s',
      '2 min 0 s',
    ]);
    expect([0, 999, 6046, 1_234_567].map(formatCount)).toEqual(['0', '999', '6,046', '1,234,567']);
    expect(formatPercent(0.98809)).toBe('98.81 %');
  });
});
