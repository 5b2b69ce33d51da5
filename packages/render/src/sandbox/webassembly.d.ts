/** The part of the WebAssembly JavaScript interface that is used here; Node has it, its type package does not. */
declare namespace WebAssembly {
  class Module {
    private readonly brand;
  }

  class Memory {
    readonly buffer: ArrayBuffer;
  }

  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, object>>);
    readonly exports: object;
  }

  function compile(bytes: Uint8Array): Promise<Module>;
}
