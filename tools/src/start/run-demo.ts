import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createPublicClient, http } from 'viem';
import type { Stack, StackChain } from '../stack/stack';
import { pollUntil } from '../stack/poll-until';
import { proveFromChain } from './chain-proof';
import { openComponent, type DemoComponent } from './demo-component';
import { reportDemo, type DemoReport, type WalletTally } from './demo-report';
import { InjectedFailure, sendTransfer } from './send-transfer';
import { DEMO, planTransfers, type Transfer } from './transfer-plan';
import { describeChain, fundWallets, type DemoWallet } from './wallets';

/** Nobody owns this address; what it receives is the proof of what was paid. */
const RECIPIENT = '0x00000000000000000000000000000000000da7a0';
const MINED_TIMEOUT_MS = 60_000;
/** The reservation's deadline, one sweep of the worker, and room for a slow machine. */
const RELEASE_TIMEOUT_MS = 30_000;
/** Tries of one transfer: the first and, after an injected failure, the second. */
const TRIES_MAX = 2;

/** Where the demo takes place. */
export interface DemoPlace {
  readonly stack: Stack;
  readonly chain: StackChain;
  readonly witnessDir: string;
}

interface Demo extends DemoPlace {
  readonly component: DemoComponent;
  readonly wallets: readonly DemoWallet[];
  readonly tallies: WalletTally[];
  readonly progress: (done: number, total: number) => void;
}

/**
 * Sends the planned transfers from concurrent callers through `withNonce`, with failures before
 * sending, killed callers and retries, and reads from the chain what came of it.
 */
export async function runDemo(
  place: DemoPlace,
  progress: (done: number, total: number) => void,
): Promise<DemoReport> {
  const { stack, chain, witnessDir } = place;
  const wallets = await fundWallets(chain, DEMO.wallets);
  const component = await openComponent(
    { databaseUrl: stack.databaseUrl, redisUrl: stack.redisUrl, witnessDir },
    chain,
  );
  const tallies = wallets.map(() => ({ sent: 0, recycled: 0 }));
  const demo: Demo = { ...place, component, wallets, tallies, progress };
  try {
    const plan = planTransfers();
    await payAll(demo, plan);
    const client = createPublicClient({
      chain: describeChain(chain),
      transport: http(chain.rpcUrl),
    });
    const addresses = wallets.map((wallet) => wallet.account.address);
    await untilMined(client, addresses, plan);
    return reportDemo(plan, await proveFromChain(client, addresses), tallies);
  } finally {
    await component.close();
  }
}

async function payAll(demo: Demo, plan: readonly Transfer[]): Promise<void> {
  const queue = [...plan];
  let done = 0;
  const caller = async (): Promise<void> => {
    for (let transfer = queue.shift(); transfer !== undefined; transfer = queue.shift()) {
      await pay(demo, transfer);
      done += 1;
      demo.progress(done, plan.length);
    }
  };
  await Promise.all(Array.from({ length: DEMO.callers }, caller));
}

async function pay(demo: Demo, transfer: Transfer): Promise<void> {
  // With an operationId the next caller gets the same nonce at once; without one the worker frees it.
  const named = transfer.mishap !== 'caller-is-killed' || transfer.index % 4 === 1;
  const operationId = named ? `transfer-${String(transfer.index)}` : undefined;
  if (transfer.mishap === 'caller-is-killed') {
    const nonce = await killCaller(demo, transfer, operationId);
    if (!named) await untilReleased(demo, transfer, nonce);
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      await payOnce(demo, transfer, { operationId, firstTry: attempt === 1 });
      return;
    } catch (error) {
      if (!(error instanceof InjectedFailure) || attempt === TRIES_MAX) throw error;
    }
  }
}

async function payOnce(
  demo: Demo,
  transfer: Transfer,
  how: { readonly operationId: string | undefined; readonly firstTry: boolean },
): Promise<void> {
  const wallet = demo.wallets[transfer.wallet];
  const tally = demo.tallies[transfer.wallet];
  if (wallet === undefined || tally === undefined) throw new Error('the plan names no wallet');
  await demo.component.nonces.withNonce(
    wallet.account.address,
    async (context) => {
      if (context.source === 'recycled' && context.attempt === 1) tally.recycled += 1;
      const { chainId } = demo.chain;
      const payment = { chainId, account: wallet.account, recipient: RECIPIENT, transfer } as const;
      return sendTransfer(context, payment, how.firstTry);
    },
    {
      exposure: 'declared',
      ttlMs: DEMO.ttlMs,
      ...(how.operationId === undefined ? {} : { operationId: how.operationId }),
    },
  );
  tally.sent += 1;
}

async function killCaller(
  demo: Demo,
  transfer: Transfer,
  operationId: string | undefined,
): Promise<number> {
  const child = spawn(process.execPath, [join(__dirname, 'killed-caller.js')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      DEMO_DATABASE_URL: demo.stack.databaseUrl,
      DEMO_REDIS_URL: demo.stack.redisUrl,
      DEMO_WITNESS_DIR: demo.witnessDir,
      DEMO_CHAIN_ID: String(demo.chain.chainId),
      DEMO_RPC_URL: demo.chain.rpcUrl,
      DEMO_WALLET: demo.wallets[transfer.wallet]?.account.address,
      DEMO_TTL_MS: String(DEMO.ttlMs),
      ...(operationId === undefined ? {} : { DEMO_OPERATION_ID: operationId }),
    },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error('the caller that was to be killed ended by itself');
  // Its log, should it have something to say, stands before.
  return Number(output.trim().split('\n').at(-1));
}

/**
 * Whoever takes over a dead caller's work without an operationId does so after the deadline: before
 * it, the work would take a higher nonce and leave the dead caller's one to a later caller.
 */
async function untilReleased(demo: Demo, transfer: Transfer, nonce: number): Promise<void> {
  const address = demo.wallets[transfer.wallet]?.account.address ?? '';
  const { nonces } = demo.component;
  await pollUntil(
    async () => {
      const view = await nonces.inspect(address);
      const free = view.gaps.some(
        (gap) => gap.stage === 'REUSABLE' && gap.from <= nonce && nonce <= gap.to,
      );
      if ((view.chainLatest ?? 0) > nonce) return true;
      return free && (view.engine === 'reliable' || (await isIssuedNext(nonces, address, nonce)));
    },
    { timeoutMs: RELEASE_TIMEOUT_MS, describe: `nonce ${String(nonce)} to be released` },
  );
}

/** What is free in Postgres is handed to Redis up to a second later; only a grant tells whether. */
async function isIssuedNext(
  nonces: DemoComponent['nonces'],
  address: string,
  nonce: number,
): Promise<boolean> {
  const granted = await nonces.allocate(address);
  for (const allocation of granted) {
    await nonces.markRecyclable(allocation, {
      reason: 'asked for only to see which nonce is next',
    });
  }
  return granted.some((allocation) => allocation.nonce === nonce);
}

async function untilMined(
  client: ReturnType<typeof createPublicClient>,
  addresses: readonly `0x${string}`[],
  plan: readonly Transfer[],
): Promise<void> {
  const expected = addresses.map((_, wallet) => plan.filter((t) => t.wallet === wallet).length);
  await pollUntil(
    async () => {
      const counts = await Promise.all(
        addresses.map((address) => client.getTransactionCount({ address })),
      );
      return counts.every((count, wallet) => count >= (expected[wallet] ?? 0));
    },
    { timeoutMs: MINED_TIMEOUT_MS, describe: 'all transfers to be mined', everyMs: 200 },
  ).catch(() => undefined); // the table shows what is missing
}
