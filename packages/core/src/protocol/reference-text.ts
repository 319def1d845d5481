import type { ReferenceData } from '../model/reference.js';

/** A {@link ReferenceData} as headers carry it, which have no bytes. */
export interface ReferenceText extends Omit<ReferenceData, 'node'> {
  /** Base64 of what stands for the value in canonical digests. */
  readonly node: string;
}

export function textOfReference({ node, ...rest }: ReferenceData): ReferenceText {
  return { ...rest, node: textOfNode(node) };
}

export function textOfNode(node: Uint8Array): string {
  return Buffer.from(node.buffer, node.byteOffset, node.byteLength).toString('base64');
}

export function nodeOfText(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

export function referenceOfText({ node, ...rest }: ReferenceText): ReferenceData {
  return { ...rest, node: nodeOfText(node) };
}
