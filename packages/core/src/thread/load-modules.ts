import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RoutineEngineError } from '../errors/routine-engine-error.js';

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts', '.tsx']);

/**
 * Imports the modules that define routines. TypeScript is loaded by the runtime where it strips types itself (Node
 * 22.18 and later), else by tsx.
 * @throws {@link RoutineEngineError} `ROUTINE_MODULE_FAILED`, naming the module, with the cause.
 */
export async function loadModules(modules: readonly string[], preload: readonly string[]): Promise<void> {
  for (const module of preload) await load(module, 'preload module');
  if (preload.length === 0 && modules.some(isTypeScript) && !stripsTypes()) await registerTsx();
  for (const module of modules) await load(module, 'routine module');
}

async function load(module: string, what: string): Promise<void> {
  try {
    await import(module);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RoutineEngineError(
      'ROUTINE_MODULE_FAILED',
      `The ${what} ${module} could not be loaded: ${reason}`,
      { cause },
    );
  }
}

function isTypeScript(module: string): boolean {
  return module.startsWith('file:') && TYPESCRIPT.has(extname(fileURLToPath(module)));
}

function stripsTypes(): boolean {
  return Boolean((process.features as { readonly typescript?: unknown }).typescript);
}

async function registerTsx(): Promise<void> {
  try {
    const { register } = await import('tsx/esm/api');
    register();
  } catch (cause) {
    throw new RoutineEngineError(
      'ROUTINE_MODULE_FAILED',
      `Node ${process.version} can't load TypeScript in a background thread by itself: install tsx beside ` +
        '@routine-engine/core, use Node 22.18 or later, or give compiled JavaScript modules',
      { cause },
    );
  }
}
