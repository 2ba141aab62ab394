/** The door of the EVM adapter: one factory per chain, and the registry that holds them. */
export { createChainRegistry } from './evm/chain-registry';
export { createEvmChain } from './evm/create-evm-chain';
export type { EvmChainOptions } from './evm/create-evm-chain';
