import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { ArtifactList, Job } from '@bootlab/lab';
import { ArtifactStore, type ArtifactRecord, type ByteRange, type Principal } from '@bootlab/lab/server';
import { JobsService } from '../jobs/jobs.service.js';
import { notFound } from '../problem/problem.js';

/** Files that jobs left behind. */
@Injectable()
export class ArtifactsService {
  constructor(
    private readonly jobs: JobsService,
    private readonly artifacts: ArtifactStore,
  ) {}

  async list(principal: Principal, jobId: string): Promise<ArtifactList> {
    const { artifacts, missingArtifacts } = await this.jobs.get(principal, jobId);
    return { items: artifacts, missing: missingArtifacts };
  }

  /** @throws ProblemError that says why it is not there, where that is known */
  async find(principal: Principal, jobId: string, name: string): Promise<ArtifactRecord> {
    const job = await this.jobs.get(principal, jobId);
    // Names are looked for among those that the job has: whatever else stands in the address never reaches a store.
    const known = job.artifacts.some((artifact) => artifact.name === name);
    const artifact = known ? await this.artifacts.find(job.id, name) : undefined;
    if (!artifact) throw notFound(`artifact "${name}" of this job${reasonOf(job, name)}`);
    return artifact;
  }

  /** @throws ProblemError when it was removed this moment */
  async read(artifact: ArtifactRecord, range?: ByteRange): Promise<Readable> {
    try {
      return await this.artifacts.read(artifact, range);
    } catch (error) {
      if (await this.artifacts.find(artifact.jobId, artifact.name)) throw error;
      throw notFound(`artifact "${artifact.name}" of this job`);
    }
  }

  async remove(principal: Principal, jobId: string, name: string): Promise<void> {
    const artifact = await this.find(principal, jobId, name);
    // By whom stands in the audit log, which forgets the names of people who leave.
    await this.artifacts.remove(artifact, 'It was deleted by a maintainer of the project');
  }
}

function reasonOf({ missingArtifacts }: Job, name: string): string {
  const reason = missingArtifacts.find((missing) => missing.name === name)?.reason;
  return reason === undefined ? '' : `: ${reason}`;
}
