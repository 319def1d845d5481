import type { Ref } from '../context/ref.js';

/** What stands for itself: nothing inside it can be a reference. @public */
export type Indivisible =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined
  | Date
  | RegExp
  | URL
  | Error
  | ArrayBufferLike
  | ArrayBufferView
  | ((...args: never[]) => unknown);

/** A list of items that may be references. Of its own, so that a type of lists that hold lists can be worked out. @public */
export interface ListWithRefs<Item> extends ReadonlyArray<OrRef<Item>> {}

/** A tuple of items that may be references; see {@link ListWithRefs}. @public */
export type TupleWithRefs<T extends readonly unknown[]> = ListWithRefs<T[number]> & {
  readonly length: T['length'];
} & { readonly [Index in keyof T as Index extends `${number}` ? Index : never]: OrRef<T[Index]> };

/** `T` with references in place of any of its parts. @public */
export type WithRefs<T> = T extends Indivisible | Ref<unknown>
  ? T
  : T extends ReadonlyMap<infer Key, infer Value>
    ? ReadonlyMap<OrRef<Key>, OrRef<Value>>
    : T extends ReadonlySet<infer Item>
      ? ReadonlySet<OrRef<Item>>
      : T extends readonly unknown[]
        ? T[number][] extends T
          ? ListWithRefs<T[number]>
          : TupleWithRefs<T>
        : T extends object
          ? { [Key in keyof T]: OrRef<T[Key]> }
          : T;

/** A `T`, or a {@link Ref} to one; the same for everything inside it. @public */
export type OrRef<T> = T | Ref<T> | WithRefs<T>;

/** The arguments of a routine whose body takes `Args`: each may be a reference, or hold some. @public */
export type OrRefs<Args extends readonly unknown[]> = { [Index in keyof Args]: OrRef<Args[Index]> };
