import { openStore, type StoreFixture } from '../support/store-fixture';
import { ChainWorld, type WorldOptions } from './chain-world';

/** The database of one test file and the worlds in it, each on a chain of its own. */
export class WorldHost {
  private readonly worlds: ChainWorld[] = [];

  private constructor(private readonly fixture: StoreFixture) {}

  static async open(): Promise<WorldHost> {
    return new WorldHost(await openStore('RELIABLE'));
  }

  async world(options: WorldOptions = {}): Promise<ChainWorld> {
    const chainId = 700_001 + this.worlds.length;
    const world = await ChainWorld.open(this.fixture, { ...options, chainId });
    this.worlds.push(world);
    return world;
  }

  async close(): Promise<void> {
    await Promise.all(this.worlds.map((world) => world.close()));
    await this.fixture.close();
  }
}
