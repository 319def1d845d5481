import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { RoutineEngineError } from '@routine-engine/core/adapter';
import { complianceKits, type ComplianceKit, type ComplianceSubject } from '@routine-engine/core/compliance';
import { importModule } from '../import-module.js';

/** @throws {@link RoutineEngineError} `OPTION_INVALID`, naming the kits that there are. */
export function kitNamed(name: string): ComplianceKit {
  const kit = complianceKits.find((each) => each.name === name);
  if (kit) return kit;
  const names = complianceKits.map((each) => each.name).join(', ');
  throw new RoutineEngineError('OPTION_INVALID', `There is no kit "${name}"; there are ${names}`);
}

/**
 * What a module exports as the subject of a kit; named by the package that the module lies in when it has no name of its own.
 * @throws {@link RoutineEngineError} `OPTION_INVALID` or `ROUTINE_MODULE_FAILED`.
 */
export async function subjectOf(kit: ComplianceKit, target: string): Promise<ComplianceSubject> {
  const path = resolve(process.cwd(), target);
  if (!existsSync(path)) throw new RoutineEngineError('OPTION_INVALID', `There is no file ${path}`);
  const { default: exported } = await importModule(pathToFileURL(path));
  const subject: unknown = typeof exported === 'function' ? await (exported as () => unknown)() : exported;
  if (typeof subject !== 'object' || subject === null) {
    const message = `The default export of ${path} is no subject of the kit "${kit.name}", nor a function that gives one`;
    throw new RoutineEngineError('OPTION_INVALID', message);
  }
  return assertFits(kit, path, { ...packageOf(dirname(path)), ...subject });
}

/** Asks the subject for its capabilities, which one of another kit does not have. */
function assertFits(kit: ComplianceKit, path: string, subject: ComplianceSubject): ComplianceSubject {
  try {
    kit.capabilitiesOf(subject);
    return subject;
  } catch (cause) {
    const message = `The default export of ${path} does not fit the kit "${kit.name}"`;
    throw new RoutineEngineError('OPTION_INVALID', message, { cause });
  }
}

/** Name and version of the package that a folder belongs to; nothing outside any. */
function packageOf(folder: string): ComplianceSubject {
  const file = join(folder, 'package.json');
  if (existsSync(file)) {
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    if (typeof name === 'string') {
      return { implementation: { name, ...(typeof version === 'string' && { version }) } };
    }
  }
  const parent = dirname(folder);
  return parent === folder ? {} : packageOf(parent);
}
