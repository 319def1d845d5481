import type { Corpus, CorpusSelection } from './corpus.js';
import { accuracy, addConfusions, type Confusion, f1Score, type Spread, spread } from './evaluation.js';
import type { Features, NgramOptions } from './features.js';
import { assignFolds, type Split, splitByFold } from './folds.js';
import type { HyperParameters, Model } from './logistic-regression.js';

/** Everything that a sweep depends on. */
export interface SweepPlan {
  readonly corpus: CorpusSelection;
  readonly ngrams: NgramOptions;
  /** Folds of the cross-validation. */
  readonly folds: number;
  /** The hyper-parameter sets to compare. */
  readonly grid: readonly HyperParameters[];
  /** Seed of the folds and of the order of examples. */
  readonly seed: number;
  /** Models in training or evaluation at once. Each holds its examples in memory; the result does not depend on it. */
  readonly maxInFlight: number;
}

/** How one hyper-parameter set did. */
export interface SetScore {
  readonly parameters: HyperParameters;
  /** One for each fold: predictions of the mails held out. */
  readonly confusions: readonly Confusion[];
  readonly accuracy: Spread;
  readonly f1: Spread;
}

/** What a sweep found. */
export interface SweepReport {
  readonly mails: number;
  readonly spam: number;
  /** Mails that are copies of an earlier one. */
  readonly duplicates: number;
  readonly folds: number;
  /** In the order of the grid. */
  readonly scores: readonly SetScore[];
  /** Index in `scores` of the set with the highest mean accuracy; of equals the one with the higher F1, then the first. */
  readonly best: number;
  /** Fitted to all mails with the best set. */
  readonly model: Model;
}

/** The tasks that a sweep is made of. Anything of this form will do: routines, or plain functions in a test. */
export interface SweepTasks {
  loadCorpus(selection: CorpusSelection): Promise<Corpus>;
  featurize(corpus: Corpus, ngrams: NgramOptions): Promise<Features>;
  train(examples: Features, parameters: HyperParameters, seed: number): Promise<Model>;
  evaluate(model: Model, examples: Features): Promise<Confusion>;
}

/** How often each task is called by a sweep of `plan`. */
export function plannedCalls(plan: SweepPlan): Readonly<Record<keyof SweepTasks, number>> {
  const models = plan.grid.length * plan.folds;
  return { loadCorpus: 1, featurize: 1, train: models + 1, evaluate: models };
}

/** Makes the body of the workflow. */
export function createSweep(tasks: SweepTasks): (plan: SweepPlan) => Promise<SweepReport> {
  return async (plan) => {
    const corpus = await tasks.loadCorpus(plan.corpus);
    const features = await tasks.featurize(corpus, plan.ngrams);
    const scores = await crossValidate(tasks, plan, features);
    const best = indexOfBest(scores);
    const winner = scores[best];
    if (winner === undefined) throw new RangeError('The grid of a sweep has no hyper-parameter set.');
    return {
      mails: features.labels.length,
      spam: features.labels.reduce((sum, label) => sum + label, 0),
      duplicates: features.groups.length - new Set(features.groups).size,
      folds: plan.folds,
      scores,
      best,
      model: await tasks.train(features, winner.parameters, plan.seed),
    };
  };
}

async function crossValidate(tasks: SweepTasks, plan: SweepPlan, features: Features): Promise<SetScore[]> {
  const confusions = plan.grid.map((): Confusion[] => []);
  await forEachLimited(cells(plan, features), plan.maxInFlight, async ({ split, fold, set, parameters }) => {
    const model = await tasks.train(split.training, parameters, plan.seed);
    const counted = await tasks.evaluate(model, split.heldOut);
    // By place, not by arrival: the report must not depend on who was first.
    const ofSet = confusions[set];
    if (ofSet !== undefined) ofSet[fold] = counted;
  });
  return plan.grid.map((parameters, set) => scoreOf(parameters, confusions[set] ?? []));
}

interface Cell {
  readonly split: Split;
  readonly fold: number;
  /** Index in the grid. */
  readonly set: number;
  readonly parameters: HyperParameters;
}

/** Fold by fold, so that only the splits of the folds in work are in memory. */
function* cells(plan: SweepPlan, features: Features): Generator<Cell, void, undefined> {
  const folds = assignFolds(features, plan.folds, plan.seed);
  for (let fold = 0; fold < plan.folds; fold++) {
    const split = splitByFold(features, folds, fold);
    for (const [set, parameters] of plan.grid.entries()) yield { split, fold, set, parameters };
  }
}

function scoreOf(parameters: HyperParameters, confusions: readonly Confusion[]): SetScore {
  return {
    parameters,
    confusions,
    accuracy: spread(confusions.map(accuracy)),
    f1: spread(confusions.map(f1Score)),
  };
}

function indexOfBest(scores: readonly SetScore[]): number {
  const better = (a: SetScore, b: SetScore) => a.accuracy.mean - b.accuracy.mean || a.f1.mean - b.f1.mean;
  return scores.reduce((best, score, index) => {
    const leader = scores[best];
    return leader !== undefined && better(score, leader) > 0 ? index : best;
  }, 0);
}

/** Does `work` for each item, `limit` at a time. After a failure no further item is begun. */
async function forEachLimited<T>(
  items: Generator<T, void, undefined>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let failed = false;
  const worker = async () => {
    // A `for of` that is left early closes the generator, and the others still draw from it.
    for (let next = items.next(); !failed && !next.done; next = items.next()) await work(next.value);
  };
  try {
    await Promise.all(Array.from({ length: limit }, worker));
  } catch (error) {
    failed = true;
    throw error;
  }
}

/** Mails that were predicted by a model that had not seen them: each exactly once. */
export function heldOutPredictions(score: SetScore): Confusion {
  return addConfusions(score.confusions);
}
