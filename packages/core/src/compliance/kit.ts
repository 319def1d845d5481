import type { CaseResources } from './case-resources.js';

/** What every kit may know of the implementation that it judges. @public */
export interface ComplianceSubject {
  /** Stands in the report, such as `{ name: 'transport-ws', version: '1.0.0' }`. Default: the name of the kit, without a version. */
  readonly implementation?: { readonly name: string; readonly version?: string };
}

/**
 * One promise that an implementation keeps or breaks.
 *
 * `needs` and `run` are methods on purpose: a kit for any subject may then be handled as a `ComplianceKit`.
 * @public
 */
export interface ComplianceCase<Given = unknown, Capabilities extends object = object> {
  /** Kit, group and case, such as `transport/ordering/keeps-order-under-load`. Never changes once it was published. */
  readonly id: string;
  /** One sentence about what the implementation does. */
  readonly title: string;
  /** The id of the promise in `docs/guarantees.md` that it proves, such as `store-first-wins`. */
  readonly promise: string;
  /**
   * Why the case does not apply to an implementation of these capabilities, or `undefined` when it does. Default: it always
   * does.
   */
  needs?(capabilities: Capabilities): string | undefined;
  /** @throws `AssertionError` when the promise is broken. */
  run(given: Given): Promise<void>;
}

/** Cases about one matter. @public */
export interface ComplianceGroup<Given = unknown, Capabilities extends object = object> {
  /** The second part of the ids of its cases, such as `ordering`. */
  readonly name: string;
  /** Continues the title of the kit, such as `keeps order`. */
  readonly title: string;
  /** Why none of its cases applies, or `undefined` when they do. Default: they do. */
  needs?(capabilities: Capabilities): string | undefined;
  readonly cases: readonly ComplianceCase<Given, Capabilities>[];
}

/**
 * Everything that implementations of one port have to do, as data: `registerCompliance` makes tests of it,
 * `runCompliance` a report.
 * @public
 */
export interface ComplianceKit<
  Subject extends ComplianceSubject = ComplianceSubject,
  Capabilities extends object = object,
  Given = unknown,
> {
  /** The first part of the ids of its cases, such as `transport`. */
  readonly name: string;
  /** What is judged, such as `a transport`. */
  readonly title: string;
  /** Semantic version of the kit: the minor number grows with new cases, the major one when a case asks for more. */
  readonly version: string;
  readonly groups: readonly ComplianceGroup<Given, Capabilities>[];
  /** What the subject says that it can do, in plain values: decides which cases apply, and stands in the report. */
  capabilitiesOf(subject: Subject): Capabilities;
  /** Makes what one case works with. Whatever it opens, it hands to `resources.defer` at once. */
  prepare(subject: Subject, resources: CaseResources): Promise<Given> | Given;
}

/** Why a case does not apply, or `undefined` when it does. */
export function reasonAgainst<Given, Capabilities extends object>(
  group: ComplianceGroup<Given, Capabilities>,
  each: ComplianceCase<Given, Capabilities>,
  capabilities: Capabilities,
): string | undefined {
  return group.needs?.(capabilities) ?? each.needs?.(capabilities);
}
