// Compares each door of the package in the current folder with its API report `etc/<package>.<door>.api.md`, so that
// a change of the public API shows in every review. usage: api-report.mjs [--local]; with --local it updates the reports.
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import process from 'node:process';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const folder = process.cwd();
const update = process.argv.includes('--local');
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const name = manifest.name.replace(/^@.*\//, '');

const doors = Object.values(manifest.exports)
  .map((target) => target.types)
  .filter((types) => types !== undefined);
const configs = doors.map((types) => {
  const door = basename(types, '.d.ts');
  return { report: `${name}.${door}.api.md`, config: configOf(types, `${name}.${door}`) };
});
mkdirSync('etc', { recursive: true });
const compilerState = CompilerState.create(configs[0].config, {
  additionalEntryPoints: configs.map(({ config }) => config.mainEntryPointFilePath),
});

const problems = [];
/** Types that a door uses without exporting them, with the doors that do so. */
const forgotten = new Map();
for (const { report, config } of configs) {
  Extractor.invoke(config, {
    compilerState,
    localBuild: update,
    printApiReportDiff: !update,
    messageCallback: (message) => judge(report, message),
  });
}
const stale = readdirSync('etc').filter(
  (file) => file.endsWith('.api.md') && !configs.some((c) => c.report === file),
);
for (const file of stale) {
  if (update) rmSync(join('etc', file));
  else problems.push(`etc/${file} belongs to no door`);
}
const texts = configs.map(({ report }) => readFileSync(join('temp', report), 'utf8'));
const exported = new Set(texts.flatMap(exportsOf));
for (const [symbol, reports] of forgotten) {
  // A function is met as a value (`define.task`), and needs no name of its own.
  if (exported.has(symbol) || texts.some((text) => new RegExp(`^function ${symbol}\\b`, 'm').test(text)))
    continue;
  problems.push(`${symbol} is used by ${[...reports].join(', ')} and exported by no door`);
}

for (const problem of problems) console.error(`${manifest.name}: ${problem}`);
if (problems.some((problem) => problem.startsWith('etc/')))
  console.error('When the change is meant: npm run api:update, and commit the reports.');
process.exitCode = problems.length ? 1 : 0;

function configOf(types, reportFileName) {
  const configObject = ExtractorConfig.loadFile(join(import.meta.dirname, '../api-extractor.base.json'));
  return ExtractorConfig.prepare({
    configObject: {
      ...configObject,
      projectFolder: folder,
      mainEntryPointFilePath: join(folder, types),
      apiReport: { ...configObject.apiReport, reportFileName },
    },
    configObjectFullPath: join(folder, 'api-extractor.json'),
    packageJsonFullPath: join(folder, 'package.json'),
  });
}

function judge(report, message) {
  message.handled = true;
  if (message.messageId === 'ae-forgotten-export') {
    const symbol = /symbol "([^"]+)"/.exec(message.text)?.[1] ?? message.text;
    forgotten.set(symbol, (forgotten.get(symbol) ?? new Set()).add(report));
  } else if (message.messageId === 'console-api-report-not-copied') {
    problems.push(`etc/${report} is missing or differs from the API of the build`);
  } else if (message.messageId === 'console-api-report-diff') {
    console.error(message.text.split('\n').slice(0, 60).join('\n'));
  } else if (['error', 'warning'].includes(message.logLevel) && !message.messageId.startsWith('console-')) {
    const at = message.sourceFilePath ? ` (${message.sourceFilePath}:${message.sourceFileLine})` : '';
    problems.push(`${report}: ${message.text} [${message.messageId}]${at}`);
  }
}

function exportsOf(text) {
  const declared = text.matchAll(
    /^export (?:declare )?(?:abstract )?(?:class|interface|function|type|const|enum|let|namespace) (\w+)/gm,
  );
  const listed = [...text.matchAll(/^export \{([^}]*)\}/gm)].flatMap(
    ([, names]) => names.match(/\w+/g) ?? [],
  );
  return [...[...declared].map(([, symbol]) => symbol), ...listed];
}
