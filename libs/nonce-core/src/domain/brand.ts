/** Marks a primitive as one specific thing, so that look-alikes cannot be exchanged by mistake. */
export type Brand<Base, Name extends string> = Base & { readonly __brand: Name };

/** 0x-prefixed lower- or mixed-case hexadecimal text, the shape used by EVM clients. */
export type Hex = `0x${string}`;
