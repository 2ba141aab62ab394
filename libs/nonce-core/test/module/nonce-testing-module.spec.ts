import { Test } from '@nestjs/testing';
import { NonceComponent } from '../../src/module/nonce-component';
import type { SubmitterNonces } from '../../src/module/named-submitters';
import { submitterToken } from '../../src/module/named-submitters';
import { NonceModule } from '../../src/module/nonce.module';
import { FakeChain } from '../../src/testing/fake-chain';
import { InMemoryNonceEngine } from '../../src/testing/in-memory-nonce-engine';
import { NonceTestingModule } from '../../src/testing/nonce-testing.module';

const ADDRESS = `0x${'0b'.repeat(20)}` as const;

describe('the testing module', () => {
  it('lets a host test its handlers in memory, on fake chains, with its named submitters', async () => {
    const [small, large] = [new FakeChain({ chainId: 7 }), new FakeChain({ chainId: 31_337 })];
    const submitter = { chainId: 31_337, address: ADDRESS };
    const host = await Test.createTestingModule({
      imports: [
        NonceTestingModule.forRoot({ chains: [large, small], defaultChainId: 7 }),
        NonceModule.forFeature([{ name: 'treasury', submitter }]),
      ],
    }).compile();
    const treasury = host.get<SubmitterNonces>(submitterToken('treasury'), { strict: false });
    const sent = await treasury.execute((ctx) => {
      const { nonce } = ctx;
      return ctx.send(large.sign({ from: ADDRESS, nonce, payload: 'pay', feePerGas: 1 }).rawTx);
    });
    expect(sent).toMatchObject({ nonce: 0, stage: 'BROADCAST', txHash: sent.value });
    large.mine();
    expect(large.executions('pay')).toBe(1);
    const elsewhere = await host.get(NonceComponent).execute(ADDRESS, async (ctx) => ctx.submitter);
    expect(elsewhere.value).toBe(`eip155:7:${ADDRESS}`);
    expect(host.get(InMemoryNonceEngine).rows(elsewhere.value!)).toHaveLength(1);
    await host.close();
  });
});
