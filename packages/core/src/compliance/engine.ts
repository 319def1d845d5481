import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { EngineEvent } from '../events/engine-event.js';
import { Lifecycle } from '../lifecycle/lifecycle.js';
import type { CaseResources } from './case-resources.js';
import { engineLifecycleCases } from './engine-lifecycles.js';
import { engineCancelCases, engineEventCases, engineMemoryCases, engineTreeCases } from './engine-runs.js';
import type { EngineAbilities, EngineGiven, EngineSubject } from './engine-subject.js';
import { engineErrorCases, engineValueCases } from './engine-values.js';
import type { ComplianceKit } from './kit.js';
import { type CaseOptions, registerCompliance } from './register.js';
import type { ComplianceRunner } from './runner.js';

/** What a composition of plugins has to do as a whole, as data. @public */
export const engineKit: ComplianceKit<EngineSubject, EngineAbilities> = {
  name: 'engine',
  title: 'an engine',
  version: '1.0.0',
  groups: [
    { name: 'values', title: 'gives values', cases: engineValueCases },
    { name: 'errors', title: 'gives errors', cases: engineErrorCases },
    { name: 'remembering', title: 'remembers', cases: engineMemoryCases },
    { name: 'cancel', title: 'cancels', cases: engineCancelCases },
    { name: 'events', title: 'tells what happens', cases: engineEventCases },
    { name: 'trees', title: 'finishes trees of runs', cases: engineTreeCases },
    { name: 'lifecycles', title: 'opens and closes', cases: engineLifecycleCases },
  ],
  capabilitiesOf: ({ remembers = true }) => ({ remembers }),
  prepare,
};

/**
 * Proves that a composition of plugins does what every engine does: runs tasks and workflows, with the same values, errors and
 * events, and leaves nothing behind.
 *
 * @example
 * ```ts
 * import { describe, it } from 'vitest';
 * engineCompliance({ describe, it }, { plugins: (modules) => [embeddedCluster({ workers: 2, modules })] });
 * ```
 * @public
 */
export function engineCompliance(
  runner: ComplianceRunner,
  subject: EngineSubject,
  options?: CaseOptions,
): void {
  registerCompliance(engineKit, runner, subject, options);
}

/** The module of the routines, as it was built: background threads load no sources. */
function routinesModule(): URL {
  const manifest = createRequire(import.meta.url).resolve('@routine-engine/core/package.json');
  return new URL('./dist/compliance/engine-routines.js', pathToFileURL(manifest));
}

async function prepare(subject: EngineSubject, resources: CaseResources): Promise<EngineGiven> {
  const { engineRoutines } = await import('./engine-routines.js');
  if (subject.close) resources.defer(() => subject.close?.());
  const open = async (): Promise<Lifecycle> => {
    const plugins = await subject.plugins([routinesModule()]);
    const lifecycle = await Lifecycle.init({ project: 'compliance', plugins });
    resources.defer(() => lifecycle.shutdown());
    return lifecycle;
  };
  const lifecycle = await open();
  const events: EngineEvent[] = [];
  lifecycle.events$.subscribe((event) => events.push(event));
  const event = (type: EngineEvent['type'], routine: string): Promise<EngineEvent> => {
    const isWanted = (each: EngineEvent): boolean =>
      each.type === type && 'routineId' in each && String(each.routineId).split(':')[2] === routine;
    return firstOf(lifecycle, events, isWanted);
  };
  return { lifecycle, events, event, open, routines: engineRoutines };
}

function firstOf(
  lifecycle: Lifecycle,
  past: readonly EngineEvent[],
  isWanted: (event: EngineEvent) => boolean,
): Promise<EngineEvent> {
  return new Promise((resolve, reject) => {
    const found = past.find(isWanted);
    if (found) return resolve(found);
    const subscription = lifecycle.events$.subscribe({
      next: (event) => {
        if (!isWanted(event)) return;
        subscription.unsubscribe();
        resolve(event);
      },
      complete: () => reject(new Error('The lifecycle closed before the event that was waited for')),
    });
  });
}
