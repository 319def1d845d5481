import { createHash } from 'node:crypto';
import { encodeFilter } from '../../../examples/spam-sweep/src/model-file.ts';
import type { SweepPlan, SweepReport } from '../../../examples/spam-sweep/src/sweep.ts';

/** SHA-256 of the model that a sweep printed as JSON, in the form in which `npm start` saves it. */
export function digestOf(printed: string, { ngrams, corpus }: SweepPlan): string {
  const { model } = JSON.parse(printed) as SweepReport;
  const weights = Float32Array.from(model.weights);
  const filter = { model: { ...model, weights }, ngrams, maxMailBytes: corpus.maxMailBytes };
  return createHash('sha256').update(encodeFilter(filter)).digest('hex');
}
