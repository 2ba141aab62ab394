import { LoadNode, type LoadNodeSettings } from './load-node';
import type { CallRecord, PacePlan } from './paced-load';

/** Processes under a load that goes on while something is done to them. */
export interface PacedNodes {
  pace(plan: PacePlan): void;
  /** @returns what the callers of all of them met. */
  stopPace(): Promise<readonly CallRecord[]>;
  close(): Promise<void>;
}

export async function startPacedNodes(
  settings: LoadNodeSettings,
  count: number,
): Promise<PacedNodes> {
  const nodes: LoadNode[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    while (nodes.length < count) nodes.push(await LoadNode.start(settings));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    pace(plan) {
      for (const node of nodes) node.pace(plan);
    },
    stopPace: async () => (await Promise.all(nodes.map((node) => node.stopPace()))).flat(),
    close,
  };
}
