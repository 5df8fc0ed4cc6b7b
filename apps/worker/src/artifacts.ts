import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { saveArtifacts, type ArtifactSources } from '@bootlab/lab/artifacts';
import type { BoardTask, LeftArtifacts } from './protocol.js';

/** Writes what a job is to leave behind into files of the task's folder. */
export async function leaveArtifacts(
  { artifacts = [], artifactFolder, artifactLimitBytes }: BoardTask,
  sources: ArtifactSources,
): Promise<LeftArtifacts> {
  const { saved, missing } = await saveArtifacts(artifacts, sources, {
    fileFor: () => path.join(artifactFolder, randomUUID()),
    limitBytes: artifactLimitBytes,
  });
  return { artifacts: saved, missingArtifacts: missing };
}

/** Nothing, of a run that says nothing of the guest. */
export const NO_ARTIFACTS: LeftArtifacts = { artifacts: [], missingArtifacts: [] };
