/**
 * The lines of a recording file, plain or gzip (told by its first bytes), one after the other without holding the file in memory.
 *
 * Invariant: every complete line before a damage is yielded before the damage is thrown. So that nothing is lost on the way, data is
 * decompressed piece by piece and an error waits until what came before it has been taken.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { constants, createGunzip, type Gunzip } from 'node:zlib';
import { HeddleError } from '../base/errors.ts';

const PIECE_BYTES = 1 << 16;
const NEWLINE = 10;

/** Yields lines without their ends. Throws MISSING_FILE, UNREADABLE_FILE, EMPTY_FILE, NOT_GZIP, TRUNCATED_GZIP, DAMAGED_GZIP. */
export async function* recordingLines(path: string): AsyncGenerator<string> {
  let line = 0;
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const piece of contentOf(path)) {
      const data = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      let from = 0;
      for (let end = data.indexOf(NEWLINE); end !== -1; end = data.indexOf(NEWLINE, from)) {
        line++;
        yield data.toString('latin1', from, end > from && data[end - 1] === 13 ? end - 1 : end);
        from = end + 1;
      }
      rest = data.subarray(from);
    }
  } catch (error) {
    if (error instanceof Damage) throw new HeddleError(error.code, `${path}: line ${line + 1}: ${error.message}`, { cause: error.cause });
    throw error;
  }
  if (rest.length > 0) yield rest.toString('latin1');
  else if (line === 0) throw new HeddleError('EMPTY_FILE', `${path}: the file is empty`);
}

/** What breaks the stream of bytes; the line number is added where lines are counted. */
class Damage extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}

async function* contentOf(path: string): AsyncGenerator<Buffer> {
  let file: FileHandle;
  try {
    file = await open(path);
    if ((await file.stat()).isDirectory()) {
      await file.close();
      throw new HeddleError('UNREADABLE_FILE', `${path}: this is a folder, not a recording`);
    }
  } catch (cause) {
    if (cause instanceof HeddleError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new HeddleError(
      missing ? 'MISSING_FILE' : 'UNREADABLE_FILE',
      missing ? `${path}: there is no such file` : `${path}: ${(cause as Error).message}`,
      { cause },
    );
  }
  try {
    const head = Buffer.alloc(2);
    const { bytesRead } = await file.read(head, 0, 2, 0);
    const isGzip = bytesRead === 2 && head[0] === 0x1f && head[1] === 0x8b;
    if (!isGzip && bytesRead > 0 && path.endsWith('.gz'))
      throw new HeddleError('NOT_GZIP', `${path}: line 1: the name ends in .gz, but this is not gzip`);
    yield* isGzip ? inflated(file) : piecesOf(file);
  } finally {
    await file.close();
  }
}

async function* piecesOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function* inflated(file: FileHandle): AsyncGenerator<Buffer> {
  // With a flush at the end instead of a finish, everything that a cut-off stream still contains comes out; whether it was cut off is
  // found out afterwards.
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  const ready: Buffer[] = [];
  let bytes = 0;
  let trailer: Buffer = Buffer.alloc(0);
  gunzip.on('data', (piece: Buffer) => {
    ready.push(piece);
    bytes += piece.length;
  });
  for await (const piece of piecesOf(file)) {
    trailer = Buffer.concat([trailer, piece.subarray(-4)]).subarray(-4);
    const failure = await settled(gunzip, (done) => gunzip.write(piece, done));
    yield* ready.splice(0);
    if (failure !== undefined)
      throw new Damage('DAMAGED_GZIP', `the gzip data is damaged from here on (${failure.message})`, { cause: failure });
  }
  const failure = await settled(gunzip, (done) => {
    gunzip.once('end', done);
    gunzip.end();
  });
  yield* ready.splice(0);
  if (failure !== undefined)
    throw new Damage('DAMAGED_GZIP', `the gzip data is damaged from here on (${failure.message})`, { cause: failure });
  const complete = trailer.length === 4 && trailer.readUInt32LE() === bytes % 2 ** 32;
  if (!complete && !(await inflatesCompletely(file)))
    throw new Damage('TRUNCATED_GZIP', 'the gzip file ends in the middle: it is cut off here');
}

/** Waits for a step of the stream or for its error, which it returns. */
function settled(gunzip: Gunzip, step: (done: () => void) => void): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve(error);
    gunzip.once('error', failed);
    step(() => {
      gunzip.off('error', failed);
      resolve(undefined);
    });
  });
}

/** The strict way, for what the trailer does not tell: a file of several gzip members. */
async function inflatesCompletely(file: FileHandle): Promise<boolean> {
  const gunzip = createGunzip();
  gunzip.on('data', () => {});
  for await (const piece of piecesOf(file)) if ((await settled(gunzip, (done) => gunzip.write(piece, done))) !== undefined) return false;
  const failure = await settled(gunzip, (done) => {
    gunzip.once('end', done);
    gunzip.end();
  });
  return failure === undefined;
}
