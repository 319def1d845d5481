import type { OrRef } from '@routine-engine/core';
import type { Corpus, CorpusSelection } from './corpus.js';
import { accuracy, addConfusions, type Confusion, f1Score, type Spread, spread } from './evaluation.js';
import type { Features, NgramOptions } from './features.js';
import type { FoldAssignment, Split } from './folds.js';
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
  /** Begins a model only when the one before has been evaluated, in place of all at once. The report does not depend on it. */
  readonly oneByOne?: boolean;
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

/**
 * The tasks that a sweep is made of. Anything of this form will do: routines that give references to large results, or plain
 * functions in a test.
 */
export interface SweepTasks {
  loadCorpus(selection: CorpusSelection): Promise<OrRef<Corpus>>;
  featurize(corpus: OrRef<Corpus>, ngrams: NgramOptions): Promise<OrRef<Features>>;
  assignFolds(features: OrRef<Features>, foldCount: number, seed: number): Promise<FoldAssignment>;
  train(
    features: OrRef<Features>,
    split: Split,
    parameters: HyperParameters,
    seed: number,
  ): Promise<OrRef<Model>>;
  /** As `train`, for the model that the report has. */
  trainFinal(
    features: OrRef<Features>,
    split: Split,
    parameters: HyperParameters,
    seed: number,
  ): Promise<Model>;
  evaluate(model: OrRef<Model>, features: OrRef<Features>, split: Split): Promise<Confusion>;
}

/** How often each routine is called by a sweep of `plan`. */
export function plannedCalls(
  plan: SweepPlan,
): Readonly<Record<Exclude<keyof SweepTasks, 'trainFinal'>, number>> {
  const models = plan.grid.length * plan.folds;
  return { loadCorpus: 1, featurize: 1, assignFolds: 1, train: models + 1, evaluate: models };
}

/** Makes the body of the workflow. It never holds the mails or the matrix, only references to them. */
export function createSweep(tasks: SweepTasks): (plan: SweepPlan) => Promise<SweepReport> {
  return async (plan) => {
    const corpus = await tasks.loadCorpus(plan.corpus);
    const features = await tasks.featurize(corpus, plan.ngrams);
    const { folds, spam, duplicates } = await tasks.assignFolds(features, plan.folds, plan.seed);
    const scores = await crossValidate(tasks, plan, features, folds);
    const best = indexOfBest(scores);
    const winner = scores[best];
    if (winner === undefined) throw new RangeError('The grid of a sweep has no hyper-parameter set.');
    return {
      mails: folds.length,
      spam,
      duplicates,
      folds: plan.folds,
      scores,
      best,
      model: await tasks.trainFinal(features, { folds }, winner.parameters, plan.seed),
    };
  };
}

async function crossValidate(
  tasks: SweepTasks,
  plan: SweepPlan,
  features: OrRef<Features>,
  folds: Uint8Array,
): Promise<SetScore[]> {
  const confusions = plan.grid.map((): Confusion[] => []);
  await forEachCell(plan, async ({ fold, set, parameters }) => {
    const split = { folds, heldOut: fold };
    const model = await tasks.train(features, split, parameters, plan.seed);
    const counted = await tasks.evaluate(model, features, split);
    // By place, not by arrival: the report must not depend on who was first.
    const ofSet = confusions[set];
    if (ofSet !== undefined) ofSet[fold] = counted;
  });
  return plan.grid.map((parameters, set) => scoreOf(parameters, confusions[set] ?? []));
}

interface Cell {
  readonly fold: number;
  /** Index in the grid. */
  readonly set: number;
  readonly parameters: HyperParameters;
}

async function forEachCell(plan: SweepPlan, work: (cell: Cell) => Promise<void>): Promise<void> {
  const cells = Array.from({ length: plan.folds }, (_, fold) =>
    plan.grid.map((parameters, set): Cell => ({ fold, set, parameters })),
  ).flat();
  if (plan.oneByOne) for (const cell of cells) await work(cell);
  else await Promise.all(cells.map(work));
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

/** Mails that were predicted by a model that had not seen them: each exactly once. */
export function heldOutPredictions(score: SetScore): Confusion {
  return addConfusions(score.confusions);
}
