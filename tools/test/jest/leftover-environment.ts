import type { Circus } from '@jest/types';
import { TestEnvironment } from 'jest-environment-node';
import { Leftovers } from './leftovers';

/** Fails a test file that leaves something behind after its last afterAll, beside its own failures. */
export default class LeftoverEnvironment extends TestEnvironment {
  private leftovers: Leftovers | undefined;

  override async setup(): Promise<void> {
    await super.setup();
    this.leftovers = new Leftovers();
  }

  /** Thrown by a teardown it would hide the failure that kept the file from closing things. */
  async handleTestEvent(event: Circus.AsyncEvent, state: Circus.State): Promise<void> {
    if (event.name !== 'run_finish') return;
    const found = (await this.leftovers?.collect()) ?? [];
    if (found.length === 0) return;
    state.unhandledErrors.push(
      new Error(`This test file left behind: ${found.join(', ')}. Close it in afterAll.`),
    );
  }

  override async teardown(): Promise<void> {
    this.leftovers?.end();
    await super.teardown();
  }
}
