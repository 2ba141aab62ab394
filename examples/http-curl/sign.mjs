// A signer for transfer.sh: prints the bytes and the hash of one transfer with the given nonce.
// CHAIN_ID, PRIVATE_KEY, TO and WEI say which.
import { keccak256, parseGwei } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

const { CHAIN_ID, PRIVATE_KEY, TO, WEI } = process.env;
const bytes = await privateKeyToAccount(PRIVATE_KEY).signTransaction({
  chainId: Number(CHAIN_ID),
  nonce: Number(process.argv[2]),
  to: TO,
  value: BigInt(WEI),
  gas: 21_000n,
  maxFeePerGas: parseGwei('20'),
  maxPriorityFeePerGas: parseGwei('1'),
});
console.log(bytes, keccak256(bytes));
