"""The Python SDK against a node: prints a line of JSON for each check. Arguments: the node's URL, then private keys of funded accounts."""

import json
import sys
import threading
import time

import eth_account
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info
from hyperliquid.utils.types import Cloid

URL, KEYS = sys.argv[1], sys.argv[2:]
WALLETS = [eth_account.Account.from_key(key) for key in KEYS]
GTC, IOC, ALO = ({"limit": {"tif": tif}} for tif in ("Gtc", "Ioc", "Alo"))
STREAM_SECONDS = 15


def check(name, action):
    try:
        value = action()
        print(json.dumps({"name": name, "outcome": "passed", "detail": ""}), flush=True)
        return value
    except Exception as error:  # pylint: disable=broad-except
        detail = f"{type(error).__name__}: {error}"
        print(json.dumps({"name": name, "outcome": "failed", "detail": detail[:300]}), flush=True)
        return None


def ok(answer):
    assert answer["status"] == "ok", answer
    return answer


def resting(answer, index=0):
    return ok(answer)["response"]["data"]["statuses"][index]["resting"]["oid"]


def filled(answer):
    return ok(answer)["response"]["data"]["statuses"][0]["filled"]


def refused(words, answer):
    text = json.dumps(answer)
    assert words in text, text


exchange = Exchange(WALLETS[0], base_url=URL)
info = Info(URL)
user = WALLETS[0].address
other = WALLETS[1].address


def trading():
    oid = check("order: good till cancelled", lambda: resting(exchange.order("SOL", True, 1, 100, GTC)))
    check("order_status", lambda: info.query_order_by_oid(user, oid)["order"]["status"] == "open" or 1 / 0)
    moved = check("modify_order", lambda: resting(exchange.modify_order(oid, "SOL", True, 2, 101, GTC)))
    check("cancel", lambda: ok(exchange.cancel("SOL", moved)))
    cloid = Cloid.from_str("0x7c0ffee0000000000000000000000a12")
    check("order with client id", lambda: resting(exchange.order("SOL", True, 1, 100, GTC, cloid=cloid)))
    check("order_status by client id", lambda: info.query_order_by_cloid(user, cloid)["order"]["order"]["oid"])
    check("cancel_by_cloid", lambda: ok(exchange.cancel_by_cloid("SOL", cloid)))
    check("bulk_orders", lambda: resting(exchange.bulk_orders([
        {"coin": "SOL", "is_buy": True, "sz": 1, "limit_px": 100, "order_type": ALO, "reduce_only": False},
        {"coin": "BTC", "is_buy": True, "sz": 0.001, "limit_px": 50000, "order_type": GTC, "reduce_only": False},
    ]), 1))
    check("market_open", lambda: filled(exchange.market_open("SOL", True, 5, None, 0.02))["avgPx"])
    check("position", lambda: float([p for p in info.user_state(user)["assetPositions"] if p["position"]["coin"] == "SOL"][0]["position"]["szi"]) == 5 or 1 / 0)
    check("take profit", lambda: resting(exchange.order("SOL", False, 5, 300, {"trigger": {"isMarket": True, "triggerPx": 300, "tpsl": "tp"}}, reduce_only=True)))
    check("stop loss, limit", lambda: resting(exchange.order("SOL", False, 5, 90, {"trigger": {"isMarket": False, "triggerPx": 95, "tpsl": "sl"}}, reduce_only=True)))
    check("market_close", lambda: filled(exchange.market_close("SOL"))["totalSz"])
    check("refused: post only", lambda: refused("Post only order would have immediately matched", exchange.order("SOL", True, 1, 180, ALO)))
    check("refused: no match", lambda: refused("could not immediately match", exchange.order("SOL", True, 1, 100, IOC)))
    check("update_leverage", lambda: ok(exchange.update_leverage(5, "AVAX", False)))
    check("isolated position", lambda: filled(exchange.market_open("AVAX", True, 10, None, 0.05)))
    check("update_isolated_margin", lambda: ok(exchange.update_isolated_margin(10, "AVAX")))
    check("schedule_cancel", lambda: ok(exchange.schedule_cancel(int(time.time() * 1000) + 60_000)) and ok(exchange.schedule_cancel(None)))
    check("expires_after", lambda: (exchange.set_expires_after(int(time.time() * 1000) + 60_000), resting(exchange.order("SOL", True, 1, 100, GTC)), exchange.set_expires_after(None)))
    check("noop", lambda: ok(exchange.noop(int(time.time() * 1000))))


def accounts():
    check("usd_transfer", lambda: ok(exchange.usd_transfer(5, other)))
    check("usd_class_transfer", lambda: ok(exchange.usd_class_transfer(5, False)) and ok(exchange.usd_class_transfer(5, True)))
    check("withdraw_from_bridge", lambda: ok(exchange.withdraw_from_bridge(5, other)))
    sub = check("create_sub_account", lambda: ok(exchange.create_sub_account("third"))["response"]["data"])
    check("query_sub_accounts: its name", lambda: next(of for of in info.query_sub_accounts(user) if of["subAccountUser"] == sub and of["name"] == "third"))
    check("sub_account_transfer", lambda: ok(exchange.sub_account_transfer(sub, True, 1_000_000_000)))
    check("order of a sub-account", lambda: resting(Exchange(WALLETS[0], base_url=URL, vault_address=sub).order("SOL", True, 1, 100, GTC)))

    def agent():
        answer, key = exchange.approve_agent("python")
        ok(answer)
        resting(Exchange(eth_account.Account.from_key(key), base_url=URL, account_address=user).order("SOL", True, 1, 100, GTC))

    check("approve_agent and trade with it", agent)
    check("approve_builder_fee", lambda: ok(exchange.approve_builder_fee(other, "0.01%")))
    check("order with builder", lambda: filled(exchange.market_open("SOL", True, 1, None, 0.05, builder={"b": other, "f": 10})))
    check("set_referrer that is not there", lambda: refused("Referral code does not exist", exchange.set_referrer("NOBODY")))


def information():
    calls = {
        "user_state": lambda: info.user_state(user),
        "spot_user_state": lambda: info.spot_user_state(user),
        "open_orders": lambda: info.open_orders(user),
        "frontend_open_orders": lambda: info.frontend_open_orders(user),
        "all_mids": info.all_mids,
        "user_fills": lambda: info.user_fills(user),
        "user_fills_by_time": lambda: info.user_fills_by_time(user, 0),
        "meta_and_asset_ctxs": info.meta_and_asset_ctxs,
        "spot_meta_and_asset_ctxs": info.spot_meta_and_asset_ctxs,
        "funding_history": lambda: info.funding_history("BTC", 0),
        "user_funding_history": lambda: info.user_funding_history(user, 0),
        "l2_snapshot": lambda: info.l2_snapshot("BTC"),
        "candles_snapshot": lambda: info.candles_snapshot("BTC", "1m", 0, int(time.time() * 1000)),
        "user_fees": lambda: info.user_fees(user),
        "user_staking_summary": lambda: info.user_staking_summary(user),
        "query_referral_state": lambda: info.query_referral_state(user),
        "query_sub_accounts": lambda: info.query_sub_accounts(user),
        "historical_orders": lambda: info.historical_orders(user),
        "user_non_funding_ledger_updates": lambda: info.user_non_funding_ledger_updates(user, 0),
        "portfolio": lambda: info.portfolio(user),
        "user_twap_slice_fills": lambda: info.user_twap_slice_fills(user),
        "user_vault_equities": lambda: info.user_vault_equities(user),
        "user_role": lambda: info.user_role(user),
        "user_rate_limit": lambda: info.user_rate_limit(user),
        "extra_agents": lambda: info.extra_agents(user),
        "perp_dexs": info.perp_dexs,
    }
    for name, call in calls.items():
        check(f"info {name}", call)


def streams():
    subscriptions = [
        {"type": "allMids"},
        {"type": "l2Book", "coin": "BTC"},
        {"type": "trades", "coin": "BTC"},
        {"type": "bbo", "coin": "BTC"},
        {"type": "candle", "coin": "BTC", "interval": "1m"},
        {"type": "activeAssetCtx", "coin": "BTC"},
        {"type": "activeAssetData", "user": user, "coin": "BTC"},
        {"type": "userFills", "user": user},
        {"type": "userFundings", "user": user},
        {"type": "userNonFundingLedgerUpdates", "user": user},
        {"type": "webData2", "user": user},
        {"type": "orderUpdates", "user": user},
        {"type": "userEvents", "user": user},
    ]
    seen = {subscription["type"]: threading.Event() for subscription in subscriptions}
    for subscription in subscriptions:
        info.subscribe(subscription, lambda message, name=subscription["type"]: seen[name].set())
    time.sleep(1)
    exchange.market_open("BTC", True, 0.01, None, 0.05)
    for name, event in seen.items():
        check(f"stream {name}", lambda event=event: event.wait(STREAM_SECONDS) or 1 / 0)
    info.disconnect_websocket()


trading()
accounts()
information()
streams()
