/**
 * A folder of append-only files, as the journal needs it: the port to a real disk or a simulated one.
 *
 * What holds after the power fails: bytes of a file for which `sync` had returned, and names for which `syncFolder` had returned, as they
 * were then. What was written later is there, or not, or in part, in any combination of sectors and of names.
 * Every method rejects with a `StorageError`: DISK_FULL, NO_PERMISSION, DISK_FAILED.
 */
export interface Disk {
  /** Keeps everybody else out until `unlock` or the end of the process. Throws FOLDER_LOCKED. */
  lock(): Promise<void>;
  unlock(): Promise<void>;
  /** Names of the files, sorted. */
  list(): Promise<string[]>;
  /** A new, empty file; there must be none of that name. */
  create(name: string): Promise<DiskFile>;
  open(name: string): Promise<DiskFile>;
  /** Replaces a file of the new name. Files that are open stay so. */
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Makes names durable. */
  syncFolder(): Promise<void>;
}

export interface DiskFile {
  /** Bytes in it, with those that are not durable yet. */
  readonly size: number;
  /** `length` bytes from `at`; fewer where the file ends. */
  read(at: number, length: number): Promise<Uint8Array>;
  /** After an error any prefix of the bytes may have been written. */
  append(bytes: Uint8Array): Promise<void>;
  truncate(size: number): Promise<void>;
  /** Makes the bytes durable. After an error it is unknown which are, and trying again does not help: the system may have dropped them. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
