/** The native half of the package `secp256k1`, without its silent fall back. Importing it throws where there is no binding. */
declare module 'secp256k1/bindings.js' {
  const bindings: {
    /** Throws when there is no such key. `signature` has 64 bytes, `digest` 32; returns 65 bytes when not compressed. */
    ecdsaRecover(signature: Uint8Array, recovery: number, digest: Uint8Array, compressed: boolean): Uint8Array;
    /** Both have 32 bytes. Deterministic, s in the lower half. */
    ecdsaSign(digest: Uint8Array, key: Uint8Array): { readonly signature: Uint8Array; readonly recid: number };
  };
  export default bindings;
}
