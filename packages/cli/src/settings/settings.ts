import { resolve } from 'node:path';
import { RoutineEngineError } from '@routine-engine/core/adapter';
import type { LoadedConfig } from '../config/load-config.js';
import { type Setting, type SettingName, SETTINGS, type SettingValue } from './table.js';

/** Where the value of a setting comes from, such as `--port`, `ROUTINE_PORT`, `routine.config.ts` or `default`. */
export interface Effective<T> {
  readonly value: T;
  readonly source: string;
  readonly from: 'flag' | 'environment' | 'file' | 'default';
}

/** What was given on the command line, by the names of settings. */
export type GivenFlags = Readonly<Partial<Record<SettingName, unknown>>>;

/** What a node is told: flags come first, then the environment, then the file, then defaults. */
export class Settings {
  readonly #flags: GivenFlags;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #file: LoadedConfig | undefined;
  readonly #cwd: string;

  constructor(given: {
    readonly flags: GivenFlags;
    readonly environment: NodeJS.ProcessEnv;
    readonly file: LoadedConfig | undefined;
    readonly cwd: string;
  }) {
    this.#flags = given.flags;
    this.#environment = given.environment;
    this.#file = given.file;
    this.#cwd = given.cwd;
  }

  /** @throws {@link RoutineEngineError} `OPTION_INVALID` naming where the value came from and what it must be. */
  get<Name extends SettingName>(name: Name): SettingValue<Name> {
    return this.effective(name).value;
  }

  /** The value of a setting, and where it comes from. @throws as {@link get}. */
  effective<Name extends SettingName>(name: Name): Effective<SettingValue<Name>> {
    const found = this.#find(name, SETTINGS[name]);
    return found as Effective<SettingValue<Name>>;
  }

  #find(name: SettingName, setting: Setting<unknown>): Effective<unknown> {
    const flag = this.#flags[name];
    if (flag !== undefined) {
      const source = setting.flag?.split(' ')[0] ?? name;
      return { value: this.#parsed(setting, flag, source), source, from: 'flag' };
    }
    const variable = this.#environment[setting.env];
    if (variable !== undefined && variable !== '')
      return {
        value: this.#parsed(setting, variable, setting.env),
        source: setting.env,
        from: 'environment',
      };
    const written = this.#file?.config[name as keyof LoadedConfig['config']];
    if (this.#file && written !== undefined) {
      const { file, dir } = this.#file;
      const where = `${name} in ${file}`;
      if (!setting.kind.accepts(written)) throw refused(where, setting);
      return { value: placed(setting, written, dir), source: file, from: 'file' };
    }
    const value = setting.fallback === undefined ? undefined : placed(setting, setting.fallback, this.#cwd);
    return { value, source: 'default', from: 'default' };
  }

  #parsed(setting: Setting<unknown>, given: unknown, source: string): unknown {
    if (typeof given === 'boolean') return given;
    const text = Array.isArray(given) ? given.join(',') : String(given);
    const value = setting.kind.parse(text);
    if (value === undefined) throw refused(source, setting);
    return placed(setting, value, this.#cwd);
  }
}

/** Values are not shown: what stands in the wrong place may be secret. */
function refused(where: string, { kind }: Setting<unknown>): RoutineEngineError {
  return new RoutineEngineError('OPTION_INVALID', `${where} must be ${kind.wanted}`);
}

/** Paths become absolute; `memory` is no path. */
function placed({ isPath }: Setting<unknown>, value: unknown, dir: string): unknown {
  if (!isPath) return value;
  if (Array.isArray(value)) return value.map((each: unknown) => placedPath(each, dir));
  return placedPath(value, dir);
}

function placedPath(value: unknown, dir: string): unknown {
  if (typeof value !== 'string' || value === 'memory' || value.startsWith('file:')) return value;
  return resolve(dir, value);
}
