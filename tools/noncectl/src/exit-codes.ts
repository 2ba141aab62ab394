/** What scripts branch on. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  problemsFound: 3,
  notFound: 4,
  conflict: 5,
  unreachable: 6,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
