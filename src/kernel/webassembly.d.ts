/** The part of the WebAssembly interface that the kernel uses: neither the language's nor Node.js' types have it, and the browser's bring a thousand other names. */
declare namespace WebAssembly {
  class Module {
    private readonly brand: 'module';
  }
  interface Instance {
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
  }
  class RuntimeError extends Error {}
  type Imports = Record<string, Record<string, unknown>>;
  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(module: Module, imports: Imports): Promise<Instance>;
}
