import { isOutpaced } from '../../src/domain/errors/outpaced';
import { isNonceError } from '../../src/domain/errors/nonce-error';
import { toStoreError } from '../../src/postgres/store-error';

const sqlError = (code: string): Error => Object.assign(new Error('from the server'), { code });
const mayBeMadeAnew = (error: unknown): boolean => isNonceError(error) && isOutpaced(error);

it.each(['55P03', '57014', '40001', '40P01'])(
  '%s wrote nothing and may be tried again at once, but not in a transaction that failed with it',
  (code) => {
    const alone = toStoreError(sqlError(code));
    expect(alone).toMatchObject({
      code: 'NONCE_STORE_UNAVAILABLE',
      context: { sqlState: code, written: 'no' },
    });
    expect(mayBeMadeAnew(alone)).toBe(true);
    expect(mayBeMadeAnew(toStoreError(sqlError(code), false))).toBe(false);
  },
);

it.each(['08006', '57P01', '53300', '25006', 'ECONNREFUSED'])(
  '%s is a store that does not answer, and is not asked again at once',
  (code) => {
    const error = toStoreError(sqlError(code));
    expect(isNonceError(error, 'NONCE_STORE_UNAVAILABLE')).toBe(true);
    expect(mayBeMadeAnew(error)).toBe(false);
  },
);

it('leaves what says something else as it is', () => {
  const error = sqlError('23505');
  expect(toStoreError(error)).toBe(error);
});
