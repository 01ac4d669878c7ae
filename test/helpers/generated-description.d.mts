/** A description of about 3000 nodes and 1.3 MB, the same at every call. */
export function generatedDescription(): string
/** Memory for it, from address 0. */
export function generatedMemory(): Uint8Array
/** Features that can be read, in the description's order. */
export function generatedFeatures(): string[]
