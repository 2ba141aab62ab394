/** A line `--#include name` of a list or of a script, the name as its first group. */
export const INCLUDE_LINE = /^--#include (\S+)$/gm;
