/** A chain that no case configures, so that no case waits for an RPC. */
const UNCONFIGURED_CHAIN_ID = 424_242;

/** The n-th submitter, in canonical form. */
export function submitterAt(index: number): string {
  return `eip155:${UNCONFIGURED_CHAIN_ID}:0x${(index + 1).toString(16).padStart(40, '0')}`;
}

export function anySubmitter(count: number): string {
  return submitterAt(Math.floor(Math.random() * count));
}
