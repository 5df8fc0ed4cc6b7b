/** What the control calls of System V IPC share. */
import type { IntegerStruct, IpcPermissionField } from '../../targets/index.js';
import type { IpcObject } from '../ipc/index.js';
import { requireOwner } from '../ipc/index.js';
import type { Thread } from '../kernel/thread.js';

/** Real time in s since 1970. */
export const nowSeconds = ({ clock }: Thread): number => Number(clock.realtimeNs() / 1_000_000_000n);

/** IPC_SET's part that all kinds have. @throws Errno EPERM */
export function changePermissions(
  thread: Thread,
  object: IpcObject,
  wanted: { readonly uid: number; readonly gid: number; readonly mode: number },
): void {
  requireOwner(object, thread.owner.credentials);
  const { permissions } = object;
  permissions.uid = wanted.uid;
  permissions.gid = wanted.gid;
  permissions.mode = (permissions.mode & ~0o777) | (wanted.mode & 0o777);
  object.changedS = nowSeconds(thread);
}

/** What IPC_SET takes of the structure that the kind of object has. @throws Errno EFAULT */
export function permissionsAt(
  { memory }: Thread,
  address: number,
  { fields }: IntegerStruct<IpcPermissionField>,
): { readonly uid: number; readonly gid: number; readonly mode: number } {
  const word = (name: 'uid' | 'gid' | 'mode'): number => memory.u32(address + fields[name].offset);
  return { uid: word('uid'), gid: word('gid'), mode: word('mode') };
}

/** Stores `struct shminfo` and its like, whose fields are all of a word's size where `long` and `int` are the same. */
export function infoWords(thread: Thread, address: number, values: readonly number[]): void {
  const { memory } = thread;
  values.forEach((value, i) => {
    if (memory.pointerBytes === 8) memory.setU64(address + 8 * i, BigInt(value));
    else memory.setU32(address + 4 * i, value);
  });
}

/** Stores `struct seminfo` and `struct msginfo`: ints. */
export function infoInts(thread: Thread, address: number, values: readonly number[]): void {
  values.forEach((value, i) => thread.memory.setU32(address + 4 * i, value));
}
