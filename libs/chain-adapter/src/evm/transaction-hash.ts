import { NonceError, type Hex } from '@noncekit/nonce-core/domain';
import { concatHex, fromRlp, isHex, keccak256, size, toRlp } from 'viem/utils';

const BLOB_TYPE = '0x03';

/**
 * The hash under which a chain will know these signed bytes. A blob transaction travels with its
 * blobs around it, which are not part of what is hashed (EIP-4844).
 * @throws NonceError NONCE_VALIDATION unless `rawTx` is hexadecimal text of whole bytes.
 */
export function transactionHash(rawTx: Hex): Hex {
  if (!isHex(rawTx) || rawTx.length % 2 !== 0 || size(rawTx) === 0) {
    const detail = 'must be signed bytes as 0x-prefixed hexadecimal text';
    throw new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/rawTx', detail }] });
  }
  return keccak256(rawTx.toLowerCase().startsWith(BLOB_TYPE) ? withoutBlobs(rawTx) : rawTx);
}

function withoutBlobs(rawTx: Hex): Hex {
  try {
    const fields = fromRlp(`0x${rawTx.slice(BLOB_TYPE.length)}`, 'hex');
    const [payload] = fields;
    return Array.isArray(payload) ? concatHex([BLOB_TYPE, toRlp(payload)]) : rawTx;
  } catch {
    // Not a list: whatever it is, no node will take it for a blob transaction.
    return rawTx;
  }
}
