/**
 * Shapes of the protocol's answers and stream messages, for tests: which keys, and what kind of value under each.
 *
 * A small language: str, num, bool, hex (a string of 0x and hex digits), null, any, 'literal', true, NAME of another shape; T[] an array,
 * [A,B] a tuple, A|B either, {key:T,key?:T} an object with these keys and no others, {*:T} one with any keys. `mismatch` says what does not fit.
 */
import { assert } from '../base/assert.ts';

/** What others refer to by name. */
export const NAMED_SHAPES: Readonly<Record<string, string>> = {
  ASSET_CTX:
    '{prevDayPx:str,dayNtlVlm:str,markPx:str,midPx:null|str,funding:str,openInterest:str,premium:null|str,oraclePx:str,impactPxs:null|[str,str],dayBaseVlm:str}',
  SPOT_CTX: '{prevDayPx:str,dayNtlVlm:str,markPx:str,midPx:null|str,circulatingSupply:str,coin:str,totalSupply:str,dayBaseVlm:str}',
  MARGIN_SUMMARY: '{accountValue:str,totalNtlPos:str,totalRawUsd:str,totalMarginUsed:str}',
  LEVERAGE: "{type:'isolated',value:num,rawUsd:str}|{type:'cross',value:num}",
  MARGIN_TABLE: '{description:str,marginTiers:{lowerBound:str,maxLeverage:num}[]}',
  LEVEL: '{px:str,sz:str,n:num}',
  TWAP_STATE:
    "{coin:str,executedNtl:str,executedSz:str,minutes:num,randomize:bool,reduceOnly:bool,side:'B'|'A',stopPx:null|str,sz:str,timestamp:num,trigger:null|{px:str,above:bool},user:hex}",
  ORDER:
    "{coin:str,side:'B'|'A',limitPx:str,sz:str,oid:num,timestamp:num,origSz:str,triggerCondition:str,isTrigger:bool,triggerPx:str,children:ORDER[],isPositionTpsl:bool,reduceOnly:bool,orderType:'Market'|'Limit'|'Stop Market'|'Stop Limit'|'Take Profit Market'|'Take Profit Limit'|'Twap Slice'|'Vault Close'|'Spot Dust Conversion',tif:null|'Gtc'|'Ioc'|'Alo'|'FrontendMarket'|'LiquidationMarket',cloid:null|hex}",
  OPEN_ORDER: "{coin:str,side:'B'|'A',limitPx:str,sz:str,oid:num,timestamp:num,origSz:str,cloid?:hex,reduceOnly?:true}",
  FILL: "{coin:str,px:str,sz:str,side:'B'|'A',time:num,startPosition:str,dir:str,closedPnl:str,hash:hex,oid:num,crossed:bool,fee:str,builderFee?:str,tid:num,feeToken:str,feeTrialEscrow?:str,twapId:null|num,cloid?:hex,liquidation?:{liquidatedUser?:hex,markPx:str,method:'market'|'backstop'}}",
  SLICE_FILL:
    "{coin:str,px:str,sz:str,side:'B'|'A',time:num,startPosition:str,dir:str,closedPnl:str,hash:hex,oid:num,crossed:bool,fee:str,builderFee?:str,tid:num,feeToken:str,feeTrialEscrow?:str,twapId:null|num}",
  ORDER_STATUS:
    "'open'|'filled'|'canceled'|'triggered'|'rejected'|'marginCanceled'|'vaultWithdrawalCanceled'|'openInterestCapCanceled'|'selfTradeCanceled'|'reduceOnlyCanceled'|'siblingFilledCanceled'|'delistedCanceled'|'liquidatedCanceled'|'outcomeSettledCanceled'|'scheduledCancel'|'internalCancel'|'tickRejected'|'minTradeNtlRejected'|'perpMarginRejected'|'reduceOnlyRejected'|'badAloPxRejected'|'iocCancelRejected'|'badTriggerPxRejected'|'marketOrderNoLiquidityRejected'|'positionIncreaseAtOpenInterestCapRejected'|'positionFlipAtOpenInterestCapRejected'|'tooAggressiveAtOpenInterestCapRejected'|'openInterestIncreaseRejected'|'insufficientSpotBalanceRejected'|'oracleRejected'|'perpMaxPositionRejected'|'tooManyOpenOrdersRejected'",
  LEDGER_DELTA:
    "{type:'accountClassTransfer',usdc:str,toPerp:bool}|{type:'deposit',usdc:str}|{type:'internalTransfer',usdc:str,user:hex,destination:hex,fee:str}|{type:'liquidation',liquidatedNtlPos:str,accountValue:str,leverageType:'Cross'|'Isolated',liquidatedPositions:{coin:str,szi:str}[]}|{type:'rewardsClaim',amount:str,token:str}|{type:'spotTransfer',token:str,amount:str,usdcValue:str,user:hex,destination:hex,fee:str,nativeTokenFee:str,nonce:null|num,feeToken:str}|{type:'subAccountTransfer',usdc:str,user:hex,destination:hex}|{type:'vaultCreate',vault:hex,usdc:str,fee:str}|{type:'vaultDeposit',vault:hex,usdc:str}|{type:'vaultDistribution',vault:hex,usdc:str}|{type:'vaultWithdraw',vault:hex,user:hex,requestedUsd:str,commission:str,closingCost:str,basis:str,netWithdrawnUsd:str}|{type:'withdraw',usdc:str,nonce:num,fee:str}|{type:'send',user:hex,destination:hex,sourceDex:str,destinationDex:str,token:str,amount:str,usdcValue:str,fee:str,nativeTokenFee:str,nonce:num,feeToken:str}|{type:'deployGasAuction',token:str,amount:str}|{type:'cStakingTransfer',token:str,amount:str,isDeposit:bool}|{type:'borrowLend',token:str,operation:'withdraw'|'supply'|'repay'|'borrow',amount:str,interestAmount:str}|{type:'spotGenesis',token:str,amount:str}|{type:'activateDexAbstraction',dex:str,token:str,amount:str}|{type:'vaultLeaderCommission',user:hex,usdc:str}",
  CLEARINGHOUSE_STATE:
    "{marginSummary:MARGIN_SUMMARY,crossMarginSummary:MARGIN_SUMMARY,crossMaintenanceMarginUsed:str,withdrawable:str,assetPositions:({type:'oneWay',position:{coin:str,szi:str,leverage:LEVERAGE,entryPx:str,positionValue:str,unrealizedPnl:str,returnOnEquity:str,liquidationPx:null|str,marginUsed:str,maxLeverage:num,cumFunding:{allTime:str,sinceOpen:str,sinceChange:str}}})[],time:num}",
  SPOT_STATE:
    '{portfolioMarginEnabled?:bool,balances:({coin:str,token:num,total:str,hold:str,entryNtl:str,spotHold?:str,ltv?:str,borrowed?:str,supplied?:str}|{coin:str|str,total:str,hold:str,entryNtl:str})[],evmEscrows?:{coin:str,token:num,total:str}[],portfolioMarginRatio?:str,tokenToPortfolioBorrowRatio?:[num,str][],tokenToPortfolioSupplyRatio?:[num,str][],tokenToAvailableAfterMaintenance?:[num,str][]}',
  META: "{universe:{szDecimals:num,name:str,maxLeverage:num,marginTableId:num,onlyIsolated?:true,isDelisted?:true,marginMode?:'strictIsolated'|'noCross',growthMode?:'enabled',lastGrowthModeChangeTime?:str}[],marginTables:[num,MARGIN_TABLE][],collateralToken:num}",
  SPOT_META:
    '{universe:{tokens:[num,num],name:str,index:num,isCanonical:bool}[],tokens:{name:str,szDecimals:num,weiDecimals:num,index:num,tokenId:hex,isCanonical:bool,evmContract:null|{address:hex,evm_extra_wei_decimals:num},fullName:null|str,deployerTradingFeeShare:str}[]}',
  AUCTION: '{currentGas:null|str,durationSeconds:num,endGas:null|str,startGas:str,startTimeSeconds:num}',
  INTERVAL: "'1m'|'3m'|'5m'|'15m'|'30m'|'1h'|'2h'|'4h'|'8h'|'12h'|'1d'|'3d'|'1w'|'1M'",
  PERIOD: '{accountValueHistory:[num,str][],pnlHistory:[num,str][],vlm:str}',
  RESERVE:
    '{borrowYearlyRate:str,supplyYearlyRate:str,balance:str,utilization:str,oraclePx:str,ltv:str,totalSupplied:str,totalBorrowed:str}',
};

/** Answers of `/info` by type. */
export const INFO_SHAPES: Readonly<Record<string, string>> = {
  activeAssetData: '{user:hex,coin:str,leverage:LEVERAGE,maxTradeSzs:[str,str],availableToTrade:[str,str],markPx:str}',
  allBorrowLendReserveStates: '[num,RESERVE][]',
  allMids: '{*:str}',
  allPerpMetas: '(META)[]',
  approvedBuilders: 'hex[]',
  borrowLendReserveState: 'RESERVE',
  borrowLendUserState:
    "{tokenToState:[num,{borrow:{basis:str,value:str},supply:{basis:str,value:str}}][],health:'healthy'|'atRisk'|'marketLiquidatable'|'backstopLiquidatable',healthFactor:null|str}",
  candleSnapshot: '({t:num,T:num,s:str,i:INTERVAL,o:str,c:str,h:str,l:str,v:str,n:num})[]',
  clearinghouseState:
    "{marginSummary:MARGIN_SUMMARY,crossMarginSummary:MARGIN_SUMMARY,crossMaintenanceMarginUsed:str,withdrawable:str,assetPositions:({type:'oneWay',position:{coin:str,szi:str,leverage:LEVERAGE,entryPx:str,positionValue:str,unrealizedPnl:str,returnOnEquity:str,liquidationPx:null|str,marginUsed:str,maxLeverage:num,cumFunding:{allTime:str,sinceOpen:str,sinceChange:str}}})[],time:num}",
  delegations: '{validator:hex,amount:str,lockedUntilTimestamp:num}[]',
  delegatorHistory:
    "({time:num,hash:hex,delta:{delegate:{validator:hex,amount:str,isUndelegate:bool}}|{cDeposit:{amount:str}}|{withdrawal:{amount:str,phase:'initiated'|'finalized'}}})[]",
  delegatorRewards: "({time:num,source:'delegation'|'commission',totalAmount:str})[]",
  delegatorSummary: '{delegated:str,undelegated:str,totalPendingWithdrawal:str,nPendingWithdrawals:num}',
  exchangeStatus: '{time:num,specialStatuses:null|str}',
  extraAgents: '({address:hex,name:str,validUntil:null|num})[]',
  frontendOpenOrders: '(ORDER)[]',
  fundingHistory: '{coin:str,fundingRate:str,premium:str,time:num}[]',
  gossipPriorityAuctionStatus: '[(null|str)[],(AUCTION)[]]',
  gossipRootIps: 'str[]',
  historicalOrders: '({order:ORDER,status:ORDER_STATUS,statusTimestamp:num})[]',
  isVip: 'null|bool',
  l2Book: 'null|{coin:str,time:num,levels:[LEVEL[],LEVEL[]],spread?:str}',
  leadingVaults: '{address:hex,name:str}[]',
  legalCheck: "{acceptedTerms:bool,userAllowed:bool,restrictions:'n'|'a'|'o'|'u'}",
  liquidatable: '{user:hex,positionIndex:{isolated:{asset:num}},marginAvailable:[num,num]}[]',
  marginTable: 'MARGIN_TABLE',
  maxBuilderFee: 'num',
  maxMarketOrderNtls: '[num,str][]',
  meta: 'META',
  metaAndAssetCtxs: '[META,(ASSET_CTX)[]]',
  openOrders: '(OPEN_ORDER)[]',
  orderStatus: "{status:'order',order:{order:ORDER,status:ORDER_STATUS,statusTimestamp:num}}|{status:'unknownOid'}",
  outcomeMeta:
    '{outcomes:{outcome:num,name:str,description:str,sideSpecs:{name:str,token?:num}[],quoteToken:str,deployer?:hex}[],questions:{question:num,name:str,description:str,fallbackOutcome:num,namedOutcomes:num[],settledNamedOutcomes:num[]}[]}',
  outcomeTemplates:
    "({id:str,role:{standaloneOutcome:{sideNames:[str,str]}},name:str,description:str,keywords:([str,'string'|'dateTime'|'date'|'hlPerp'])[]})[]",
  perpAnnotation: 'null|{category:str,description:str,displayName?:str,keywords?:str[]}',
  perpCategories: '[str,str][]',
  perpConciseAnnotations: '[str,{category:str,displayName?:str,keywords?:str[]}][]',
  perpDeployAuctionStatus: 'AUCTION',
  perpDexLimits: 'null|{totalOiCap:str,oiSzCapPerPerp:str,maxTransferNtl:str,coinToOiCap:[str,str][]}',
  perpDexs:
    '(null|{name:str,fullName:str,deployer:hex,oracleUpdater:null|hex,feeRecipient:null|hex,assetToStreamingOiCap:[str,str][],subDeployers:[str,hex[]][],deployerFeeScale:str,lastDeployerFeeScaleChangeTime:str,assetToFundingMultiplier:[str,str][],assetToFundingInterestRate:[str,str][]})[]',
  perpDexStatus: '{totalNetDeposit:str}',
  perpsAtOpenInterestCap: 'str[]',
  portfolio:
    "[['day',PERIOD],['week',PERIOD],['month',PERIOD],['allTime',PERIOD],['perpDay',PERIOD],['perpWeek',PERIOD],['perpMonth',PERIOD],['perpAllTime',PERIOD]]",
  predictedFundings: '([str,([str,null|{fundingRate:str,nextFundingTime:num,fundingIntervalHours?:num}])[]])[]',
  preTransferCheck: '{fee:str,isSanctioned:bool,userExists:bool,userHasSentTx:bool}',
  recentTrades: "({coin:str,side:'B'|'A',px:str,sz:str,time:num,hash:hex,tid:num,users:[hex,hex]})[]",
  referral:
    "{referredBy:null|{referrer:hex,code:str},cumVlm:str,unclaimedRewards:str,claimedRewards:str,builderRewards:str,referrerState:{stage:'ready',data:{code:str,nReferrals:num,referralStates:{cumVlm:str,cumRewardedFeesSinceReferred:str,cumFeesRewardedToReferrer:str,timeJoined:num,user:hex,tokenToState:[num,{cumVlm:str,cumRewardedFeesSinceReferred:str,cumFeesRewardedToReferrer:str}][]}[]}}|{stage:'needToCreateCode'}|{stage:'needToTrade',data:{required:str}},rewardHistory:{earned:str,vlm:str,referralVlm:str,time:num}[],tokenToState:[num,{cumVlm:str,unclaimedRewards:str,claimedRewards:str,builderRewards:str}][]}",
  settledOutcome:
    'null|{spec:{outcome:num,name:str,description:str,sideSpecs:{name:str,token?:num}[],quoteToken:str,deployer?:hex},settleFraction:str,details:str,question?:{question:{active:num}|{settled:num},name:str,description:str}}',
  spotClearinghouseState:
    '{portfolioMarginEnabled?:bool,balances:({coin:str,token:num,total:str,hold:str,entryNtl:str,spotHold?:str,ltv?:str,borrowed?:str,supplied?:str}|{coin:str|str,total:str,hold:str,entryNtl:str})[],evmEscrows?:{coin:str,token:num,total:str}[],portfolioMarginRatio?:str,tokenToPortfolioBorrowRatio?:[num,str][],tokenToPortfolioSupplyRatio?:[num,str][],tokenToAvailableAfterMaintenance?:[num,str][]}',
  spotDeployState:
    '{states:({token:num,spec:{name:str,szDecimals:num,weiDecimals:num},fullName:null|str,deployerTradingFeeShare:str,spots:num[],maxSupply:null|str,hyperliquidityGenesisBalance:str,totalGenesisBalanceWei:str,userGenesisBalances:[hex,str][],existingTokenGenesisBalances:[num,str][],blacklistUsers:hex[]})[],gasAuction:AUCTION}',
  spotMeta: 'SPOT_META',
  spotMetaAndAssetCtxs: '[SPOT_META,(SPOT_CTX)[]]',
  spotPairDeployAuctionStatus: 'AUCTION',
  subAccounts: 'null|({name:str,subAccountUser:hex,master:hex,clearinghouseState:CLEARINGHOUSE_STATE,spotState:SPOT_STATE})[]',
  subAccounts2:
    "null|({name:str,subAccountUser:hex,master:hex,dexToClearinghouseState:([str,CLEARINGHOUSE_STATE])[],spotState:SPOT_STATE,abstraction?:'unifiedAccount'|'portfolioMargin'|'disabled'})[]",
  tokenDetails:
    '{name:str,maxSupply:str,totalSupply:str,circulatingSupply:str,szDecimals:num,weiDecimals:num,midPx:str,markPx:str,prevDayPx:str,genesis:null|{userBalances:[hex,str][],existingTokenBalances:[num,str][],blacklistUsers:hex[]},deployer:null|hex,deployGas:null|str,deployTime:null|str,seededUsdc:str,nonCirculatingUserBalances:[hex,str][],futureEmissions:str}',
  twapHistory:
    "({time:num,state:TWAP_STATE,status:{status:'finished'|'activated'|'terminated'|'waitingForTrigger'|'stopped'}|{status:'error',description:str},twapId?:num})[]",
  usdcRouting: "{depositRoute:'bridge'|'cctp',withdrawalRoute:'bridge'|'cctp'}",
  userAbstraction: "'unifiedAccount'|'portfolioMargin'|'disabled'|'default'",
  userBorrowLendInterest: '{time:num,token:str,borrow:str,supply:str}[]',
  userDexAbstraction: 'null|bool',
  userFees:
    "{dailyUserVlm:{date:str,userCross:str,userAdd:str,exchange:str}[],feeSchedule:{cross:str,add:str,spotCross:str,spotAdd:str,tiers:{vip:{ntlCutoff:str,cross:str,add:str,spotCross:str,spotAdd:str}[],mm:{makerFractionCutoff:str,add:str}[]},referralDiscount:str,stakingDiscountTiers:{bpsOfMaxSupply:str,discount:str}[]},userCrossRate:str,userAddRate:str,userSpotCrossRate:str,userSpotAddRate:str,activeReferralDiscount:str,trial:any,feeTrialEscrow:str,nextTrialAvailableTimestamp:null|num,stakingLink:null|{type:'requested'|'tradingUser',stakingUser:hex}|{type:'stakingUser',tradingUser:hex},activeStakingDiscount:{bpsOfMaxSupply:str,discount:str}}",
  userFills: '(FILL)[]',
  userFillsByTime: '(FILL)[]',
  userFunding: "({time:num,hash:hex,delta:{type:'funding',coin:str,usdc:str,szi:str,fundingRate:str,nSamples:null|num}})[]",
  userNonFundingLedgerUpdates: '({time:num,hash:hex,delta:LEDGER_DELTA})[]',
  userRateLimit: '{cumVlm:str,nRequestsUsed:num,nRequestsCap:num,nRequestsSurplus:num}',
  userRole: "{role:'missing'|'user'|'vault'}|{role:'agent',data:{user:hex}}|{role:'subAccount',data:{master:hex}}",
  userToMultiSigSigners: 'null|{authorizedUsers:hex[],threshold:num}',
  userTwapSliceFills: '({fill:SLICE_FILL,twapId:num})[]',
  userTwapSliceFillsByTime: '({fill:SLICE_FILL,twapId:num})[]',
  userVaultEquities: '{vaultAddress:hex,equity:str,lockedUntilTimestamp:num}[]',
  validatorL1Votes:
    "({expireTime:num,action:{D:str}|{C:str[]}|{O:{registerTokensAndStandaloneOutcome:{quoteToken:num,nameAndDescription:[str,str]}}|{registerTokensAndQuestion:{quoteToken:num,questionNameAndDescription:[str,str],fallbackNameAndDescription:[str,str],namedOutcomes:[str,str][]}}|{registerTemplate:{id:str,role:{standaloneOutcome:{sideNames:[str,str]}},nameAndDescription:[str,str],keywordToHint:([str,'string'|'dateTime'|'date'|'hlPerp'])[]}}|{settleOutcome:{outcome:num,settleFraction:str,details:str}}|{settleQuestion:{question:num,settleFractionsAndDetails:[num,[str,str]][]}}|{settleQuestion2:{question:num,outcomeSettlements:{outcome:num,settleFraction:str,details:str,nameAndDescription:[str,str],sideNames:[str,str]}[],nameAndDescription:[str,str]}}}|{E:{token:num,technicalStaker:hex,treasuryStaker:hex,treasuryEvmAddress:hex,evmRebalanceContract:hex}},votes:hex[],quorumReached:bool})[]",
  validatorSummaries:
    "({validator:hex,signer:hex,name:str,description:str,nRecentBlocks:num,stake:num,isJailed:bool,unjailableAfter:null|num,isActive:bool,commission:str,stats:[['day',{uptimeFraction:str,predictedApr:str,nSamples:num}],['week',{uptimeFraction:str,predictedApr:str,nSamples:num}],['month',{uptimeFraction:str,predictedApr:str,nSamples:num}]]})[]",
  vaultDetails:
    "{name:str,vaultAddress:hex,leader:hex,description:str,portfolio:[['day',PERIOD],['week',PERIOD],['month',PERIOD],['allTime',PERIOD],['perpDay',PERIOD],['perpWeek',PERIOD],['perpMonth',PERIOD],['perpAllTime',PERIOD]],apr:num,followerState:null|{user:hex,vaultEquity:str,pnl:str,allTimePnl:str,daysFollowing:num,vaultEntryTime:num,lockupUntil:num},leaderFraction:num,leaderCommission:num,followers:({user:hex|'Leader',vaultEquity:str,pnl:str,allTimePnl:str,daysFollowing:num,vaultEntryTime:num,lockupUntil:num})[],maxDistributable:num,maxWithdrawable:num,isClosed:bool,relationship:{type:'normal'|'child'}|{type:'parent',data:{childAddresses:hex[]}},allowDeposits:bool,alwaysCloseOnWithdraw:bool}",
  vaultSummaries:
    "({name:str,vaultAddress:hex,leader:hex,tvl:str,isClosed:bool,relationship:{type:'normal'|'child'}|{type:'parent',data:{childAddresses:hex[]}},createTimeMillis:num})[]",
  webData2:
    '{clearinghouseState:CLEARINGHOUSE_STATE,leadingVaults:{address:hex,name:str}[],totalVaultEquity:str,openOrders:(ORDER)[],agentAddress:null|hex,agentValidUntil:null|num,cumLedger:str,meta:META,assetCtxs:(ASSET_CTX)[],serverTime:num,isVault:bool,user:hex,twapStates:([num,TWAP_STATE])[],spotState?:SPOT_STATE,spotAssetCtxs:(SPOT_CTX)[],optOutOfSpotDusting?:true,perpsAtOpenInterestCap?:str[]}',
};

/** Data of stream messages by subscription type. */
export const STREAM_SHAPES: Readonly<Record<string, string>> = {
  activeAssetCtx: '{coin:str,ctx:ASSET_CTX}',
  activeAssetData: '{user:hex,coin:str,leverage:LEVERAGE,maxTradeSzs:[str,str],availableToTrade:[str,str],markPx:str}',
  activeSpotAssetCtx: '{coin:str,ctx:SPOT_CTX}',
  allDexsAssetCtxs: '{ctxs:([str,(ASSET_CTX)[]])[]}',
  allDexsClearinghouseState: '{user:hex,clearinghouseStates:([str,CLEARINGHOUSE_STATE])[]}',
  allMids: '{mids:{*:str},dex?:str}',
  assetCtxs: '{dex:str,ctxs:(ASSET_CTX)[]}',
  bbo: '{coin:str,time:num,bbo:[null|LEVEL,null|LEVEL]}',
  candle: '{t:num,T:num,s:str,i:INTERVAL,o:str,c:str,h:str,l:str,v:str,n:num}',
  clearinghouseState: '{dex:str,user:hex,clearinghouseState:CLEARINGHOUSE_STATE}',
  fastAssetCtxs: '{*:{markPx?:str,midPx?:null|str}}',
  l2Book: '{coin:str,time:num,levels:[LEVEL[],LEVEL[]],spread?:str,fast?:true}',
  notification: '{notification:str}',
  openOrders: '{dex:str,user:hex,orders:(ORDER)[]}',
  orderUpdates: '({order:OPEN_ORDER,status:ORDER_STATUS,statusTimestamp:num})[]',
  outcomeMetaUpdates:
    '{updates:({outcomeCreated:{outcome:num,name:str,description:str,sideSpecs:{name:str,token?:num}[],quoteToken:str}}|{outcomeSettled:{outcome:num}}|{questionUpdated:{question:num,name:str,description:str,fallbackOutcome:num,namedOutcomes:num[],settledNamedOutcomes:num[]}}|{questionSettled:{question:num}})[]}',
  spotAssetCtxs: '(SPOT_CTX)[]',
  spotState: '{user:hex,spotState:SPOT_STATE}',
  trades: "({coin:str,side:'B'|'A',px:str,sz:str,time:num,hash:hex,tid:num,users:[hex,hex]})[]",
  twapStates: '{dex:str,user:hex,states:([num,TWAP_STATE])[]}',
  userEvents:
    "{fills:(FILL)[]}|{funding:{time:num,coin:str,usdc:str,szi:str,fundingRate:str,nSamples:null|num}}|{liquidation:{lid:num,liquidator:hex,liquidated_user:hex,liquidated_ntl_pos:str,liquidated_account_value:str}}|{nonUserCancel:{coin:str,oid:num}[]}|{twapHistory:({time:num,state:TWAP_STATE,status:{status:'finished'|'activated'|'terminated'|'waitingForTrigger'|'stopped'}|{status:'error',description:str},twapId?:num})[]}|{twapSliceFills:({fill:SLICE_FILL,twapId:num})[]}",
  userFills: '{user:hex,fills:(FILL)[],isSnapshot?:true}',
  userFundings: '{user:hex,fundings:({time:num,coin:str,usdc:str,szi:str,fundingRate:str,nSamples:null|num})[],isSnapshot?:true}',
  userHistoricalOrders: '{user:hex,orderHistory:({order:ORDER,status:ORDER_STATUS,statusTimestamp:num})[],isSnapshot?:true}',
  userNonFundingLedgerUpdates: '{user:hex,nonFundingLedgerUpdates:({time:num,hash:hex,delta:LEDGER_DELTA})[],isSnapshot?:true}',
  userTwapHistory:
    "{user:hex,history:({time:num,state:TWAP_STATE,status:{status:'finished'|'activated'|'terminated'|'waitingForTrigger'|'stopped'}|{status:'error',description:str},twapId?:num})[],isSnapshot?:true}",
  userTwapSliceFills: '{user:hex,twapSliceFills:({fill:SLICE_FILL,twapId:num})[],isSnapshot?:true}',
  webData3:
    "{userState:{agentAddress:null|hex,agentValidUntil:null|num,cumLedger:str,serverTime:num,isVault:bool,user:hex,optOutOfSpotDusting?:true,dexAbstractionEnabled?:bool,abstraction?:'unifiedAccount'|'portfolioMargin'|'disabled'},perpDexStates:{totalVaultEquity:str,perpsAtOpenInterestCap?:str[],leadingVaults?:{address:hex,name:str}[]}[]}",
};

type Check = (value: unknown, at: string) => string | undefined;

const parsed = new Map<string, Check>();

/** Where and how a value does not have a shape; undefined: it has it. */
export function mismatch(value: unknown, shape: string): string | undefined {
  return checkOf(shape)(value, '');
}

function checkOf(shape: string): Check {
  const known = parsed.get(shape);
  if (known !== undefined) return known;
  const check = new ShapeParser(shape).all();
  parsed.set(shape, check);
  return check;
}

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);
const wrong = (at: string, wanted: string, value: unknown): string => `${at || 'the whole'}: ${wanted} expected, ${kindOf(value)} found`;
const isObject = (value: unknown): value is Record<string, unknown> => kindOf(value) === 'object';

const DECIMAL = /^-?\d+(\.\d+)?$/;
const PRIMITIVES: Readonly<Record<string, Check>> = {
  str: (value, at) => (typeof value === 'string' ? undefined : wrong(at, 'str', value)),
  num: (value, at) => (typeof value === 'number' && Number.isFinite(value) ? undefined : wrong(at, 'num', value)),
  bool: (value, at) => (typeof value === 'boolean' ? undefined : wrong(at, 'bool', value)),
  true: (value, at) => (value === true ? undefined : wrong(at, 'true', value)),
  null: (value, at) => (value === null ? undefined : wrong(at, 'null', value)),
  hex: (value, at) => (typeof value === 'string' && /^0x[0-9a-f]*$/.test(value) ? undefined : wrong(at, 'hex', value)),
  any: () => undefined,
};

/** Is it written as the protocol writes numbers: without exponent, without trailing zeros? */
export const isPlainDecimal = (text: string): boolean => DECIMAL.test(text) && !/\.\d*0$/.test(text) && !/^-?0\d/.test(text);

class ShapeParser {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  all(): Check {
    const check = this.union();
    assert(this.at === this.text.length, `a shape ends at ${this.at}: ${this.text.slice(this.at)}`);
    return check;
  }

  private is(token: string): boolean {
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  private union(): Check {
    const checks = [this.array()];
    while (this.is('|')) checks.push(this.array());
    const [only] = checks;
    if (checks.length === 1) return only as Check;
    return (value, at) => {
      const failures = checks.map((check) => check(value, at));
      if (failures.includes(undefined)) return undefined;
      // The one that went furthest says most.
      return failures.toSorted((a, b) => (b?.length ?? 0) - (a?.length ?? 0))[0];
    };
  }

  private array(): Check {
    let check = this.single();
    while (this.is('[]')) {
      const item = check;
      check = (value, at) => {
        if (!Array.isArray(value)) return wrong(at, 'array', value);
        for (const [index, entry] of value.entries()) {
          const failure = item(entry, `${at}[${index}]`);
          if (failure !== undefined) return failure;
        }
        return undefined;
      };
    }
    return check;
  }

  private single(): Check {
    if (this.is('(')) {
      const check = this.union();
      assert(this.is(')'), 'a bracket is closed');
      return check;
    }
    if (this.is('{')) return this.object();
    if (this.is('[')) return this.tuple();
    if (this.is("'")) {
      const end = this.text.indexOf("'", this.at);
      const literal = this.text.slice(this.at, end);
      this.at = end + 1;
      return (value, at) => (value === literal ? undefined : `${at}: '${literal}' expected, ${JSON.stringify(value)} found`);
    }
    const name = this.name();
    const primitive = PRIMITIVES[name];
    if (primitive !== undefined) return primitive;
    const shape = NAMED_SHAPES[name];
    assert(shape !== undefined, `there is no shape ${name}`);
    return (value, at) => checkOf(shape)(value, at);
  }

  private name(): string {
    const name = /^[A-Za-z_0-9]+/.exec(this.text.slice(this.at))?.[0] ?? '';
    this.at += name.length;
    return name;
  }

  private tuple(): Check {
    const checks = [this.union()];
    while (this.is(',')) checks.push(this.union());
    assert(this.is(']'), 'a tuple is closed');
    return (value, at) => {
      if (!Array.isArray(value)) return wrong(at, 'array', value);
      if (value.length !== checks.length) return `${at}: ${checks.length} entries expected, ${value.length} found`;
      for (const [index, check] of checks.entries()) {
        const failure = check(value[index], `${at}[${index}]`);
        if (failure !== undefined) return failure;
      }
      return undefined;
    };
  }

  private object(): Check {
    if (this.is('*:')) {
      const check = this.union();
      assert(this.is('}'), 'an object is closed');
      return (value, at) => {
        if (!isObject(value)) return wrong(at, 'object', value);
        return Object.entries(value)
          .map(([key, entry]) => check(entry, `${at}.${key}`))
          .find((failure) => failure !== undefined);
      };
    }
    const fields = new Map<string, { readonly optional: boolean; readonly check: Check }>();
    do {
      const key = this.name();
      const optional = this.is('?');
      assert(this.is(':'), `a key has a shape: ${this.text.slice(this.at)}`);
      fields.set(key, { optional, check: this.union() });
    } while (this.is(','));
    assert(this.is('}'), 'an object is closed');
    return (value, at) => {
      if (!isObject(value)) return wrong(at, 'object', value);
      const unknown = Object.keys(value).find((key) => !fields.has(key));
      if (unknown !== undefined) return `${at}.${unknown}: not a key of the shape`;
      for (const [key, { optional, check }] of fields) {
        if (!Object.hasOwn(value, key)) {
          if (!optional) return `${at}.${key}: missing`;
          continue;
        }
        const failure = check(value[key], `${at}.${key}`);
        if (failure !== undefined) return failure;
      }
      return undefined;
    };
  }
}
