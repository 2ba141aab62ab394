/**
 * A node that kills itself with SIGKILL at one point of its work, as the crash-point matrix names
 * them, and reports right before. It begins when it is told to.
 */
import { request } from 'node:http';
import type { Exposure } from '../../../src/domain/allocation';
import type { NonceContext } from '../../../src/template/nonce-context';
import { commands, report } from '../../support/child-messages';
import { sendRaw, signTransfer, type SignedTransfer } from '../transfers';
import { openNode, type NodeOptions } from './open-node';

/** K0 and K1 lie inside the store's statement: there the test kills this process. */
export type CrashPoint =
  | 'in-the-statement'
  | 'K2'
  | 'K3'
  | 'K4'
  | 'K5'
  | 'K6'
  | 'K7'
  /** In the library's own send: the test's RPC proxy kills this process when the bytes come. */
  | 'in-the-send';

export interface CrashOrder {
  readonly node: NodeOptions;
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly submitter: string;
  readonly account: number;
  readonly amount: number;
  readonly operationId: string | null;
  readonly point: CrashPoint;
  readonly ttlMs: number;
  /** `submit` is always declared; another exposure means a plain handler. */
  readonly exposure: Exposure;
}

export type CrashMessage =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'dies';
      readonly nonce: number;
      readonly id: string;
      readonly signed: SignedTransfer | null;
    }
  | { readonly kind: 'survived'; readonly how: string };

const order = JSON.parse(process.argv[2] ?? '') as CrashOrder;

function die(ctx: NonceContext, signed: SignedTransfer | null = null): void {
  report({
    kind: 'dies',
    nonce: ctx.nonce,
    id: ctx.allocationId,
    signed,
  } satisfies CrashMessage);
  process.kill(process.pid, 'SIGKILL');
}

async function prepare(ctx: NonceContext): Promise<SignedTransfer> {
  if (order.point === 'K2') die(ctx);
  const { chainId, account, amount } = order;
  const signed = await signTransfer({ chainId, account, amount, nonce: ctx.nonce });
  if (order.point === 'K3') die(ctx, signed);
  return signed;
}

/** Its intent is written: sends the bytes, and dies before, while, or some time after. */
async function deliver(ctx: NonceContext, signed: SignedTransfer): Promise<void> {
  if (order.point === 'K4') die(ctx, signed);
  if (order.point === 'K5') await postAndDie(ctx, signed);
  await sendRaw(order.rpcUrl, signed.rawTx);
  if (order.point === 'K7') await mine();
  die(ctx, signed);
}

/** Dies when the request has left this process, without waiting for a word of the node. */
function postAndDie(ctx: NonceContext, signed: SignedTransfer): Promise<never> {
  const method = 'eth_sendRawTransaction';
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [signed.rawTx] });
  return new Promise((_, reject) => {
    const post = request(order.rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    });
    post.on('error', reject);
    post.end(body, () => {
      die(ctx, signed);
    });
  });
}

async function mine(): Promise<void> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'evm_mine', params: [] });
  await fetch(order.rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body,
  });
}

async function handle(ctx: NonceContext): Promise<void> {
  const signed = await prepare(ctx);
  const { nonce, allocationId: id } = ctx;
  report({ kind: 'dies', nonce, id, signed } satisfies CrashMessage);
  await ctx.send(signed.rawTx);
}

async function main(): Promise<void> {
  const node = await openNode(order.node);
  report({ kind: 'ready' } satisfies CrashMessage);
  await commands().next();
  const { submitter, operationId, ttlMs, exposure } = order;
  const options = { ttlMs, ...(operationId === null ? {} : { operationId }) };
  const plain = order.point === 'in-the-send' || exposure !== 'declared';
  let signed: SignedTransfer | undefined;
  const work = plain
    ? node.nonces.withNonce(submitter, handle, { ...options, exposure })
    : node.nonces.submit(
        submitter,
        {
          prepare: async (ctx) => {
            signed = await prepare(ctx);
            return signed.rawTx;
          },
          send: async (_, ctx) => {
            if (signed !== undefined) await deliver(ctx, signed);
          },
        },
        options,
      );
  const how = await work.then(String, String);
  report({ kind: 'survived', how } satisfies CrashMessage);
}

void main();
