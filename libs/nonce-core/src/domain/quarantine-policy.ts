/** What becomes of a nonce that may have been sent, once waiting brought no evidence. */
export const QUARANTINE_RELEASES = ['replacement', 'burn', 'hold'] as const;
export type QuarantineRelease = (typeof QUARANTINE_RELEASES)[number];

export interface QuarantinePolicy {
  /** Wait before the release, in milliseconds. */
  readonly ms: number;
  readonly release: QuarantineRelease;
}
