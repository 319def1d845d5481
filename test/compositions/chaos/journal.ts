import { appendFileSync, readFileSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Something that happened in a cluster, in the order in which it did. */
export type Entry =
  /** A body began, or ended, in a process. */
  | (Execution & { readonly type: 'begun' | 'ended' })
  /** The result is in the directory now. */
  | {
      readonly type: 'kept';
      readonly key: string;
      readonly outcome: 'stored' | 'present';
      readonly pid: number;
      readonly at: number;
    }
  /** A process was killed, frozen or woken. */
  | { readonly type: 'killed' | 'frozen' | 'woken'; readonly role: Role; readonly pid: number }
  /** The network has let nothing of a process come to the service for a while, and still does not. */
  | { readonly type: 'silent'; readonly role: Role; readonly pid: number };

export interface Execution {
  readonly name: string;
  /** The same for equal arguments. */
  readonly task: string;
  readonly runId: string;
  readonly attempt: number;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export type Role = 'service' | 'worker' | 'client';

/** What the processes of a cluster did, and what was done to them. */
export class Journal {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
    appendFileSync(file, '');
  }

  get entries(): readonly Entry[] {
    const lines = readFileSync(this.file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Entry);
  }

  note(entry: Entry): void {
    appendFileSync(this.file, `${JSON.stringify(entry)}\n`);
  }

  /** Resolves with the first entry that is looked for, once it is there. */
  async has<Found extends Entry>(isIt: (entry: Entry) => entry is Found): Promise<Found>;
  async has(isIt: (entry: Entry) => boolean): Promise<Entry>;
  async has(isIt: (entry: Entry) => boolean): Promise<Entry> {
    const watcher = watch(dirname(this.file));
    try {
      for (;;) {
        const grown = new Promise<void>((resolve) => {
          const hear = (_: string, name: string | null): void => {
            if (name !== basename(this.file)) return;
            watcher.off('change', hear);
            resolve();
          };
          watcher.on('change', hear);
        });
        const found = this.entries.find(isIt);
        if (found) return found;
        await grown;
      }
    } finally {
      watcher.close();
    }
  }
}
