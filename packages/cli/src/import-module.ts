import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RoutineEngineError } from '@routine-engine/core/adapter';

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts', '.tsx']);

/** Whether a module needs a loader: Node itself loads only a part of TypeScript, and only in later versions. */
function isTypeScript(module: URL): boolean {
  return module.protocol === 'file:' && TYPESCRIPT.has(extname(fileURLToPath(module)));
}

/**
 * Imports a module of the user, TypeScript too.
 * @throws {@link RoutineEngineError} `ROUTINE_MODULE_FAILED`, naming the module, with the cause.
 */
export async function importModule(module: URL): Promise<Readonly<Record<string, unknown>>> {
  try {
    if (isTypeScript(module)) await import('./typescript-preload.js');
    return (await import(module.href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `The module ${fileURLToPath(module)} could not be loaded: ${reason}`;
    throw new RoutineEngineError('ROUTINE_MODULE_FAILED', message, { cause });
  }
}

/** What background threads import first, so that they can load the same modules. */
export function preloadsOf(modules: readonly URL[]): readonly URL[] {
  return modules.some(isTypeScript) ? [new URL('./typescript-preload.js', import.meta.url)] : [];
}
