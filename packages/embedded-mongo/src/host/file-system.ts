/** What the file system of a folder promises. */
import { realpathSync, statfsSync } from 'node:fs'

/**
 * Linux's type numbers of file systems that only one machine can mount: on these, the kernel's locks bind everybody.
 */
const LOCAL_TYPES = new Map<number, string>([
  [0xEF53, 'ext2, ext3, ext4'], [0x58465342, 'xfs'], [0x9123683E, 'btrfs'], [0x2FC12FC1, 'zfs'], [0xF2F52010, 'f2fs'],
  [0xCA451A4E, 'bcachefs'], [0x3153464A, 'jfs'], [0x794C7630, 'overlayfs'], [0x01021994, 'tmpfs'], [0x858458F6, 'ramfs']
])

/** True if it is certain that no other machine uses the folder's file system. */
export function isLocalFileSystem (folder: string): boolean {
  if (process.platform === 'linux') return LOCAL_TYPES.has(statfsSync(folder).type)
  // A network share has a path of this form, even if it is mapped to a drive.
  if (process.platform === 'win32') return !realpathSync.native(folder).startsWith('\\\\')
  return false
}
