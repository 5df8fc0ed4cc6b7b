import type {
  ArtifactInfo,
  Image,
  ImageRole,
  Job,
  JobBrief,
  JobSpec,
  JobStep,
  MissingArtifact,
  Result,
  Scalar,
} from '../index.js';
import type { PlacedResult } from '../results/index.js';
import { toResult } from '../results/index.js';
import type { Artifact, Prisma } from './generated/client.js';
import { toImage } from './image-store.js';

/** What belongs to a job as the API shows it. */
export const jobInclude = {
  images: { include: { image: true }, orderBy: { position: 'asc' } },
  machines: { orderBy: { attempt: 'asc' } },
  artifacts: { orderBy: { name: 'asc' } },
} satisfies Prisma.JobInclude;

export type JobRow = Prisma.JobGetPayload<{ include: typeof jobInclude }>;
type ResultRow = Prisma.ResultGetPayload<object>;

export function toJob(row: JobRow): Job {
  const imagesOf = (role: ImageRole): Image[] =>
    row.images.filter((use) => use.role === role).map((use) => toImage(use.image));
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    outcome: row.outcome,
    reason: row.reason,
    evidence:
      row.evidenceConsole === null
        ? null
        : { console: row.evidenceConsole, first: row.evidenceFirst ?? 1, last: row.evidenceLast ?? 1 },
    spec: row.spec as unknown as JobSpec, // validated by jobSpecSchema before it was stored
    groupId: row.groupId,
    combination: row.combination as Record<string, Scalar>, // written by JobStore only
    images: {
      kernel: imagesOf('kernel')[0],
      initrd: imagesOf('initrd')[0],
      firmware: imagesOf('firmware')[0],
      drives: imagesOf('drive'),
    },
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
    updatedAt: row.updatedAt.toISOString(),
    virtualNs: Number(row.virtualNs),
    instructions: Number(row.instructions),
    wallMs: Number(row.wallMs),
    attempts: row.attempts,
    runs: row.machines.map((machine) => ({
      attempt: machine.attempt,
      state: machine.state,
      outcome: machine.outcome,
      reason: machine.reason,
      startedAt: machine.createdAt.toISOString(),
      endedAt: machine.endedAt?.toISOString() ?? null,
    })),
    consoles: row.consoles,
    steps: row.steps as unknown as JobStep[], // written by JobStore only
    counts: { pass: row.passCount, fail: row.failCount, skip: row.skipCount, error: row.errorCount },
    artifacts: row.artifacts.map(toArtifact),
    missingArtifacts: row.missingArtifacts as unknown as MissingArtifact[], // written by JobStore and ArtifactStore only
  };
}

const toArtifact = ({ name, contentType, sizeBytes, sha256, createdAt }: Artifact): ArtifactInfo => ({
  name,
  contentType,
  sizeBytes: Number(sizeBytes),
  sha256,
  createdAt: createdAt.toISOString(),
});

/** What of a job stands in a list beside others. */
export const briefSelect = {
  id: true,
  name: true,
  board: true,
  spec: true,
  state: true,
  outcome: true,
  reason: true,
  createdAt: true,
  passCount: true,
  failCount: true,
  skipCount: true,
  errorCount: true,
} satisfies Prisma.JobSelect;

type BriefRow = Prisma.JobGetPayload<{ select: typeof briefSelect }>;

export function toBrief(row: BriefRow): JobBrief {
  const { cpu } = row.spec as { cpu?: string }; // validated by jobSpecSchema before it was stored
  return {
    id: row.id,
    name: row.name,
    board: row.board,
    cpu: cpu ?? null,
    state: row.state,
    outcome: row.outcome,
    reason: row.reason,
    createdAt: row.createdAt.toISOString(),
    counts: { pass: row.passCount, fail: row.failCount, skip: row.skipCount, error: row.errorCount },
  };
}

/** Results are inserted in portions: one statement holds so many parameters and no more. */
export const RESULTS_PER_INSERT = 1000;

export const toResultRow = (jobId: string, { position, result }: PlacedResult): Prisma.ResultCreateManyInput =>
  storedResult(jobId, position, toResult(result));

export function storedResult(
  jobId: string,
  position: number,
  { lines, measurement, startNs, durationNs, ...rest }: Result,
): Prisma.ResultCreateManyInput {
  return {
    ...rest,
    jobId,
    position,
    startNs: bigOrNull(startNs),
    durationNs: bigOrNull(durationNs),
    firstLine: lines?.first ?? null,
    lastLine: lines?.last ?? null,
    value: measurement?.value ?? null,
    unit: measurement?.unit ?? null,
  };
}

export function fromResultRow(row: ResultRow): Result {
  return {
    suite: row.suite,
    name: row.name,
    outcome: row.outcome,
    detail: row.detail,
    startNs: numberOrNull(row.startNs),
    durationNs: numberOrNull(row.durationNs),
    console: row.console,
    lines: row.firstLine === null || row.lastLine === null ? null : { first: row.firstLine, last: row.lastLine },
    measurement: row.value === null ? null : { value: row.value, unit: row.unit ?? '' },
  };
}

const bigOrNull = (value: number | null): bigint | null => (value === null ? null : BigInt(Math.round(value)));
const numberOrNull = (value: bigint | null): number | null => (value === null ? null : Number(value));
