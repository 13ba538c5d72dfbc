/** Layout pages are read by two compilers: asc has a type u32, tsc gets one here. Erased before Node.js sees it. */
declare type u32 = number;
