// Types of pattern.mjs.

export function patternBytes(seed: bigint, blockId: bigint, length: number): Uint8Array
export function variableHeight(seed: bigint, ordinal: number, nominal: number): number
export function chunkTail(imageBytes: number, blockId: bigint, timestamp: bigint): Uint8Array
