import { describe, expectTypeOf, it } from 'vitest';
import type { Ref } from '../../src/context/ref.js';
import type { OrRef, OrRefs } from '../../src/define/or-ref.js';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type Pair = [number, Pair | null];
type Rose = readonly [string, ...Rose[]];
type Expression = number | readonly ['add', Expression, Expression] | readonly ['neg', Expression];
interface Tree {
  readonly value: Float64Array;
  readonly children: readonly Tree[];
  readonly byName: ReadonlyMap<string, Tree>;
}
declare class Point {
  private readonly secret: number;
  x: number;
  norm(): number;
}

describe('the type of what may be a reference', () => {
  it('can be worked out for types that hold themselves', () => {
    expectTypeOf<{ a: (number | Ref<Json> | { b: Ref<string> })[] }>().toExtend<OrRef<Json>>();
    expectTypeOf<Date>().not.toExtend<OrRef<Json>>();
    expectTypeOf<[number, Ref<Pair>]>().toExtend<OrRef<Pair>>();
    expectTypeOf<[number, [Ref<number>, null]]>().toExtend<OrRef<Pair>>();
    expectTypeOf<[number, [Ref<string>, null]]>().not.toExtend<OrRef<Pair>>();
    expectTypeOf<[Ref<string>, ['leaf'], Ref<Rose>]>().toExtend<OrRef<Rose>>();
    expectTypeOf<['add', 1, ['neg', Ref<number>]]>().toExtend<OrRef<Expression>>();
    expectTypeOf<['add', 1]>().not.toExtend<OrRef<Expression>>();
    expectTypeOf<{ value: Ref<Float64Array>; children: Ref<Tree>[]; byName: Map<string, Tree> }>().toExtend<
      OrRef<Tree>
    >();
  });

  it('takes lists, maps and sets that may not be changed as well as those that may', () => {
    expectTypeOf<readonly Ref<number>[]>().toExtend<OrRef<number[]>>();
    expectTypeOf<ReadonlyMap<string, Ref<Tree>>>().toExtend<OrRef<ReadonlyMap<string, Tree>>>();
    expectTypeOf<ReadonlySet<number | Ref<number>>>().toExtend<OrRef<Set<number>>>();
  });

  it('holds tuples to their length, and each place to its type', () => {
    type Range = readonly [from: number, to?: string];
    expectTypeOf<[Ref<number>]>().toExtend<OrRef<Range>>();
    expectTypeOf<[number, Ref<string>]>().toExtend<OrRef<Range>>();
    expectTypeOf<[number, string, string]>().not.toExtend<OrRef<Range>>();
    expectTypeOf<[]>().not.toExtend<OrRef<Range>>();
    expectTypeOf<[Ref<number>, 1, Ref<number>]>().toExtend<OrRef<[number, ...number[]]>>();
    expectTypeOf<[]>().not.toExtend<OrRef<[number, ...number[]]>>();
    expectTypeOf<[number, string]>().not.toExtend<OrRef<[number, ...number[]]>>();
  });

  it('keeps optional and rest parameters what they are', () => {
    type Arguments = OrRefs<[a: number, b?: { x?: number }, ...rest: string[]]>;
    expectTypeOf<[Ref<number>]>().toExtend<Arguments>();
    expectTypeOf<[number, { x: Ref<number> }, string, Ref<string>]>().toExtend<Arguments>();
    expectTypeOf<[number, { x: Ref<string> }]>().not.toExtend<Arguments>();
    expectTypeOf<[]>().not.toExtend<Arguments>();
  });

  it('takes each member of a union for itself, and any value where any may be', () => {
    type Shape = { kind: 'a'; size: number } | { kind: 'b'; name: string };
    expectTypeOf<{ kind: 'a'; size: Ref<number> }>().toExtend<OrRef<Shape>>();
    expectTypeOf<Ref<{ kind: 'b'; name: string }>>().toExtend<OrRef<Shape>>();
    expectTypeOf<{ kind: 'a'; name: Ref<string> }>().not.toExtend<OrRef<Shape>>();
    expectTypeOf<Ref<number>>().toExtend<OrRef<unknown>>();
    expectTypeOf<OrRef<Point>>().extract<Ref<unknown>>().toEqualTypeOf<Ref<Point>>();
    expectTypeOf<Point>().toExtend<OrRef<Point>>();
    expectTypeOf<{ x: number }>().not.toExtend<OrRef<Point>>();
  });
});
