/** The door of the EVM adapter: a factory per chain, their registry, and a signer of burns. */
export { createBurnSigner, type BurnSignerOptions } from './evm/create-burn-signer';
export { createSigner, type SignerOptions } from './evm/create-signer';
export { createChainRegistry } from './evm/chain-registry';
export { createEvmChain } from './evm/create-evm-chain';
export type { EvmChainOptions } from './evm/create-evm-chain';
