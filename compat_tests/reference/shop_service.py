#!/usr/bin/env python3
"""The shop as a CPython service: what examples/shop is in Go, for comparison, and what rpyc_stubs writes Go clients of.

    shop_service.py [--host HOST] [--port PORT] [--all-attrs] [--socket PATH]

Prints READY host port and serves until stdin ends. With --all-attrs, clients may read code objects and annotations.
"""
import argparse
import os
import sys
from typing import Callable, Dict, Iterable, Iterator, List, Optional

import rpyc
from rpyc.utils.server import ThreadedServer


class Item(object):
    """A thing that can be bought."""

    def __init__(self, name: str, price: float = 1.0):
        if price < 0:
            raise ValueError("a price cannot be negative")
        self.exposed_name = name
        self.exposed_price = float(price)

    def exposed_total(self, count: int = 1, *, discount: float = 0.0) -> float:
        """The price of some of them."""
        return count * self.exposed_price * (1 - discount)

    def __repr__(self):
        return "Item(%s)" % self.exposed_name


Item.__module__ = "shop"


class ShopService(rpyc.Service):
    """Sells things that have a price."""
    ALIASES = ["shop"]
    exposed_Item = Item
    exposed_limit = 100

    def __init__(self):
        self.items = [Item("tea", 2.5), Item("pot", 20)]

    def exposed_add_item(self, name: str, price: float = 1.0) -> Item:
        """Adds an item and returns it."""
        self.items.append(Item(name, price))
        return self.items[-1]

    def exposed_price_of(self, item_name: str) -> Optional[float]:
        """The price of the item with a name, None if there is none."""
        for item in self.items:
            if item.exposed_name == item_name:
                return item.exposed_price

    def exposed_search(self, text: str = '', /, *, limit: Optional[int] = None) -> List[Item]:
        """Finds the items whose names contain a text, cheapest first."""
        found = sorted((item for item in self.items if text in item.exposed_name), key=lambda item: item.exposed_price)
        return found if limit is None else found[:limit]

    def exposed_sell(self, customer: str, names: Iterable[str], **options) -> str:
        """Sells items by their names; options are printed on the bill."""
        total = 0.0
        for name in names:
            price = self.exposed_price_of(name)
            if price is None:
                raise KeyError(name)
            total += price
        return "".join(["%s pays %.2f" % (customer, total)] + [", %s=%s" % pair for pair in options.items()])

    def exposed_prices(self) -> Dict[str, float]:
        """Gives prices by name."""
        return {item.exposed_name: item.exposed_price for item in self.items}

    def exposed_names(self) -> Iterator[str]:
        """Gives the names of the items, one after the other."""
        for item in self.items:
            yield item.exposed_name

    def exposed_reprice(self, change: Callable[[float], float]) -> None:
        """Changes every price to what a function of the client's makes of it."""
        for item in self.items:
            item.exposed_price = change(item.exposed_price)

    def exposed_greatest(self, first: float, *others: float) -> float:
        """The greatest of some numbers."""
        return float(max((first,) + others))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--socket")
    parser.add_argument("--all-attrs", action="store_true")
    options = parser.parse_args()
    where = {"socket_path": options.socket} if options.socket else {"hostname": options.host, "port": options.port}
    server = ThreadedServer(ShopService, protocol_config={"allow_all_attrs": options.all_attrs}, **where)
    server._start_in_thread()  # returns once the socket listens
    print("READY", options.host, 0 if options.socket else server.port, flush=True)
    sys.stdin.read()
    os._exit(0)  # connections still open must not keep the process


if __name__ == "__main__":
    main()
