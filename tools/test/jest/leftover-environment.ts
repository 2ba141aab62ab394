import { TestEnvironment } from 'jest-environment-node';
import { Leftovers } from './leftovers';

/** Fails a test file that leaves something behind, after its last afterAll has run. */
export default class LeftoverEnvironment extends TestEnvironment {
  private leftovers: Leftovers | undefined;

  override async setup(): Promise<void> {
    await super.setup();
    this.leftovers = new Leftovers();
  }

  override async teardown(): Promise<void> {
    const found = (await this.leftovers?.collect()) ?? [];
    this.leftovers?.end();
    await super.teardown();
    if (found.length > 0) {
      throw new Error(`This test file left behind: ${found.join(', ')}. Close it in afterAll.`);
    }
  }
}
