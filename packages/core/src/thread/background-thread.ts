import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker, type ResourceLimits } from 'node:worker_threads';
import { fromPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { LIMITS } from '../model/limits.js';
import type { Clock } from '../ports/clock.js';
import type { Encoded } from '../model/encoded.js';
import type { Parcel, ThreadOffer, ThreadStart, ToGuest, ToHost } from './messages.js';
import { ParcelPort } from './parcel-port.js';

/** How background threads are started. @public */
export interface ThreadOptions {
  /** Modules whose routines the thread offers: URLs (`new URL('./routines.js', import.meta.url)`). */
  readonly modules: readonly (URL | string)[];
  /** Modules to import first, such as one that registers a TypeScript loader of your own. Default none. */
  readonly preload?: readonly (URL | string)[];
  /** Heap limits of the thread, in MiB. Default: those of the process. */
  readonly resourceLimits?: ResourceLimits;
  /** Node options of the thread, such as `['--enable-source-maps']`. Those of the process are not inherited. */
  readonly execArgv?: readonly string[];
}

/** How a thread ended: by `terminate`, before its modules were loaded, or in the middle of its work. */
export type ThreadEnd =
  | { readonly cause: 'closed' }
  | { readonly cause: 'never-ready'; readonly error: Error }
  | { readonly cause: 'out-of-memory'; readonly error: Error }
  | { readonly cause: 'exited'; readonly error: Error };

interface BackgroundThreadParts {
  readonly options: ThreadOptions;
  readonly project: string;
  readonly clock: Clock;
  readonly onParcel: (parcel: Parcel<ToHost>) => void;
  readonly onEnd: (end: ThreadEnd) => void;
}

/** One background thread, from start to end. */
export class BackgroundThread {
  /** What it offers once its modules are loaded. Rejects with `ROUTINE_MODULE_FAILED` or how it ended before. */
  readonly ready: Promise<ThreadOffer>;
  readonly #worker: Worker;
  readonly #port: ParcelPort<ToGuest, ToHost>;
  readonly #exited: Promise<void>;
  readonly #computing = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #closing = false;
  #wasReady = false;
  #uncaught: Error | undefined;

  constructor(parts: BackgroundThreadParts) {
    const { options, project, clock } = parts;
    const workerData: ThreadStart = {
      modules: options.modules.map(moduleUrl),
      preload: (options.preload ?? []).map(moduleUrl),
      project,
      computing: this.#computing.buffer,
    };
    this.#worker = new Worker(entryFile(), {
      workerData,
      execArgv: [...(options.execArgv ?? [])],
      ...(options.resourceLimits && { resourceLimits: options.resourceLimits }),
    });
    this.#port = new ParcelPort(this.#worker, clock);
    this.#worker.on('error', (error: Error) => (this.#uncaught ??= error));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        resolve();
        parts.onEnd(this.#endOf(code));
      });
    });
    this.ready = this.#start(parts, workerData.modules);
    // Whoever starts the thread awaits it; a thread that ends before is told by `onEnd` too.
    this.ready.catch(() => undefined);
  }

  /** Number of the run whose body computes, also after the thread has ended; 0 when none does. */
  get computing(): number {
    return Atomics.load(this.#computing, 0);
  }

  /** See {@link ParcelPort.send}. */
  send(message: ToGuest, value?: Encoded, own?: boolean): void {
    this.#port.send(message, value, own);
  }

  /** Ends the thread at once, whatever it does. */
  async terminate(): Promise<void> {
    this.#closing = true;
    await this.#worker.terminate();
    await this.#exited;
  }

  #start(parts: BackgroundThreadParts, modules: readonly string[]): Promise<ThreadOffer> {
    return new Promise((resolve, reject) => {
      const late = parts.clock.after(LIMITS.threadStartMs, () => {
        reject(startFailed(`took longer than ${LIMITS.threadStartMs} ms to load ${modules.join(', ')}`));
        void this.terminate();
      });
      this.#port.listen((parcel) => {
        const { message } = parcel;
        if (message.kind === 'ready') {
          late.cancel();
          this.#wasReady = true;
          return resolve(message.offer);
        }
        if (message.kind === 'broken') {
          this.#uncaught = fromPlainError(message.error, { where: 'a background thread' });
          reject(this.#uncaught);
          // What the modules opened before they failed would keep it alive.
          return void this.#worker.terminate();
        }
        return parts.onParcel(parcel);
      });
      void this.#exited.then(() => {
        late.cancel();
        reject(startFailed(`ended before it had loaded ${modules.join(', ')}`, this.#uncaught));
      });
    });
  }

  #endOf(code: number): ThreadEnd {
    if (this.#closing) return { cause: 'closed' };
    const error = this.#uncaught ?? new Error(`The background thread exited with code ${code}`);
    if (!this.#wasReady) return { cause: 'never-ready', error };
    const outOfMemory = (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
    return { cause: outOfMemory ? 'out-of-memory' : 'exited', error };
  }
}

function startFailed(what: string, cause?: unknown): RoutineEngineError {
  return new RoutineEngineError('ROUTINE_MODULE_FAILED', `A background thread ${what}`, { cause });
}

/** A file path or URL as a URL; a bare specifier stays as it is. */
function moduleUrl(module: URL | string): string {
  const text = String(module);
  return text.startsWith('/') || /^[a-zA-Z]:[\\/]/.test(text) ? pathToFileURL(text).href : text;
}

/** By package name, so that it is the built entry whether this file runs from `src` or from `dist`. */
function entryFile(): URL {
  const manifest = createRequire(import.meta.url).resolve('@routine-engine/core/package.json');
  return new URL('./dist/thread/entry.js', pathToFileURL(manifest));
}
