import type { Transport } from 'viem';
import type { Hex } from '../domain/brand';
import { NonceError } from '../domain/errors/nonce-error';
import { submitterParts } from '../domain/submitter';
import type { NonceContext } from '../template/nonce-context';
import type { NonceSource } from './current-nonces';

const SENDING = new Set(['eth_sendRawTransaction', 'eth_sendRawTransactionSync']);

/** The node would sign, and choose the nonce: no intent could be written before it leaves. */
const SIGNED_BY_NODE = new Set(['eth_sendTransaction', 'wallet_sendTransaction']);

/**
 * A viem transport that writes the intent of the running handler before its bytes leave. Requests
 * outside a handler, and transactions of other accounts or chains, pass as they are; a transaction of
 * this account that the node would sign itself is refused.
 */
export function nonceTransport<Inner extends Transport>(source: NonceSource, inner: Inner): Inner {
  const wrapped: Transport = (parameters) => {
    const transport = inner(parameters);
    const request = async (
      call: { method: string; params?: unknown },
      options?: never,
    ): Promise<unknown> => {
      const context = source.currentContext;
      if (context !== undefined && SENDING.has(call.method)) {
        await declare(source, context, rawTransactionOf(call.params));
      }
      if (context !== undefined && SIGNED_BY_NODE.has(call.method)) {
        refuseSigningByNode(context, call.params);
      }
      return transport.request(call as never, options);
    };
    return { ...transport, request: request as typeof transport.request };
  };
  return wrapped as Inner;
}

async function declare(source: NonceSource, context: NonceContext, rawTx: Hex): Promise<void> {
  const signed = source.transactions.read(rawTx);
  const { chainId, address } = submitterParts(context.submitter);
  if (signed.chainId !== null && signed.chainId !== chainId) return;
  if ((await source.transactions.sender(rawTx)) !== address) return;
  if (signed.nonce !== null && signed.nonce !== context.nonce) {
    const detail = `is signed for nonce ${signed.nonce}, but this handler holds ${context.nonce}`;
    throw new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/params/0', detail }] });
  }
  await context.intent({ txHash: signed.txHash, rawTx });
}

function refuseSigningByNode(context: NonceContext, params: unknown): void {
  const first: unknown = Array.isArray(params) ? params[0] : undefined;
  const from: unknown =
    typeof first === 'object' && first !== null && 'from' in first && first.from;
  const { address } = submitterParts(context.submitter);
  if (typeof from !== 'string' || from.toLowerCase() !== address) return;
  const detail = 'would be signed by the node; sign it here with a local account';
  throw new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/params/0', detail }] });
}

function rawTransactionOf(params: unknown): Hex {
  const first: unknown = Array.isArray(params) ? params[0] : undefined;
  if (typeof first === 'string' && first.startsWith('0x')) return first as Hex;
  throw new NonceError('NONCE_VALIDATION', {
    errors: [{ pointer: '/params/0', detail: 'must be a signed transaction' }],
  });
}
