import { isAbsolute, relative } from 'node:path';
import { formatBytes, formatCount, formatDuration, formatPercent } from './number-format.js';
import type { Confusion, Spread } from './evaluation.js';
import type { SavedModel } from './model-file.js';
import type { TaskSummary } from './progress-view.js';
import { heldOutPredictions, type SetScore, type SweepReport } from './sweep.js';

/** What a sweep found, as text: the same for the same report, wherever and however it ran. */
export function reportText(report: SweepReport): string {
  const { mails, spam, duplicates, folds, scores, best } = report;
  const winner = scores[best];
  return [
    `${folds}-fold cross-validation on ${formatCount(mails)} mails: ${formatCount(spam)} spam, ` +
      `${formatCount(mails - spam)} ham; headers stripped, ${formatCount(duplicates)} copies kept in the fold of their original.`,
    'Accuracy and F1 of spam on held-out mails: mean ± standard deviation over the folds.',
    '',
    ...alignColumns([
      ['', 'learning rate', 'L2', 'epochs', 'accuracy', 'F1'],
      ...scores.map((score, index) => scoreCells(score, index === best)),
    ]),
    '',
    ...(winner === undefined ? [] : confusionLines(heldOutPredictions(winner))),
  ].join('\n');
}

/** Where the model is; the digest tells whether two models are the same bit for bit. */
export function savedModelText({ path, byteLength, digest }: SavedModel, workingDirectory: string): string {
  const fromHere = relative(workingDirectory, path);
  // A way up and down again is harder to read than where it ends.
  const shown = fromHere.startsWith('..') || isAbsolute(fromHere) ? path : fromHere;
  return `Model saved: ${shown} (${formatBytes(byteLength)})\nsha256: ${digest}`;
}

/** One line on what was done, and what did not have to be done again. */
export function summaryText(summary: TaskSummary, durationMs: number): string {
  const { tasks, executed, cached, failed, cancelled } = summary;
  const parts = [`${executed} executed`, `${cached} from the store`, `${failed} failed`];
  if (cancelled > 0) parts.push(`${cancelled} cancelled`);
  return `${tasks} tasks: ${parts.join(', ')} in ${formatDuration(durationMs)}`;
}

function scoreCells({ parameters, accuracy, f1 }: SetScore, best: boolean): string[] {
  const { learningRate, l2, epochs } = parameters;
  return [
    best ? '>' : '',
    String(learningRate),
    l2 === 0 ? '0' : l2.toExponential(),
    String(epochs),
    spreadText(accuracy),
    spreadText(f1),
  ];
}

function spreadText({ mean, deviation }: Spread): string {
  return `${formatPercent(mean)} ± ${(deviation * 100).toFixed(2)}`;
}

function confusionLines(confusion: Confusion): string[] {
  const { truePositives, falsePositives, trueNegatives, falseNegatives } = confusion;
  return [
    'Confusion matrix of the best (>): each mail predicted by the model that had not seen it.',
    '',
    ...alignColumns([
      ['', 'predicted spam', 'predicted ham'],
      ['spam', formatCount(truePositives), formatCount(falseNegatives)],
      ['ham', formatCount(falsePositives), formatCount(trueNegatives)],
    ]),
  ];
}

/** The first column to the left, numbers to the right. */
function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
}
