/** `String.prototype.isWellFormed` is in every supported Node, and not yet in the library of our target. */
interface WellFormedText {
  isWellFormed(): boolean;
}

const BYTE_ORDER_MARK = 0xfeff;

/** Whether UTF-8 can carry a string: it has no surrogate without its partner. */
export function isWellFormed(text: string): boolean {
  return (text as unknown as WellFormedText).isWellFormed();
}

/**
 * Whether msgpackr carries a string exactly. Beside lone surrogates, which it replaces, it loses a leading byte
 * order mark when it reads a long string back.
 */
export function isCarriedExactly(text: string): boolean {
  return text.charCodeAt(0) !== BYTE_ORDER_MARK && isWellFormed(text);
}
