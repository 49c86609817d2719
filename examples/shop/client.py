#!/usr/bin/env python3
"""A typed client of the shop. mypy and editors know the service from shop.pyi; the program itself needs RPyC alone.

    python3 examples/shop/client.py --port 18861
    MYPYPATH=examples/shop mypy --ignore-missing-imports examples/shop/client.py
"""
from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import rpyc

if TYPE_CHECKING:  # there is no module shop when the program runs
    from shop import Item, ShopService


def cheapest(root: ShopService) -> Item:
    return root.search(limit=1)[0]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=18861)
    options = parser.parse_args()

    conn = rpyc.connect(options.host, options.port)
    root: ShopService = conn.root
    root.add_item("cup", price=4)
    print("cheapest:", cheapest(root).name)
    print("three cups, 10%% off: %.2f" % root.search("cup")[0].total(3, discount=0.1))
    print(root.sell("Ann", ["tea", "pot"], paid="cash"))
    root.reprice(lambda price: price + 1)
    print("names:", ", ".join(root.names()))
    price = root.price_of(item_name="tea")
    if price is not None:  # mypy insists
        print("tea: %.2f" % price)
    mug = root.Item("mug")
    print("%s costs %.2f" % (mug.name, mug.price))
    try:
        root.search("cup", 1)  # type: ignore  # so says mypy, too
    except TypeError as error:
        print("TypeError:", str(error).splitlines()[0])
    print(root.add_item.__doc__)
    conn.close()


if __name__ == "__main__":
    main()
