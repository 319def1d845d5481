import type { Growth, Series } from './growth.ts';

const MEBIBYTE = 1024 * 1024;
const MEMORY = ['rss', 'heapUsed', 'external', 'arrayBuffers'];

/** What was seen of all processes, time by time. */
export class Samples {
  readonly #series = new Map<string, { readonly node: string; readonly name: string; values: number[] }>();
  readonly #startedAt = performance.now();

  get series(): readonly (Series & { readonly node: string })[] {
    return [...this.#series.values()];
  }

  add(node: string, figures: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(figures)) {
      const key = `${node} ${name}`;
      const series = this.#series.get(key) ?? { node, name, values: [] };
      this.#series.set(key, series);
      series.values.push(value);
    }
  }

  /** The latest of what is most telling, in one line. */
  latestText(): string {
    const minutes = ((performance.now() - this.#startedAt) / 60_000).toFixed(1);
    const nodes = [...new Set(this.series.map(({ node }) => node))];
    const told = nodes.map((node) => {
      const of = (name: string): number => this.#series.get(`${node} ${name}`)?.values.at(-1) ?? Number.NaN;
      const memory = `rss ${text('rss', of('rss'))}, heap ${text('heapUsed', of('heapUsed'))} MiB`;
      return `${node}: ${memory}, handles ${of('handles')}, timers ${of('timers')}, listeners ${of('listeners')}`;
    });
    return `${minutes} min  ${told.join('; ')}`;
  }

  /** All figures and how they were judged, as a table. @param growths - of each of {@link Samples.series}. */
  table(growths: readonly Growth[]): string {
    const rows = this.series.map(({ node, name }, index) => {
      const growth = growths[index];
      if (!growth) throw new Error(`${node} ${name} was not judged`);
      const { first, last, grown, atLeast, allowed, isGrowth } = growth;
      const verdict = allowed === undefined ? 'not judged' : isGrowth ? 'GROWS' : 'flat';
      const figures = [first, last, grown, atLeast].map((value) => text(name, value));
      const unit = MEMORY.includes(name) ? `${name}, MiB` : name;
      return `| ${[node, unit, ...figures, allowed === undefined ? '' : text(name, allowed), verdict].join(' | ')} |`;
    });
    return [
      '| process | figure | first of 2nd half | last | grown by (Theil-Sen) | at least | allowed | |',
      '| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |',
      ...rows,
    ].join('\n');
  }
}

function text(name: string, value: number): string {
  return MEMORY.includes(name) ? (value / MEBIBYTE).toFixed(1) : String(Math.round(value * 100) / 100);
}
