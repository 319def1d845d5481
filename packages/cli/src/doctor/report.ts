import { createRequire } from 'node:module';
import process from 'node:process';
import type { Codec, EnginePlugin, ResultStore, Transport } from '@routine-engine/core/adapter';
import { loadConfig, type LoadedConfig } from '../config/load-config.js';
import { type CommandContext, configuredPlugins } from '../node/context.js';
import { tokenSource } from '../node/token.js';
import { type GivenFlags, Settings } from '../settings/settings.js';
import { type SettingName, SETTINGS } from '../settings/table.js';
import { type Check, check, checkModules, checkService, checkStore } from './checks.js';

/** What `routine doctor --json` gives. */
export interface DoctorReport {
  readonly node: string;
  readonly platform: string;
  readonly packages: Readonly<Record<string, string>>;
  /** Path of the configuration file, if there is one. */
  readonly configuration: string | null;
  /** Values that were given, without what may be secret, and where each comes from. */
  readonly settings: readonly { readonly name: string; readonly value: unknown; readonly source: string }[];
  /** Plugins of the configuration, and what each provides. */
  readonly plugins: readonly {
    readonly name: string;
    readonly api: string;
    readonly parts: readonly string[];
  }[];
  /** The parts that were composed, and what they can do. */
  readonly parts: readonly PartReport[];
  readonly checks: readonly Check[];
}

interface PartReport {
  readonly part: 'store' | 'codec' | 'transport';
  readonly name: string;
  readonly capabilities: object;
}

const PACKAGES = ['core', 'cli', 'transport-ws', 'store-fs'].map((name) => `@routine-engine/${name}`);

/** Looks at everything. It never rejects: what is wrong is what a check found. */
export async function doctorReport(flags: GivenFlags): Promise<DoctorReport> {
  const given = { flags, environment: process.env, cwd: process.cwd() };
  let file: LoadedConfig | undefined;
  const configuration = await check('configuration', async () => {
    file = await loadConfig(new Settings({ ...given, file: undefined }).get('config'), given.cwd);
    return file ? `${file.dir}/${file.file}` : 'there is none';
  });
  const context: CommandContext = { ...given, file, settings: new Settings({ ...given, file }) };
  const settings = await check('settings', async () => {
    settingRows(context);
    return 'all fit';
  });
  const parts: PartReport[] = [];
  const checks = [configuration, settings];
  // Whatever is composed of settings that do not fit says no more than that.
  if (settings.status === 'ok') checks.push(...(await partChecks(context, parts)));
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
    configuration: file ? `${file.dir}/${file.file}` : null,
    settings: settings.status === 'ok' ? settingRows(context) : [],
    plugins: configuredPlugins(context).map(pluginRow),
    parts,
    checks,
  };
}

async function partChecks(context: CommandContext, parts: PartReport[]): Promise<readonly Check[]> {
  const seenStore = ({ name, capabilities, blobs, leases }: ResultStore, codec: Codec): void => {
    const more = { blobs: blobs !== undefined, leases: leases !== undefined };
    parts.push({ part: 'store', name, capabilities: { ...capabilities, ...more } });
    parts.push({ part: 'codec', name: codec.name, capabilities: codec.capabilities });
  };
  const seenTransport = ({ name, capabilities }: Transport): void =>
    void parts.push({ part: 'transport', name, capabilities });
  return [
    await check('modules', () => checkModules(context)),
    await check('store', () => checkStore(context, seenStore)),
    await check('service', () => checkService(context, seenTransport)),
  ];
}

/** @throws {@link RoutineEngineError} `OPTION_INVALID` for the first that does not fit. */
function settingRows(context: CommandContext): DoctorReport['settings'] {
  const rows = (Object.keys(SETTINGS) as SettingName[]).map((name) => {
    const { value, source } = context.settings.effective(name);
    return { name, value: shown(name, value), source: value === undefined ? 'not set' : source };
  });
  const { source, from } = tokenSource(context);
  const isSet = from !== 'default';
  return [
    ...rows,
    { name: 'token', value: isSet ? 'set, not shown' : null, source: isSet ? source : 'not set' },
  ];
}

/** An address without what may be secret in it. */
function shown(name: SettingName, value: unknown): unknown {
  if (value === undefined) return null;
  if (name !== 'url' || typeof value !== 'string') return Array.isArray(value) ? value.map(String) : value;
  if (!URL.canParse(value)) return 'no URL';
  const { protocol, host, pathname } = new URL(value);
  return `${protocol}//${host}${pathname}`;
}

function pluginRow({ name, api, parts }: EnginePlugin): DoctorReport['plugins'][number] {
  const named = parts.map(({ token }) => (token.description ?? 'part').replace(/^@routine-engine\//, ''));
  return { name, api, parts: named };
}

function versionOf(name: string): string {
  const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { readonly version: string };
  return version;
}
