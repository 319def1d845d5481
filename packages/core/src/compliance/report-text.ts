import type { ComplianceCounts, ComplianceReport } from './report.js';

/** What became of the cases that apply, such as `14/14`. */
function share({ passed, failed }: ComplianceCounts): string {
  return `${passed}/${passed + failed}`;
}

/** Name and version, such as `transport-ws 1.0`. */
function nameOf({ implementation: { name, version } }: ComplianceReport): string {
  return version === undefined ? name : `${name} ${version}`;
}

/**
 * One line for all of it, such as `transport-ws 1.0: lifecycle 14/14, large 12/12, faults 22/22`: of the cases that apply, how
 * many passed in each group. Groups of which no case applies are left out.
 * @public
 */
export function complianceSummary(report: ComplianceReport): string {
  const groups = report.groups.filter(({ passed, failed }) => passed + failed > 0);
  const shares = groups.map((group) => `${group.name} ${share(group)}`);
  return `${nameOf(report)}: ${shares.length > 0 ? shares.join(', ') : 'no case applies'}`;
}

/**
 * A table of all groups, a list of what failed and how, and a list of what was skipped and why, as lines of text.
 * @public
 */
export function complianceTable(report: ComplianceReport): string {
  const rows = report.groups.map((group) => [group.name, share(group), String(group.skipped), group.title]);
  const table = aligned([['group', 'passed', 'skipped', ''], ...rows]);
  const failed = report.cases.filter(({ outcome }) => outcome === 'failed');
  const skipped = report.cases.filter(({ outcome }) => outcome === 'skipped');
  const sections = [
    [
      `${nameOf(report)} by the kit ${report.kit.name} ${report.kit.version}, contract ${report.contract}`,
      '',
    ],
    table,
    failed.flatMap(({ id, title, promise, error }) => [
      '',
      `FAILED ${id}: ${title}`,
      `  promise: ${promise}`,
      ...(error?.message ?? '').split('\n').map((line) => `  ${line}`.trimEnd()),
    ]),
    skipped.length === 0 ? [] : ['', ...skipped.map(({ id, reason }) => `skipped ${id}: ${reason ?? ''}`)],
    ['', `${report.passed} passed, ${report.failed} failed, ${report.skipped} skipped`],
  ];
  return `${sections.flat().join('\n')}\n`;
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

const HEIGHT = 20;
/** Width of a character of the font, on the average and with some room, in pixels. */
const CHARACTER = 6.6;
const MARGIN = 6;

/**
 * An SVG badge for a README, made without any service: what was judged on the left, how many of its cases passed on the right.
 * @public
 */
export function complianceBadge(report: ComplianceReport): string {
  const label = `${report.kit.name} compliance`;
  const total = report.passed + report.failed;
  const message = `${report.kit.version}: ${share(report)}`;
  const color = report.failed > 0 ? '#b60205' : total > 0 ? '#2b7a0b' : '#6a737d';
  const [left, right] = [widthOf(label), widthOf(message)];
  const title = escaped(`${nameOf(report)}: ${label} ${message}`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="${HEIGHT}" role="img" aria-label="${title}">`,
    `<title>${title}</title>`,
    `<rect width="${left}" height="${HEIGHT}" fill="#444d56"/>`,
    `<rect x="${left}" width="${right}" height="${HEIGHT}" fill="${color}"/>`,
    '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">',
    `<text x="${left / 2}" y="14">${escaped(label)}</text>`,
    `<text x="${left + right / 2}" y="14">${escaped(message)}</text>`,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function widthOf(text: string): number {
  return Math.ceil(text.length * CHARACTER) + 2 * MARGIN;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
