import type { EngineEvent } from '@routine-engine/core';
import { EventFeed } from '@routine-engine/core/adapter';

const LAST_EVENTS = 20;

/** What all nodes of a cluster told, in the order in which it happened. */
export class EventJournal {
  readonly events: EngineEvent[] = [];
  /** Lines that nodes logged as warnings or errors. */
  readonly warnings: string[] = [];
  readonly #feed = new EventFeed<EngineEvent>();
  /** Up to where a test has waited for events. */
  #read = 0;

  readonly events$ = this.#feed.events$;

  tell(event: EngineEvent): void {
    this.events.push(event);
    this.#feed.emit(event);
  }

  /** Gives the first event that fits, from the one after that which was given last; each call looks only at what is new. */
  reader(fits: (event: EngineEvent) => boolean): () => { readonly found: EngineEvent } | undefined {
    let at = this.#read;
    return () => {
      for (; at < this.events.length; at += 1) {
        const event = this.events[at] as EngineEvent;
        if (!fits(event)) continue;
        this.#read = Math.max(this.#read, at + 1);
        return { found: event };
      }
      return undefined;
    };
  }

  complete(): void {
    this.#feed.complete();
  }

  /** For messages. */
  last(): string {
    const { events, warnings } = this;
    const last = events.slice(-LAST_EVENTS);
    const lines = last.map((event) => `  ${describeEvent(event)}`);
    const logged = warnings.slice(-LAST_EVENTS).map((line) => `  ${line}`);
    return [
      lines.length > 0 ? `The last ${lines.length} of ${events.length} events:` : 'No event came at all.',
      ...lines,
      ...(logged.length > 0 ? ['Logged:', ...logged] : []),
    ].join('\n');
  }
}

/** One line, such as `worker-1 run.starting tname:test:add:1.0.0 on worker-1`. */
function describeEvent(event: EngineEvent): string {
  const { node, type } = event;
  const { routineId, runId, worker, status, error, address, key } = event as EngineEvent & Described;
  const about = routineId === undefined ? '' : `${routineId} ${runId?.slice(-8) ?? ''}`;
  const rest = [about, worker, status, address, key?.slice(0, 8), error && `${error.name}: ${error.message}`];
  return [node, type, ...rest.filter((part) => part)].join(' ');
}

interface Described {
  readonly routineId?: string;
  readonly runId?: string;
  readonly worker?: string;
  readonly status?: string;
  readonly address?: string;
  readonly key?: string;
  readonly error?: { readonly name: string; readonly message: string };
}
