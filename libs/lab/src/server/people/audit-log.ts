import type { AuditEntry, AuditPage, AuditQuery } from '../../index.js';
import type { Database } from '../database.js';
import type { AuditEntry as AuditRow } from '../generated/client.js';
import type { Origin } from './session-store.js';

/** An act as it is written down. */
export interface Act {
  readonly projectId: string | undefined;
  readonly actor: string;
  readonly userId: string | undefined;
  readonly tokenId: string | undefined;
  /** For example jobs.submit. */
  readonly action: string;
  readonly target: string | undefined;
  /** HTTP status of the answer. */
  readonly status: number;
  readonly origin: Origin;
}

const TEXT_LENGTH = 300;

/** Who changed what, when and from where. Entries are only ever added. */
export class AuditLog {
  constructor(private readonly database: Database) {}

  async write(act: Act): Promise<void> {
    await this.database.auditEntry.create({
      data: {
        projectId: act.projectId ?? null,
        actor: shown(act.actor),
        userId: act.userId ?? null,
        tokenId: act.tokenId ?? null,
        action: act.action,
        target: act.target === undefined ? null : shown(act.target),
        status: act.status,
        address: act.origin.address,
        userAgent: shown(act.origin.userAgent),
      },
    });
  }

  /** Newest first; of one project, or with undefined of the whole lab. */
  async list(projectId: string | undefined, query: AuditQuery): Promise<AuditPage> {
    const rows = await this.database.auditEntry.findMany({
      where: {
        ...(projectId !== undefined && { projectId }),
        ...(query.cursor !== undefined && { id: { lt: BigInt(query.cursor) } }),
        ...(query.action !== undefined && { action: query.action }),
        ...(query.actor !== undefined && { actor: query.actor }),
      },
      orderBy: { id: 'desc' },
      take: query.limit + 1,
    });
    const items = rows.slice(0, query.limit).map(toEntry);
    return { items, nextCursor: rows.length > query.limit ? (items.at(-1)?.id ?? null) : null };
  }
}

/** What comes from outside is cut to a bearable length; PostgreSQL stores no NUL. */
const shown = (text: string): string => text.replaceAll('\0', '').slice(0, TEXT_LENGTH);

function toEntry(row: AuditRow): AuditEntry {
  return {
    id: row.id.toString(),
    at: row.at.toISOString(),
    actor: row.actor,
    action: row.action,
    target: row.target,
    status: row.status,
    address: row.address,
    userAgent: row.userAgent,
  };
}
