/** What System V's shared memory, semaphores and message queues have in common: keys, identifiers, permissions. sysvipc(7). */
import type { Credentials } from '../kernel/contracts.js';
import { Errno } from '../kernel/contracts.js';

export const IPC_PRIVATE = 0;
const IPC_CREAT = 0o1000;
const IPC_EXCL = 0o2000;
export const IPC_NOWAIT = 0o4000;
/** Commands that all three kinds have. */
export const IpcCommand = { Remove: 0, Set: 1, Status: 2, Info: 3 } as const;

/** SHMMNI, SEMMNI, MSGMNI: objects of one kind. */
export const MAX_OBJECTS = 32000;

export const IpcAccess = { Write: 2, Read: 4 } as const;

/** Owner, creator and mode of an object. */
export interface IpcPermissions {
  uid: number;
  gid: number;
  readonly cuid: number;
  readonly cgid: number;
  mode: number;
}

export abstract class IpcObject {
  /** Set when it is created: identifiers of one kind count up and are never used twice. */
  id = -1;
  /** Real time of the last change of the object itself, s since 1970. */
  changedS = 0;
  /** IPC_RMID was called: it cannot be found any more. */
  removed = false;

  constructor(
    readonly key: number,
    readonly permissions: IpcPermissions,
  ) {}

  /** The common part of the structures that IPC_STAT fills. */
  permissionFields(): IpcPermissions & { key: number; seq: number } {
    return { key: this.key, seq: 0, ...this.permissions };
  }
}

/** All objects of one kind. */
export class IpcRegistry<T extends IpcObject> {
  readonly #byId = new Map<number, T>();
  readonly #byKey = new Map<number, T>();
  #nextId = 0;

  get all(): Iterable<T> {
    return this.#byId.values();
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The greatest identifier in use, which the …_INFO and IPC_INFO commands return; 0 without any. */
  get highestId(): number {
    return Math.max(0, ...this.#byId.keys());
  }

  /**
   * shmget(2) and its like: finds by key, or creates.
   * @param check whether what is there suits the request. @throws Errno ENOENT, EEXIST, EACCES, ENOSPC
   */
  get(
    key: number,
    flags: number,
    { euid, egid }: Credentials,
    check: (found: T) => void,
    create: (permissions: IpcPermissions) => T,
  ): T {
    const found = key === IPC_PRIVATE ? undefined : this.#byKey.get(key);
    if (found) {
      if (flags & IPC_CREAT && flags & IPC_EXCL) throw new Errno('EEXIST');
      // The mode bits of the request are the access that is asked for, of owner, group and others alike.
      requireAccess(found, { euid, egid, uid: euid, gid: egid }, flags | (flags >> 3) | (flags >> 6));
      check(found);
      return found;
    }
    if (key !== IPC_PRIVATE && !(flags & IPC_CREAT)) throw new Errno('ENOENT');
    if (this.#byId.size >= MAX_OBJECTS) throw new Errno('ENOSPC');
    const created = create({ uid: euid, gid: egid, cuid: euid, cgid: egid, mode: flags & 0o777 });
    created.id = this.#nextId++;
    this.#byId.set(created.id, created);
    if (key !== IPC_PRIVATE) this.#byKey.set(key, created);
    return created;
  }

  /** @throws Errno EINVAL for an identifier that is none */
  find(id: number): T {
    const found = this.#byId.get(id);
    if (!found) throw new Errno('EINVAL');
    return found;
  }

  /** IPC_RMID. A removed object stays known by its identifier where `keep` says so (shared memory that is attached). */
  remove(object: T, keep = false): void {
    object.removed = true;
    if (this.#byKey.get(object.key) === object) this.#byKey.delete(object.key);
    if (!keep) this.#byId.delete(object.id);
  }
}

/** @param access bits of {@link IpcAccess}. @throws Errno EACCES */
export function requireAccess({ permissions }: IpcObject, { euid, egid }: Credentials, access: number): void {
  if (euid === 0) return;
  const { uid, gid, cuid, cgid, mode } = permissions;
  const shift = euid === uid || euid === cuid ? 6 : egid === gid || egid === cgid ? 3 : 0;
  if (access & 6 & ~(mode >> shift)) throw new Errno('EACCES');
}

/** IPC_SET and IPC_RMID belong to owner and creator. @throws Errno EPERM */
export function requireOwner({ permissions }: IpcObject, { euid }: Credentials): void {
  if (euid !== 0 && euid !== permissions.uid && euid !== permissions.cuid) throw new Errno('EPERM');
}
