/**
 * Signatures of known actions by a known key, for the tests of everything that signs or recovers.
 *
 * The first seven L1 actions, usdSend and withdraw3 are the values that the official Python SDK tests itself with; the others were made with
 * the npm package @nktkas/hyperliquid (protocol, 2.6).
 */
import type { WireSignature } from './signature.ts';

export const VECTOR_KEY = '0x0123456789012345678901234567890123456789012345678901234567890123';
export const VECTOR_ADDRESS = '0x14791697260e4c9a71f18484c9f997b308e59325';

interface Signed {
  readonly digest: string;
  readonly signature: WireSignature;
}

interface L1Vector {
  readonly name: string;
  /** As JSON, keys in canonical order. */
  readonly action: string;
  readonly packed: string;
  readonly nonce: number;
  readonly vaultAddress?: string;
  readonly expiresAfter?: number;
  readonly connectionId: string;
  readonly mainnet: Signed;
  readonly testnet: Signed;
}

export const L1_VECTORS: readonly L1Vector[] = [
  {
    name: 'order ETH ioc production vector',
    action: '{"type":"order","orders":[{"a":4,"b":true,"p":"1670.1","s":"0.0147","r":false,"t":{"limit":{"tif":"Ioc"}}}],"grouping":"na"}',
    packed:
      '83a474797065a56f72646572a66f72646572739186a16104a162c3a170a6313637302e31a173a6302e30313437a172c2a17481a56c696d697481a3746966a3496f63a867726f7570696e67a26e61',
    nonce: 1677777606040,
    connectionId: '0fcbeda5ae3c4950a548021552a4fea2226858c4453571bf3f24ba017eac2908',
    mainnet: {
      digest: 'be5eb0697b77c2acfeaa07a3d4913ae5d06489c63bfd143c5d3d66540a196c43',
      signature: {
        r: '0xe302c107c0048633293299b066317048f69f685aa4f536fe56c050efaf04996c',
        s: '0x70e01d4d26e3d724fb8f8ab54b3f2544a37ea1b092f83532349405274f3f3962',
        v: 28,
      },
    },
    testnet: {
      digest: 'eb995f6f09994a13de522ce0cc454871e81500e01de770e09d9fa6f5d2742601',
      signature: {
        r: '0x54d5cc489d4fa822a2788ecbdfe19d8dd478b9373cf0024b19aeb8452dc15474',
        s: '0x0eef26897cba04c5670c683b27c3601deb3189295a5670dda0b7cb97efe1b860',
        v: 28,
      },
    },
  },
  {
    name: 'order a=1 100@100 Gtc',
    action: '{"type":"order","orders":[{"a":1,"b":true,"p":"100","s":"100","r":false,"t":{"limit":{"tif":"Gtc"}}}],"grouping":"na"}',
    packed:
      '83a474797065a56f72646572a66f72646572739186a16101a162c3a170a3313030a173a3313030a172c2a17481a56c696d697481a3746966a3477463a867726f7570696e67a26e61',
    nonce: 0,
    connectionId: '884f2c32bb6dbdd65f6033e32fb28c0cb6f5b345db0f6471fd3366d85c9252c1',
    mainnet: {
      digest: 'a5cfed1f2d7948de30aecacc7fea3c5e05c1e759020e96239847879b906f801e',
      signature: {
        r: '0xd65369825a9df5d80099e513cce430311d7d26ddf477f5b3a33d2806b100d78e',
        s: '0x2b54116ff64054968aa237c20ca9ff68000f977c93289157748a3162b6ea940e',
        v: 28,
      },
    },
    testnet: {
      digest: '606be2d25f68768f876dc04a2c3c86ceafd2d6a3c3cbb963454462d6734ebfa6',
      signature: {
        r: '0x82b2ba28e76b3d761093aaded1b1cdad4960b3af30212b343fb2e6cdfa4e3d54',
        s: '0x6b53878fc99d26047f4d7e8c90eb98955a109f44209163f52d8dc4278cbbd9f5',
        v: 27,
      },
    },
  },
  {
    name: 'order with cloid',
    action:
      '{"type":"order","orders":[{"a":1,"b":true,"p":"100","s":"100","r":false,"t":{"limit":{"tif":"Gtc"}},"c":"0x00000000000000000000000000000001"}],"grouping":"na"}',
    packed:
      '83a474797065a56f72646572a66f72646572739187a16101a162c3a170a3313030a173a3313030a172c2a17481a56c696d697481a3746966a3477463a163d92230783030303030303030303030303030303030303030303030303030303030303031a867726f7570696e67a26e61',
    nonce: 0,
    connectionId: '0ba500cedd8f4ba6ded620a0b1cd04f124d9ba745e2e2893fcc763bcc1444af5',
    mainnet: {
      digest: '54a60f6e5107c3ebbd5600ce51c5c208b66c4acdaddf159d34f380f4985f4a3f',
      signature: {
        r: '0x041ae18e8239a56cacbc5dad94d45d0b747e5da11ad564077fcac71277a946e3',
        s: '0x3c61f667e747404fe7eea8f90ab0e76cc12ce60270438b2058324681a00116da',
        v: 27,
      },
    },
    testnet: {
      digest: '40529778f312dd898fe2e3b86a6f8ad38db2e4fb6e2d8012349b6021407c5328',
      signature: {
        r: '0xeba0664bed2676fc4e5a743bf89e5c7501aa6d870bdb9446e122c9466c5cd16d',
        s: '0x7f3e74825c9114bc59086f1eebea2928c190fdfbfde144827cb02b85bbe90988',
        v: 28,
      },
    },
  },
  {
    name: 'tpsl',
    action:
      '{"type":"order","orders":[{"a":1,"b":true,"p":"100","s":"100","r":false,"t":{"trigger":{"isMarket":true,"triggerPx":"103","tpsl":"sl"}}}],"grouping":"na"}',
    packed:
      '83a474797065a56f72646572a66f72646572739186a16101a162c3a170a3313030a173a3313030a172c2a17481a77472696767657283a869734d61726b6574c3a9747269676765725078a3313033a47470736ca2736ca867726f7570696e67a26e61',
    nonce: 0,
    connectionId: '430a86fb9876e901920d931f5bb20c9d011f6389bd179f39a73c09e6219adcad',
    mainnet: {
      digest: '012ce9a26d8326e9de0e2e76709c076b94cec6b137031928ec7334c8f3c4028f',
      signature: {
        r: '0x98343f2b5ae8e26bb2587daad3863bc70d8792b09af1841b6fdd530a2065a3f9',
        s: '0x6b5bb6bb0633b710aa22b721dd9dee6d083646a5f8e581a20b545be6c1feb405',
        v: 27,
      },
    },
    testnet: {
      digest: '28f89042e8188e26f18fb164d9c705db8dcfd6a7e74e793d4917a318dd45f799',
      signature: {
        r: '0x971c554d917c44e0e1b6cc45d8f9404f32172a9d3b3566262347d0302896a2e4',
        s: '0x206257b104788f80450f8e786c329daa589aa0b32ba96948201ae556d5637eac',
        v: 28,
      },
    },
  },
  {
    name: 'scheduleCancel',
    action: '{"type":"scheduleCancel","time":123456789}',
    packed: '82a474797065ae7363686564756c6543616e63656ca474696d65ce075bcd15',
    nonce: 0,
    connectionId: '4be18e445114437c5d1d9dd35a09f5601a3cc34ed4ac94a0281251b9bd8f6832',
    mainnet: {
      digest: '9393b4b91056b0153438d4e16380db88f41a0e56d8d9e508084748b19e475598',
      signature: {
        r: '0x609cb20c737945d070716dcc696ba030e9976fcf5edad87afa7d877493109d55',
        s: '0x16c685d63b5c7a04512d73f183b3d7a00da5406ff1f8aad33f8ae2163bab758b',
        v: 28,
      },
    },
    testnet: {
      digest: '40daefeaa4ffca7e11aa99be35f1afc0a15ec5137f3240f778284d8bd6d42639',
      signature: {
        r: '0x4e4f2dbd4107c69783e251b7e1057d9f2b9d11cee213441ccfa2be63516dc5bc',
        s: '0x706c656b23428c8ba356d68db207e11139ede1670481a9e01ae2dfcdb0e1a678',
        v: 27,
      },
    },
  },
  {
    name: 'createSubAccount',
    action: '{"type":"createSubAccount","name":"example"}',
    packed: '82a474797065b06372656174655375624163636f756e74a46e616d65a76578616d706c65',
    nonce: 0,
    connectionId: '9a7b5272baf65d28b0589bd50863a42ac35897553a6beb274e625b6faf7d6bb1',
    mainnet: {
      digest: '4423e9ec1018e626f959974e00f3715aa1d91ad58815ae8f11f8c7283e70973c',
      signature: {
        r: '0x51096fe3239421d16b671e192f574ae24ae14329099b6db28e479b86cdd6caa7',
        s: '0x0b71f7d293af92d3772572afb8b102d167a7cef7473388286bc01f52a5c5b423',
        v: 27,
      },
    },
    testnet: {
      digest: '1467a6a95a4a57ea2b1cb7af29b52aa9922df169c5ee945f641d10ccee9d6c21',
      signature: {
        r: '0xa699e3ed5c2b89628c746d3298b5dc1cca604694c2c855da8bb8250ec8014a5b',
        s: '0x53f1b8153a301c72ecc655b1c315d64e1dcea3ee58921fd7507e35818fcc1584',
        v: 28,
      },
    },
  },
  {
    name: 'subAccountTransfer',
    action: '{"type":"subAccountTransfer","subAccountUser":"0x1d9470d4b963f552e6f671a81619d395877bf409","isDeposit":true,"usd":10}',
    packed:
      '84a474797065b27375624163636f756e745472616e73666572ae7375624163636f756e7455736572d92a307831643934373064346239363366353532653666363731613831363139643339353837376266343039a969734465706f736974c3a37573640a',
    nonce: 0,
    connectionId: 'd12f71eba9e3e792812bfdf01a6a92f4d4016bb0541e850b41f770891c0cc447',
    mainnet: {
      digest: '16d4f3be13b4dfbbe7015924637e6b2cbf8f63eb3c21538c3f5ad73a4b5022c4',
      signature: {
        r: '0x43592d7c6c7d816ece2e206f174be61249d651944932b13343f4d13f306ae602',
        s: '0x71a926cb5c9a7c01c3359ec4c4c34c16ff8107d610994d4de0e6430e5cc0f4c9',
        v: 28,
      },
    },
    testnet: {
      digest: '16771266fdd99cee549b98d7e3aa30dcace521c450372abf12c3f804a3e96304',
      signature: {
        r: '0xe26574013395ad55ee2f4e0575310f003c5bb3351b5425482e2969fa51543927',
        s: '0x0efb08999196366871f919fd0e138b3a7f30ee33e678df7cfaf203e25f0a4278',
        v: 28,
      },
    },
  },
  {
    name: 'cancel + vault + expiresAfter',
    action: '{"type":"cancel","cancels":[{"a":0,"o":77738308}]}',
    packed: '82a474797065a663616e63656ca763616e63656c739182a16100a16fce04a23144',
    nonce: 1700000000000,
    vaultAddress: '0x1719884eb866cb12b2287399b15f7db5e7d775ea',
    expiresAfter: 1700000060000,
    connectionId: 'd275ffdba92060442181034e8d958335b76ad725f10257fa483a099702aa4a6c',
    mainnet: {
      digest: 'e9fc5cfb03562b7ba23b153fa21cf1c9872d75bb0147dff25cb418457ff63604',
      signature: {
        r: '0xdd102c344ae90753420c59bf9ccb4e1db811f89b41e79ab58c4bc4eee5c12b6b',
        s: '0x36ff4beebe14fe4b1a79bd85b0a6a419dbe0a68fca78b011ebdc8c5ae9030492',
        v: 28,
      },
    },
    testnet: {
      digest: 'fc65e21384de57e47c976d46a05cceb97be25001a9bded37ef680a610c12be63',
      signature: {
        r: '0x223875251d60725a7d105578ab9ae83e8f76bc532538193e55753deca693c887',
        s: '0x6ce6f6ff17dc8b69641c6819655786156d7357a7d9169c77ee7b8fc1c426f140',
        v: 27,
      },
    },
  },
  {
    name: 'cancelByCloid',
    action: '{"type":"cancelByCloid","cancels":[{"asset":5,"cloid":"0x00000000000000000000000000000001"}]}',
    packed:
      '82a474797065ad63616e63656c4279436c6f6964a763616e63656c739182a5617373657405a5636c6f6964d92230783030303030303030303030303030303030303030303030303030303030303031',
    nonce: 1700000000001,
    connectionId: '78826158b961e6836c4caf1f4142f4828a0a19498c617c86cc9e9a37ffb13462',
    mainnet: {
      digest: '8087e4f5bd18c3725529f389c1ebd5b41b1619b10b0554286f1d82b60c9c76a9',
      signature: {
        r: '0x3b5677e20d3d2642875e70ea334b2e4c24da3242ce04b9da3159b47fd71e7d68',
        s: '0x26b61805c7c72c05445500f03f320bcdc2513b0118e2b716d73965b031cb221f',
        v: 28,
      },
    },
    testnet: {
      digest: '59824e5b2f95ca714815ef8992865b506012bd80c429935aea3f1390401f3cc6',
      signature: {
        r: '0xce16023118c65bcdb11492012c24d278bfec8012906ba25a0d22199d71801cce',
        s: '0x2cf8366a430a52d1822d13f863cbf8cf66e715263257cc5995418aa54b1d8e56',
        v: 28,
      },
    },
  },
];

interface UserVector extends Signed {
  readonly action: Readonly<Record<string, string | number>>;
}

const TESTNET = { signatureChainId: '0x66eee', hyperliquidChain: 'Testnet' };
const SEND = { ...TESTNET, destination: '0x5e9ee1089755c3435139848e47e6635505d5a13a', amount: '1', time: 1687816341423 };

export const USER_VECTORS: readonly UserVector[] = [
  {
    action: { type: 'usdSend', ...SEND },
    digest: 'cacf7585cc49ca60c6c5fb3001e226c0ca03c46252c893eea574c78907b7cebe',
    signature: {
      r: '0x637b37dd731507cdd24f46532ca8ba6eec616952c56218baeff04144e4a77073',
      s: '0x11a6a24900e6e314136d2592e2f8d502cd89b7c15b198e1bee043c9589f9fad7',
      v: 27,
    },
  },
  {
    action: { type: 'withdraw3', ...SEND },
    digest: '8080d06f566813165cec60d85300445133b3439e9c92e10b93ed510372608899',
    signature: {
      r: '0x8363524c799e90ce9bc41022f7c39b4e9bdba786e5f9c72b20e43e1462c37cf9',
      s: '0x58b1411a775938b83e29182e8ef74975f9054c8e97ebf5ec2dc8d51bfc893881',
      v: 28,
    },
  },
  {
    action: {
      type: 'approveAgent',
      ...TESTNET,
      agentAddress: '0x1d9470d4b963f552e6f671a81619d395877bf409',
      agentName: '',
      nonce: 1700000000000,
    },
    digest: '7c8c072a80a256db9be7378509d6d48ad9cffac13cf2e3814291554a541ee49a',
    signature: {
      r: '0xe406fb1a6233cd7a2fb9583dce3198298356ad7ff70da5c4c6a8752ee96b142d',
      s: '0x02ff0e7e3c8179081ed1d3637a4dfd2ae44c5596470c712e0d00a8a11ff2428b',
      v: 28,
    },
  },
];

/** Who signs beside the key above, inside. */
export const SECOND_ADDRESS = '0xae72a48c1a36bd18af168541c53037965d26e4a8';

/** Bodies of multi-signature requests on Testnet, made with @nktkas/hyperliquid: signed inside by both, sent by the first. */
export const MULTI_SIG_VECTORS: readonly string[] = [
  '{"action":{"type":"multiSig","signatureChainId":"0x66eee","signatures":[{"r":"0xbece6163dc9c8fc45c5afd422d07b6e70dbdd549abd1270bf3e519c88aef5757","s":"0x5d63e027ae70734c73bc96ffabef794582649c3162efb29949ad1b9066a4834b","v":28},{"r":"0x37cdd1eca00acd299a89f928c5c217fb133d872b19a06c53c92128bbd28f6ca5","s":"0x53bcb6a7a200da31131d9ee5e5377f9db9eaede8401185475aacc4de2ac4097d","v":28}],"payload":{"multiSigUser":"0x1d9470d4b963f552e6f671a81619d395877bf409","outerSigner":"0x14791697260e4c9a71f18484c9f997b308e59325","action":{"type":"order","orders":[{"a":1,"b":true,"p":"100","s":"100","r":false,"t":{"limit":{"tif":"Gtc"}}}],"grouping":"na"}}},"signature":{"r":"0x1ccc2694bdd33d1b2e0f7527993749e9796e54df3410db261288b205090b896c","s":"0x7b4f2ad0a1e34fd3427c9a399e92e9dd0bba9d3ff0d25595a7632367cf0c04c1","v":28},"nonce":1700000000000,"expiresAfter":1700000060000}',
  '{"action":{"type":"multiSig","signatureChainId":"0x66eee","signatures":[{"r":"0xca67f39dd8cef86890a47e9ee1e634c110efaf18cec437e2772dfa9602f5c0f0","s":"0x35d17ed1d25febd1d2194464021844d2c86626188b00a820c16dd218cdff67ad","v":27},{"r":"0x8f6aa5633814daf681ea691bc4bd05ce1c6b1e52fe7fd1998d18993f90fb771","s":"0x2dbf62be5290a297ebcdf0f01ce8889652b465b5b91b3567648be674913aaa59","v":28}],"payload":{"multiSigUser":"0x1d9470d4b963f552e6f671a81619d395877bf409","outerSigner":"0x14791697260e4c9a71f18484c9f997b308e59325","action":{"type":"usdSend","signatureChainId":"0x66eee","hyperliquidChain":"Testnet","destination":"0x5e9ee1089755c3435139848e47e6635505d5a13a","amount":"1","time":1700000000000}}},"signature":{"r":"0x9df229200efd62dc18e4999c396c496caeed6b5bf45c9156d0acb3b4a7d64c31","s":"0x39cbefe021341b27ecb68aacfeddca072de491c1d141eafb3064bcb764e93efc","v":27},"nonce":1700000000000}',
  '{"action":{"type":"multiSig","signatureChainId":"0x66eee","signatures":[{"r":"0x8d4aaf966d18cb05d3a34e2fd8cc1684e6aaba69b024a78f2ce8e1c9a42add97","s":"0x7dbe6424ebea17f0510967715784525225fe082f42a07bf03fda9510745de071","v":27},{"r":"0xc9977db41a266e85b8ff9b3c086c5b3de7e0ce153b29aa6545f20c69a35cf698","s":"0x5a8ed3d2b6dca6dd45ec33fd79a94bc79966fc7c4c6491a467086af65f2bb03e","v":27}],"payload":{"multiSigUser":"0x1d9470d4b963f552e6f671a81619d395877bf409","outerSigner":"0x14791697260e4c9a71f18484c9f997b308e59325","action":{"type":"userSetAbstraction","signatureChainId":"0x66eee","hyperliquidChain":"Testnet","user":"0x1d9470d4b963f552e6f671a81619d395877bf409","abstraction":"u","nonce":1700000000000}}},"signature":{"r":"0xe7c04005b73a74d5334a7b94755d4ff8db770d165f38fce389f0ee78222c688c","s":"0x309ddd6dc1f50d5029378c8603a0250345f931d1c42a9061bc6c179d1860f5e2","v":28},"nonce":1700000000000}',
];
