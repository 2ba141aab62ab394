/** What the suite needs of a test runner; Jest, Vitest and node:test all offer it. */
export interface ContractHarness {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => Promise<void>): void;
  beforeAll(hook: () => Promise<void>): void;
  afterAll(hook: () => Promise<void>): void;
}

/** @throws Error when no runner put its functions into the global scope. */
export function globalHarness(): ContractHarness {
  const found = globalThis as unknown as Partial<ContractHarness>;
  const { describe, it, beforeAll, afterAll } = found;
  if (!describe || !it || !beforeAll || !afterAll) {
    throw new Error('no test runner is in the global scope: give the suite a harness');
  }
  return { describe, it, beforeAll, afterAll };
}
