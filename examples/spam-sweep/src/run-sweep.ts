import { type EnginePlugin, Lifecycle } from '@routine-engine/core';
import { fsStore } from '@routine-engine/store-fs';
import { embeddedCluster } from '@routine-engine/transport-inproc';
import { scan, zip } from 'rxjs';
import { type SavedModel, saveFilter } from './model-file.js';
import { NO_PROGRESS, reduceProgress, summarizeTasks, type TaskSummary } from './progress-view.js';
import { sweep } from './routines.js';
import type { SweepPlan, SweepReport } from './sweep.js';
import type { ProgressDisplay } from './terminal-view.js';

/** Where and how a sweep runs. */
export interface SweepSetup {
  /** Absolute path of the directory that keeps results of tasks. */
  readonly store: string;
  /** Absolute path of the directory for the model. */
  readonly output: string;
  /** First part of the model's file name. */
  readonly name: string;
  /** Threads of the embedded cluster; 0 runs everything in the calling thread. */
  readonly workers: number;
  /** The module that the threads load. */
  readonly routines: URL;
}

/** What came of it. */
export interface SweepOutcome {
  readonly report: SweepReport;
  readonly saved: SavedModel;
  readonly summary: TaskSummary;
  readonly durationMs: number;
}

/**
 * Composes the engine, runs one sweep on it and saves its model. When it settles, nothing of the engine is left.
 *
 * @param signal - stops the sweep; what tasks had finished stays in the store.
 * @throws what the sweep throws; RUN_CANCELLED after `signal`.
 */
export async function runSweep(
  plan: SweepPlan,
  setup: SweepSetup,
  display: ProgressDisplay,
  signal: AbortSignal,
): Promise<SweepOutcome> {
  const startedAt = performance.now();
  let state = NO_PROGRESS;
  const sayStopping = () => display.note('Stopping ...');
  signal.addEventListener('abort', sayStopping, { once: true });
  try {
    await using lifecycle = await Lifecycle.init({ project: 'spam-sweep', plugins: plugins(setup) });
    const states$ = lifecycle.events$.pipe(scan(reduceProgress, NO_PROGRESS));
    zip(lifecycle.events$, states$).subscribe(([event, after]) => {
      state = after;
      display.show(event, after);
    });
    // In one thread several models at once are no faster, and an interruption would lose all of them half done.
    const report = await sweep.with({ signal })({ ...plan, oneByOne: setup.workers === 0 });
    const filter = { model: report.model, ngrams: plan.ngrams, maxMailBytes: plan.corpus.maxMailBytes };
    return {
      report,
      saved: await saveFilter(filter, setup.output, setup.name),
      summary: summarizeTasks(state),
      durationMs: performance.now() - startedAt,
    };
  } finally {
    signal.removeEventListener('abort', sayStopping);
    display.close();
  }
}

function plugins({ store, workers, routines }: SweepSetup): EnginePlugin[] {
  const kept = fsStore({ dir: store });
  return workers === 0 ? [kept] : [kept, embeddedCluster({ workers, modules: [routines] })];
}
