/**
 * The one function of the compiler that the build uses. The package's own declarations bring AssemblyScript's globals with them
 * (a `console` without `error`, among others), which would then hold for the whole repository.
 */
interface Host {
  readFile(path: string, baseDirectory: string): string | null;
  writeFile(path: string, contents: string | Uint8Array, baseDirectory: string): void;
  listFiles(directory: string, baseDirectory: string): string[] | null;
}

declare const asc: {
  main(options: readonly string[], host: Host): Promise<{ error: Error | null; stderr: { toString(): string } }>;
};

export default asc;
