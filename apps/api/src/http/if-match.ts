const STRONG_TAG = /^"(0|[1-9]\d{0,15})"$/;

/** The number that `If-Match` names; null for anything that is not one strong tag of a number. */
export function ifMatchNumber(header: string | undefined): number | null {
  const digits = STRONG_TAG.exec(header?.trim() ?? '')?.[1];
  return digits === undefined ? null : Number(digits);
}

export function entityTag(version: number): string {
  return `"${version}"`;
}
