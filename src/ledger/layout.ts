/**
 * Records, transactions and events of the ledger program. Read by tsc and asc: numeric constants only.
 *
 *   account, 64 bytes. Key: class 1, u32 number (big endian); the address is the key of the address table.
 *    8  u8   nonceCount   used entries of the nonce ring, 0..100
 *    9  u8   nonceHead    ring index of the smallest nonce
 *   10  u8   role         ROLE_*
 *   11  u8   zero
 *   12  u32  owner        agents: the account it acts for; sub-accounts: the master; vaults: the leader. Users: activeDay, the UTC day in
 *                         which it was last active + 1 (docs/rules.md, 11); 0 where accounts do not become dormant
 *   16  u64  nonceMin     smallest stored nonce (0 when none)
 *   24  u64  nonceMax     largest stored nonce (0 when none)
 *   32  u8[20] address
 *   52  u8   subAccounts  how many it has (vaults: u16 at 52, the vault's index)
 *   53  u8   agents       how many named ones it has
 *   54  u8   threshold    of its multi-signature set; 0: not a multi-signature user
 *   55  u8   signerSet    version of the set: grows with every conversion (wraps from 255 to 1), so that earlier sets do not count
 *   56  u64  expiresMs    agents: valid while the block's time is below it; u64 maximum: for ever. 0 for others
 *
 *   nonce chunk, 64 bytes, 15 per account. Key: class 2, u32 number, u32 chunk (big endian)
 *    8  u64[7] entries of the ring: index = chunk * 7 + i, for index 0..99; zero where never written
 *
 *   balance, 32 bytes. Key: class 3, u32 number, u32 token (big endian). Absent = zero; deleted when it becomes zero.
 *    8  u64  amount       in units of 10^-decimals of the token
 *
 *   agent name, 32 bytes. Key: class 4, u32 master, 16 bytes name (zero bytes behind it; the unnamed agent: all zero)
 *    8  u32  agent        its account number + 1
 *   12  u32  zero
 *   16  u64  zero
 *   24  u64  zero
 *
 *   signer, 32 bytes. Key: class 5, u32 user, u32 signer
 *    8  u32  signerSet    the version of the user's set that it belongs to
 *   12  u32  zero
 *   16  u64  zero
 *   24  u64  zero
 *
 *   name, 32 bytes. Key: class 6, u32 number. What a user or sub-account is called; absent while it has no name.
 *    8  u8[24] UTF-8, zero bytes behind it
 */
export const CLASS_ACCOUNT: u32 = 1;
export const CLASS_NONCES: u32 = 2;
export const CLASS_BALANCE: u32 = 3;
export const CLASS_AGENT: u32 = 4;
export const CLASS_SIGNER: u32 = 5;
export const CLASS_NAME: u32 = 6;

export const ACCOUNT_SIZE: u32 = 64;
export const ACCOUNT_NONCE_COUNT: u32 = 8;
export const ACCOUNT_NONCE_HEAD: u32 = 9;
export const ACCOUNT_ROLE: u32 = 10;
export const ACCOUNT_OWNER: u32 = 12;
/** Of a user, in the place of an owner. */
export const ACCOUNT_ACTIVE_DAY: u32 = 12;
export const ACCOUNT_NONCE_MIN: u32 = 16;
export const ACCOUNT_NONCE_MAX: u32 = 24;
export const ACCOUNT_ADDRESS: u32 = 32;
export const ACCOUNT_SUB_ACCOUNTS: u32 = 52;
export const ACCOUNT_VAULT_INDEX: u32 = 52;
export const ACCOUNT_AGENTS: u32 = 53;
export const ACCOUNT_THRESHOLD: u32 = 54;
export const ACCOUNT_SIGNER_SET: u32 = 55;
export const ACCOUNT_EXPIRES: u32 = 56;

export const ROLE_USER: u32 = 0;
export const ROLE_AGENT: u32 = 1;
export const ROLE_SUB_ACCOUNT: u32 = 2;
export const ROLE_VAULT: u32 = 3;
/** An agent that was replaced. */
export const ROLE_RETIRED: u32 = 4;

export const NONCES_SIZE: u32 = 64;
export const NONCES_ENTRIES: u32 = 8;
export const NONCES_PER_CHUNK: u32 = 7;
export const NONCES_CHUNKS: u32 = 15;
export const NONCES_KEPT: u32 = 100;
export const NONCE_PAST_MS: u32 = 172800000;
export const NONCE_FUTURE_MS: u32 = 86400000;

export const BALANCE_SIZE: u32 = 32;
export const BALANCE_AMOUNT: u32 = 8;

export const NAME_SIZE: u32 = 32;
export const NAME_TEXT: u32 = 8;
export const NAME_BYTES: u32 = 24;

/** Kind 1, payload: u32 recipient (account number), u32 token, u64 amount. */
export const KIND_TRANSFER: u32 = 1;
export const TRANSFER_RECIPIENT: u32 = 32;
export const TRANSFER_TOKEN: u32 = 36;
export const TRANSFER_AMOUNT: u32 = 40;
export const TRANSFER_BYTES: u32 = 48;

/** Event 1, 32 bytes: u32 header, u32 token, u32 sender, u32 recipient, u64 amount, u64 zero. */
export const EVENT_TRANSFER: u32 = 1;
export const EVENT_TRANSFER_BYTES: u32 = 32;

/** Token 0 is the quote token of every market; it has 6 decimals. */
export const TOKEN_QUOTE: u32 = 0;

/** Where the ledger's records lie: addresses set up at genesis. */
export const LEDGER_ACCOUNTS: u32 = 0x1200; // u32, account records by number
export const LEDGER_NONCES: u32 = 0x1204; // u32, nonce chunks by number * 15 + chunk
export const LEDGER_BALANCES: u32 = 0x1208; // u32, balances by number * tokens + token
export const LEDGER_TOKENS: u32 = 0x120c; // u32 number of tokens
export const LEDGER_ADDRESSES: u32 = 0x1210; // u32, 32 bytes per number: the address that the number stands for
export const LEDGER_MAX_ACCOUNTS: u32 = 0x1214; // u32
export const LEDGER_NAMES: u32 = 0x1218; // u32, names by number
/** Key of class 250 in the key table: an address; the payload of its unit is u32 number + 1. Not part of the state root. */
export const CLASS_ADDRESS: u32 = 250;
