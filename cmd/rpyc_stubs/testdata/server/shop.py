"""A shop whose data are dataclasses."""
import dataclasses
import datetime
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Dict, FrozenSet, List, Literal, NamedTuple, Optional, Set, Tuple, TypedDict

import rpyc


class Money(NamedTuple):
    amount: int
    currency: str = "EUR"

    def times(self, n: int) -> "Money":
        return self._replace(amount=self.amount * n)


class Line(TypedDict, total=False):
    sku: str
    count: int


@dataclass(frozen=True)
class Address:
    street: str
    city: str
    country: str = "DE"


@dataclass
class Person:
    name: str
    address: Optional[Address] = None
    born: Optional[datetime.date] = None


@dataclass(order=True)
class Product:
    """Something to buy."""
    rank: int
    sku: str = field(compare=False)
    price: Money = field(default=Money(100), compare=False)
    tags: Set[str] = field(default_factory=set, repr=False, compare=False)
    extra: Dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    count: ClassVar[int] = 0

    @property
    def label(self) -> str:
        return "%s (%d %s)" % (self.sku, self.price.amount, self.price.currency)

    def discounted(self, percent: float) -> "Product":
        return dataclasses.replace(self, price=Money(int(self.price.amount * (100 - percent) / 100)))


@dataclass
class Customer(Person):
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    orders: List["Order"] = field(default_factory=list)
    level: Literal["basic", "gold"] = "basic"

    def __post_init__(self):
        if not self.name:
            raise ValueError("a customer has a name")


@dataclass
class Order:
    customer: Customer
    lines: List[Tuple[Product, int]]
    at: datetime.datetime = field(default_factory=datetime.datetime.now)
    _: dataclasses.KW_ONLY
    paid: bool = False

    def __len__(self) -> int:
        return len(self.lines)

    def total(self) -> Money:
        return Money(sum(p.price.amount * n for p, n in self.lines))


class ShopService(rpyc.Service):
    exposed_Product = Product
    exposed_Money = Money
    exposed_Customer = Customer
    exposed_currencies: FrozenSet[str] = frozenset(["EUR", "USD"])

    def __init__(self):
        self.products: Dict[str, Product] = {}
        self.customers: Dict[str, Customer] = {}

    def exposed_add(self, product: Product) -> None:
        self.products[product.sku] = product

    def exposed_search(self, tags: Set[str] = frozenset(), *, limit: int = 10,
                       order: Literal["rank", "price"] = "rank") -> List[Product]:
        return sorted(p for p in self.products.values() if tags <= p.tags)[:limit]

    def exposed_order(self, customer: Customer, lines: List[Line]) -> Order:
        order = Order(customer, [(self.products[l["sku"]], l.get("count", 1)) for l in lines])
        customer.orders.append(order)
        return order

    def exposed_prices(self) -> Dict[str, Money]:
        return {sku: p.price for sku, p in self.products.items()}

    def exposed_cheapest(self) -> Optional[Tuple[str, Money]]:
        if not self.products:
            return None
        return min(((s, p.price) for s, p in self.products.items()), key=lambda pair: pair[1])

    def exposed_since(self, when: datetime.datetime, step: datetime.timedelta = datetime.timedelta(days=1)) -> List[Order]:
        return [o for c in self.customers.values() for o in c.orders if o.at >= when]

    def exposed_vat(self, amount: Decimal, rate: "Decimal" = Decimal("0.19")) -> Decimal:
        return amount * rate


def serve(port=18870):
    from rpyc.utils.server import ThreadedServer
    ThreadedServer(ShopService(), port=port, protocol_config={"allow_public_attrs": True, "allow_pickle": False}).start()


if __name__ == "__main__":
    serve()
