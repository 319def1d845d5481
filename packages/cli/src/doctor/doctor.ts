import { EXIT } from '../exit-codes.js';
import { printable } from '../output/printable.js';
import { textTable } from '../output/text-table.js';
import { writeOut } from '../output/write-out.js';
import type { GivenFlags } from '../settings/settings.js';
import { type DoctorReport, doctorReport } from './report.js';

/** Tells how nodes would be composed here, and whether that works. @returns the exit code: failed, when a check failed. */
export async function doctor(options: { readonly json?: boolean } & GivenFlags): Promise<number> {
  const report = await doctorReport(options);
  await writeOut(options.json ? `${JSON.stringify(report)}\n` : printable(textOf(report)));
  return report.checks.some(({ status }) => status === 'failed') ? EXIT.failed : EXIT.ok;
}

function textOf(report: DoctorReport): string {
  const { node, platform, packages, settings, plugins, parts, checks } = report;
  const versions = Object.entries(packages).map(([name, version]) => ({ name, version }));
  return [
    `Node ${node} on ${platform}\n`,
    textTable(versions, [
      { head: 'PACKAGE', of: ({ name }) => name },
      { head: 'VERSION', of: ({ version }) => version },
    ]),
    textTable(settings, [
      { head: 'SETTING', of: ({ name }) => name },
      { head: 'VALUE', of: ({ value }) => valueText(value) },
      { head: 'FROM', of: ({ source }) => source },
    ]),
    ...(plugins.length === 0
      ? []
      : [
          textTable(plugins, [
            { head: 'PLUGIN', of: ({ name }) => name },
            { head: 'FITS', of: ({ api }) => api },
            { head: 'PROVIDES', of: (plugin) => plugin.parts.join(', ') },
          ]),
        ]),
    ...(parts.length === 0
      ? []
      : [
          textTable(parts, [
            { head: 'PART', of: ({ part }) => part },
            { head: 'IS', of: ({ name }) => name },
            { head: 'CAN', of: ({ capabilities }) => capabilitiesText(capabilities) },
          ]),
        ]),
    textTable(checks, [
      { head: 'CHECK', of: ({ name }) => name },
      { head: 'STATUS', of: ({ status }) => status },
      { head: 'DETAIL', of: ({ detail }) => detail },
    ]),
  ].join('\n');
}

function valueText(value: unknown): string {
  if (value === null) return '';
  return typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value);
}

function capabilitiesText(capabilities: object): string {
  return Object.entries(capabilities)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ');
}
