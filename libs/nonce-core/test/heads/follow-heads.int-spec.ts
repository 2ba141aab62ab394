import type { ChainReader } from '../../src/ports/chain.port';
import { StableBlocks, type StableBlockEvent } from '../../src/heads/stable-blocks';
import { FollowTransactions } from '../../src/tracking/follow-transactions';
import { TrackingBench } from '../tracking/tracking-bench';

let bench: TrackingBench;
beforeEach(async () => {
  bench = await TrackingBench.open({ finalityDepth: 6 });
});
afterEach(() => bench.close());

/** Sends one transaction per nonce and tells that a node took it. */
async function broadcast(count: number) {
  const allocations = await bench.grant(count);
  for (const allocation of allocations) {
    const { rawTx, txHash } = bench.sign(allocation);
    await bench.tell(allocation, 'intent', { txHash, rawTx });
    await bench.chain.send(rawTx);
    await bench.tell(allocation, 'submitted', { txHash });
  }
  return allocations;
}

/** Lets only what happened on the chain make rows due. */
async function sleepAll(): Promise<void> {
  await bench.fixture.database.pool.query(
    `UPDATE submitter_nonce_allocation SET due_at = now() + interval '1 hour' WHERE due_at IS NOT NULL`,
  );
}

async function follow(): Promise<void> {
  await bench.heads?.tick();
  await new FollowTransactions(bench.looker()).tick();
}

async function stages(count: number): Promise<readonly (string | undefined)[]> {
  return Promise.all(Array.from({ length: count }, (_, nonce) => bench.stage(nonce)));
}

describe('heads that are followed', () => {
  it('wake the rows whose transactions a block has, then those it confirms and makes final', async () => {
    bench.followHeads();
    await follow();
    await broadcast(2);
    await sleepAll();
    await follow();
    expect(await stages(2)).toEqual(['BROADCAST', 'BROADCAST']);
    bench.chain.mine(1);
    await follow();
    expect(await stages(2)).toEqual(['MINED', 'MINED']);
    bench.chain.mine(2);
    await follow();
    expect(await stages(2)).toEqual(['CONFIRMED', 'CONFIRMED']);
    bench.chain.mine(6);
    await follow();
    expect(await stages(2)).toEqual(['FINAL', 'FINAL']);
  });

  it('S15, K8: wake what was in replaced blocks, and a lagging provider wakes and changes nothing', async () => {
    const heads = bench.followHeads();
    await follow();
    await broadcast(1);
    bench.chain.mine(1);
    await follow();
    bench.chain.mine(1);
    await follow();
    expect(await bench.stage(0)).toBe('MINED');
    await sleepAll();
    bench.chain.lag(2);
    await follow();
    expect([await bench.stage(0), heads.headOf(bench.chain.chainId)?.number]).toEqual(['MINED', 2]);
    bench.chain.lag(0);
    bench.chain.reorg(2, { reinject: false });
    await follow(); // a lower head without another block at its height proves nothing
    expect(await bench.stage(0)).toBe('MINED');
    bench.chain.mine(1);
    await follow();
    expect(await bench.stage(0)).toBe('BROADCAST');
    expect(heads.headOf(bench.chain.chainId)?.number).toBe(1);
    expect(bench.events).toContain('tx.reorged');
  });

  it('L4: keep awake what somebody was looking at when its block came', async () => {
    bench.followHeads();
    await follow();
    await broadcast(1);
    await bench.dueNow();
    const claimed = await bench.store.claimDue({
      ...{ stages: ['BROADCAST'], chainIds: [bench.chain.chainId], limit: 9, leaseMs: 30_000 },
    });
    bench.chain.mine(1);
    await bench.heads?.tick();
    await bench.store.postpone(claimed.map(({ id }) => ({ id, nextLookMs: 60_000 })));
    await follow();
    expect(claimed).toHaveLength(1);
    expect(await bench.stage(0)).toBe('MINED');
  });

  it('fetch what was missed, so that a worker that was away finds each inclusion', async () => {
    bench.followHeads();
    await follow();
    await broadcast(1);
    await sleepAll();
    bench.chain.mine(70);
    await follow();
    expect(await bench.stage(0)).not.toBe('BROADCAST');
    expect(bench.heads?.headOf(bench.chain.chainId)?.number).toBe(70);
  });

  it('L4: go on where the last worker stopped, and two workers at once agree', async () => {
    bench.followHeads();
    await follow();
    await broadcast(1);
    await sleepAll();
    bench.chain.mine(3);
    const first = bench.followHeads();
    const second = bench.followHeads();
    await Promise.all([first.tick(), second.tick()]);
    const at = [first, second].map((heads) => heads.headOf(bench.chain.chainId));
    expect(at[0]?.number).toBe(3);
    expect(at[1]).toEqual(at[0]);
    await follow();
    expect(await bench.stage(0)).toBe('CONFIRMED');
  });

  it('I-41: bring back what a replaced block had, send its bytes again, and issue its nonce to nobody', async () => {
    bench.followHeads();
    await follow();
    await broadcast(2);
    bench.chain.mine(1);
    await follow();
    bench.chain.mineEmpty(1);
    await follow();
    expect(await stages(2)).toEqual(['MINED', 'MINED']);
    bench.chain.reorg(2, { reinject: false });
    bench.chain.mineEmpty(3);
    await follow();
    expect(await stages(2)).toEqual(['BROADCAST', 'BROADCAST']);
    await bench.alignment.alignWithChain(bench.submitter);
    expect((await bench.grant(1))[0]?.nonce).toBe(2);
    // Known to no pool any more: the same bytes are sent again, and both are executed once.
    await bench.age(60_000);
    await follow();
    bench.chain.mine(1);
    await follow();
    bench.chain.mine(8);
    await follow();
    await follow();
    expect(await stages(2)).toEqual(['FINAL', 'FINAL']);
    expect(['work 0', 'work 1'].map((work) => bench.chain.executions(work))).toEqual([1, 1]);
  });

  it('cost as many requests for 300 open rows as for three', async () => {
    const counted = countRequests(bench.chain);
    const costs: number[] = [];
    bench.followHeads();
    await follow();
    for (const open of [3, 297]) {
      await broadcast(open);
      await bench.age(60_000);
      await follow(); // their one look of their own
      const before = counted.requests;
      for (let block = 0; block < 10; block += 1) {
        bench.chain.mineEmpty();
        await follow();
      }
      costs.push(counted.requests - before);
    }
    expect(costs[0]).toBeGreaterThan(0);
    expect(costs[1]).toBe(costs[0]);
    expect(await stages(3)).toEqual(['BROADCAST', 'BROADCAST', 'BROADCAST']);
  });

  it('S15: pause a chain that replaces more blocks than it may, and go on from its new head', async () => {
    bench.followHeads();
    await follow();
    bench.chain.mine(60);
    await follow();
    bench.chain.reorg(55, { reinject: false });
    bench.chain.mine(58);
    await follow();
    const { rows } = await bench.fixture.database.pool.query<{ reason: string }>(
      'SELECT paused_reason AS reason FROM submitter_nonce_state',
    );
    expect(rows[0]?.reason).toContain('more blocks than it may');
    expect(bench.heads?.headOf(bench.chain.chainId)?.number).toBe(63);
  });
});

describe('stable blocks', () => {
  it('come once confirmed, in order; what is replaced later is cleared and told again', async () => {
    const events: StableBlockEvent[] = [];
    const heads = bench.followHeads();
    const stable = new StableBlocks(heads, bench.chains);
    await heads.tick();
    const end = stable.subscribe(bench.chain.chainId, (event) => events.push(event));
    const told = () => events.splice(0).map(describeEvent);
    bench.chain.mine(2);
    await heads.tick();
    expect(told()).toEqual(['block 0']);
    bench.chain.mine(3);
    await heads.tick();
    expect(told()).toEqual(['block 1', 'block 2', 'block 3']);
    bench.chain.reorg(1);
    bench.chain.mine(2);
    await heads.tick();
    expect(told()).toEqual(['block 4']);
    bench.chain.reorg(5);
    bench.chain.mine(6);
    await heads.tick();
    expect(told()).toEqual(['cleared from 2', 'block 2', 'block 3', 'block 4', 'block 5']);
    end();
    bench.chain.mine(5);
    await heads.tick();
    expect(told()).toEqual([]);
  });

  it('come from every worker alike, whichever of them moves the head', async () => {
    const workers = [bench.followHeads(), bench.followHeads()];
    const told = workers.map((heads) => {
      const events: StableBlockEvent[] = [];
      new StableBlocks(heads, bench.chains).subscribe(bench.chain.chainId, (event) => {
        events.push(event);
      });
      return events;
    });
    const tick = async (first: number) => {
      await workers[first]?.tick();
      await workers[1 - first]?.tick();
    };
    await tick(0);
    for (let step = 0; step < 6; step += 1) {
      bench.chain.mine(1 + (step % 3));
      await tick(step % 2);
    }
    bench.chain.reorg(4);
    bench.chain.mine(6);
    await tick(1);
    const streams = told.map((events) => events.map(describeEvent));
    expect(streams[0]).toContain('cleared from 9');
    expect(streams[0]?.at(-1)).toBe('block 12');
    // The second one came when the first block was there already.
    expect(['block 0', ...(streams[1] ?? [])]).toEqual(streams[0]);
  });
});

function describeEvent(event: StableBlockEvent): string {
  return event.kind === 'block'
    ? `block ${String(event.block.number)}`
    : `cleared from ${String(event.fromNumber)}`;
}

function countRequests(reader: ChainReader): { requests: number } {
  const counted = { requests: 0 };
  const methods = [
    'block',
    'blockContents',
    'receipts',
    'transaction',
    'transactionCount',
  ] as const;
  for (const name of methods) {
    const asked = reader[name].bind(reader) as (...all: unknown[]) => unknown;
    Object.assign(reader, {
      [name]: (...all: unknown[]) => {
        counted.requests += 1;
        return asked(...all);
      },
    });
  }
  return counted;
}
