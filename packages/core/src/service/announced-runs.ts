import { LIMITS } from '../model/limits.js';
import type { AnnouncedRun, RunsAnnounced } from '../protocol/announcements.js';
import type { NodeSession } from './node-session.js';

/** A run that a node executes by itself, as the service was told. Plain data. @public */
export interface AnnouncedRunInfo {
  /** Name of the node. */
  readonly node: string;
  readonly runId: string;
  /** Full routine id. */
  readonly routineId: string;
  readonly rootRunId: string;
  readonly parentRunId?: string | undefined;
  /** In milliseconds since 1970 (UTC), by the clock of the node. */
  readonly startedAt: number;
}

/** The runs that nodes execute by themselves, until they end or their node goes. */
export class AnnouncedRuns {
  readonly #runs = new Map<NodeSession, Map<string, AnnouncedRun>>();

  get all(): readonly AnnouncedRunInfo[] {
    return [...this.#runs].flatMap(([{ name }, runs]) =>
      [...runs.values()].map((run) => ({ node: name, ...run })),
    );
  }

  find(runId: string): { readonly node: NodeSession; readonly run: AnnouncedRun } | undefined {
    for (const [node, runs] of this.#runs) {
      const run = runs.get(runId);
      if (run) return { node, run };
    }
    return undefined;
  }

  take(node: NodeSession, { started, ended }: RunsAnnounced): void {
    const runs = this.#runs.get(node) ?? new Map<string, AnnouncedRun>();
    for (const runId of ended) runs.delete(runId);
    for (const run of started) if (runs.size < LIMITS.announcedRuns) runs.set(run.runId, run);
    if (runs.size > 0) this.#runs.set(node, runs);
    else this.#runs.delete(node);
  }

  nodeLost(node: NodeSession): void {
    this.#runs.delete(node);
  }
}
