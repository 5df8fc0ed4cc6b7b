/** What an architecture says of System V IPC and POSIX message queues in its Linux ABI. */
import type { IntegerStruct } from './file-abi.js';
import type { DataModel, IntegerType } from './layout.js';
import { padding, structLayout } from './layout.js';

export type IpcPermissionField = 'key' | 'uid' | 'gid' | 'cuid' | 'cgid' | 'mode' | 'seq';

export interface LinuxIpcAbi {
  /** `struct shmid64_ds`, `semid64_ds`, `msqid64_ds`, each beginning with its `struct ipc64_perm`. */
  readonly shmidDs: IntegerStruct<
    IpcPermissionField | 'shm_segsz' | 'shm_atime' | 'shm_dtime' | 'shm_ctime' | 'shm_cpid' | 'shm_lpid' | 'shm_nattch'
  >;
  readonly semidDs: IntegerStruct<IpcPermissionField | 'sem_otime' | 'sem_ctime' | 'sem_nsems'>;
  readonly msqidDs: IntegerStruct<
    | IpcPermissionField
    | 'msg_stime'
    | 'msg_rtime'
    | 'msg_ctime'
    | 'msg_cbytes'
    | 'msg_qnum'
    | 'msg_qbytes'
    | 'msg_lspid'
    | 'msg_lrpid'
  >;
  /** Alignment of shmat(2)'s addresses, SHMLBA. */
  readonly attachAlignment: number;
  /** SHMLBA is required of fixed attachments, too (asm/shmparam.h, __ARCH_FORCE_SHMLBA). */
  readonly alignsFixedAttachments: boolean;
  /** si_code of a signal that mq_notify(3) sends. */
  readonly queueSignalCode: number;
}

/** Fields of `struct ipc64_perm` where `mode_t` has 32 bits (asm-generic/ipcbuf.h), to begin other structures with. */
export const IPC_PERMISSION = {
  key: 'i32',
  uid: 'u32',
  gid: 'u32',
  cuid: 'u32',
  cgid: 'u32',
  mode: 'u32',
  seq: 'u16',
  perm_pad: padding('u16'),
  perm_unused: padding('ulong', 2),
} as const satisfies Readonly<Record<string, IntegerType | ReturnType<typeof padding>>>;

const SAME: DataModel = { longBytes: 8, pointerBytes: 8, longLongAlignment: 8 };

/** linux/sem.h, struct sembuf. */
export const SEMBUF = structLayout(SAME, { sem_num: 'u16', sem_op: 'i16', sem_flg: 'i16' });
