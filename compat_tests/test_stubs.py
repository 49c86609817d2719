"""What rpyc_stubs writes: Go services with Python's names and TypeErrors, stubs for mypy, Go clients of Python
services.

The shop is the example: examples/shop in Go, with generated files beside it, and reference/shop_service.py in Python.
"""
import importlib.util
import inspect
import json
import os
import pydoc
import re
import shutil
import subprocess
import sys

import pytest
import rpyc

from describe import RPYC
from conftest import selected, watched
from harness import HERE, REPO, PeerError, Server

pytestmark = pytest.mark.once

SHOP = os.path.join(REPO, "examples", "shop")
TWIN = os.path.join(HERE, "reference", "shop_service.py")


def start_twin(request, *options):
    server = watched(request, Server("cpython", [sys.executable, TWIN] + list(options)))
    request.addfinalizer(server.stop)
    return server


def start_shop(request, peers, kind, *options):
    if kind == "cpython":
        return start_twin(request, *options)
    server = watched(request, Server("go", [peers.binaries.path("shop"), "--port", "0", "--until-eof"] + list(options)))
    request.addfinalizer(server.stop)
    return server


@pytest.fixture
def shop(request, peers, kind):
    conn = rpyc.connect("127.0.0.1", start_shop(request, peers, kind).port)
    yield conn.root
    conn.close()


# Calls, right and wrong ones, as source: each is evaluated with both kinds of service, which must agree.
CALLS = """
r.add_item('cup').price
r.add_item(name='cup', price=3).price
r.add_item('cup', price=3).name
r.add_item(price=3)
r.add_item()
r.add_item('a', 1, 2)
r.add_item('a', name='b')
r.add_item('a', cost=2)
r.add_item('a', -1)
r.price_of(item_name='tea')
r.price_of('none')
r.price_of(itemName='tea')
[i.name for i in r.search()]
[i.name for i in r.search('p', limit=1)]
[i.name for i in r.search(limit=1)]
r.search('p', 1)
r.search(text='p')
r.search('p', limit=1, order=2)
r.search()[0].total()
r.search()[0].total(2)
r.search()[0].total(count=2, discount=0.5)
r.search()[0].total(2, 0.5)
r.search()[0].total(discount=0.5, rebate=1)
r.sell('Ann', ['tea'])
r.sell('Ann', names=['tea', 'pot'], paid='cash')
r.sell(names=['tea'])
r.sell('Ann', ['milk'])
r.sell('Ann', ['tea'], 'cash')
r.greatest(1)
r.greatest(1, 5, 3)
r.greatest()
r.greatest(first=2)
r.greatest(others=2)
r.prices()['tea']
list(r.names())
r.names(1)
r.Item('x').price
r.Item('x', price=2).total(count=3)
r.Item()
r.Item('x', 1, 2)
r.Item('x', prize=1)
r.Item('x', -1)
r.reprice(lambda price: price + 1)
r.reprice(change=lambda price: price + 1)
r.limit
r.audit
r.add_item.__doc__
r.search.__doc__
r.Item.__doc__
r.search()[0].total.__doc__
r.__doc__
""".strip().splitlines()


def outcome(root, call):
    try:
        return repr(eval(call, {"r": root}))  # noqa: the calls stand above
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        # rpyc appends the remote traceback to str(); what was said is in args
        return "%s: %s" % (type(error).__name__, error.args[0] if error.args else "")


def test_calls(request, peers, kind):
    """Every call does in both services what it does in this Python: values, and the words of the errors."""
    twin, other = start_twin(request), start_shop(request, peers, kind)
    found = []
    # Python 3.8 and 3.9 name functions without their class, 3.13 makes suggestions.
    exact = (3, 10) <= sys.version_info[:2] <= (3, 12)
    for call in CALLS:
        pair = []
        for port in (twin.port, other.port):
            conn = rpyc.connect("127.0.0.1", port)
            pair.append(outcome(conn.root, call))
            conn.close()
        if not exact and "Error: " in pair[0]:
            pair = [text.split(":")[0] for text in pair]
        if "has no attribute" in pair[0] or "cannot access" in pair[0]:
            pair = [text.split(":")[0] for text in pair]
        if pair[0] != pair[1]:
            found.append("%s\n    CPython %s\n    %-7s %s" % (call, pair[0], kind, pair[1]))
    assert not found, "\n".join(found)


def test_inspect(request, peers, kind):
    """inspect and help() tell the same of both. They need all attributes, of CPython too."""
    if RPYC < (5,) and sys.version_info[:2] not in ((3, 11), (3, 12)):
        pytest.skip("only Python 3.11 and 3.12 take the proxies of RPyC 4.1 for methods, of whatever server")
    told = []
    for port in (start_twin(request, "--all-attrs").port, start_shop(request, peers, kind, "--all-attrs").port):
        conn = rpyc.connect("127.0.0.1", port)
        of = {}
        for name in ("add_item", "price_of", "search", "sell", "greatest", "names"):
            method = getattr(conn.root, name)
            parameters = inspect.signature(method).parameters.values()
            code = method.__code__
            shown = pydoc.plain(pydoc.render_doc(method))  # what help() prints, annotations and classes aside
            of[name] = ([(p.name, str(p.kind), p.default) for p in parameters], inspect.getdoc(method), method.__name__,
                        code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & 0x0c,
                        code.co_varnames[:code.co_argcount + code.co_kwonlyargcount], code.co_name,
                        method.__defaults__, method.__kwdefaults__ and sorted((k, method.__kwdefaults__[k])
                                                                              for k in method.__kwdefaults__),
                        shown.splitlines()[0], shown.splitlines()[2].split("(")[0])
        told.append(of)
        conn.close()
    if RPYC >= (5,):  # the proxies of 4.1 say *args for everything
        assert [p[0] for p in told[0]["search"][0]] == ["text", "limit"]
    assert told[0] == told[1]


def test_names(shop):
    """The service has the names its source gives it."""
    assert shop.get_service_name() == "SHOP"
    assert tuple(shop.get_service_aliases()) == ("SHOP",)
    names = dir(shop)
    assert "exposed_price_of" in names and "exposed_Item" in names and "exposed_audit" not in names


def test_example_client(request, peers, kind):
    """The typed client program of the example runs, whatever is at the other end."""
    server = start_shop(request, peers, kind)
    done = subprocess.run([sys.executable, os.path.join(SHOP, "client.py"), "--port", str(server.port)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    lines = done.stdout.decode().splitlines()
    assert lines[:6] == [
        "cheapest: tea",
        "three cups, 10% off: 10.80",
        "Ann pays 22.50, paid=cash",
        "names: tea, pot, cup",
        "tea: 3.50",
        "mug costs 1.00",
    ]
    assert re.match(r"TypeError: .*search\(\) takes from 1 to 2 positional arguments but 3 were given", lines[6])
    assert lines[7:] == ["Adds an item and returns it."]


# mypy.

@pytest.fixture(scope="module")
def mypy(tmp_path_factory):
    """mypy(program) -> the messages about it, with shop.pyi on the path."""
    if importlib.util.find_spec("mypy") is None:
        if os.environ.get("GORPYC_MYPY"):
            pytest.fail("mypy was asked for (GORPYC_MYPY) and is not installed")
        pytest.skip("NOT CHECKED: mypy is not installed here; tox installs it")
    directory = tmp_path_factory.mktemp("mypy")

    def check(program):
        path = directory / "program.py"
        if os.path.exists(program):
            path = program
        else:
            path.write_text(program)
        environment = dict(os.environ, MYPYPATH=SHOP, MYPY_CACHE_DIR=str(directory / "cache"))
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "--no-error-summary",
             "--show-error-codes", str(path)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=str(directory), timeout=300)
        assert done.returncode in (0, 1) and not done.stderr, done.stderr.decode()
        return done.stdout.decode().splitlines()

    return check


TYPED = """\
from __future__ import annotations
from typing import TYPE_CHECKING, cast, List, Optional
import rpyc
if TYPE_CHECKING:
    from shop import Item, ShopService, async_
else:
    from rpyc import async_

def use(root: ShopService) -> None:
    %s
"""

RIGHT = """
x: float = root.add_item("a", 2).price
x = root.add_item(name="a", price=2.5).total(2, discount=0.1)
y: Optional[float] = root.price_of(item_name="tea")
z: List[Item] = root.search("p", limit=None)
s: str = root.sell("Ann", (n for n in ["tea"]), paid="cash", when=3)
n: List[str] = [name.upper() for name in root.names()]
p = {k.upper(): v + 1 for k, v in root.prices().items()}
root.reprice(lambda price: price + 1)
i: Item = root.Item("x", price=1)
g: float = root.greatest(1, 2.5, 3)
a: float = async_(root.greatest)(1, 2.5).value
b: List[Item] = async_(root.search)("p", limit=2).value
l: int = root.limit
""".strip().splitlines()

WRONG = {
    'root.add_item()': "call-arg",
    'root.add_item(1)': "arg-type",
    'root.add_item("a", cost=1)': "call-arg",
    'root.add_items("a")': "attr-defined",
    'x: int = root.add_item("a").price': "assignment",
    'w: float = root.price_of("a")': "assignment",
    'root.price_of("a") + 1': "operator",
    'root.search(text="p")': "call-arg",
    'root.search("p", 1)': "misc|call-arg",
    'root.search("p")[0].nope': "attr-defined",
    'root.reprice(lambda price: str(price))': "arg-type|return-value",
    'root.Item("x").total(1, 0.5)': "misc|call-arg",
    'root.Item(1)': "arg-type",
    'root.limit = 3': "misc",
    'root.audit()': "attr-defined",
    'async_(root.greatest)("a")': "arg-type",
    'c: str = async_(root.greatest)(1).value': "assignment",
    'for n in root.names(): n + 1': "operator",
}


@pytest.mark.seconds(400)
def test_mypy(mypy):
    assert mypy(TYPED % "\n    ".join(RIGHT)) == []
    lines = list(WRONG)
    program = TYPED % "\n    ".join(lines)
    first = program.splitlines().index("    " + lines[0]) + 1
    found = {}
    for message in mypy(program):
        match = re.match(r".*?:(\d+): error: .*\[([\w-]+)\]$", message)
        if match:
            found.setdefault(int(match.group(1)) - first, set()).add(match.group(2))
    missed = {line: sorted(found.get(i, ())) for i, line in enumerate(lines)
              if not found.get(i, set()) & set(WRONG[line].split("|"))}
    assert not missed
    assert set(found) == set(range(len(lines)))


@pytest.mark.seconds(400)
def test_mypy_of_the_example(mypy):
    assert mypy(os.path.join(SHOP, "client.py")) == []
    assert mypy(os.path.join(SHOP, "shop.pyi")) == []


@pytest.mark.seconds(400)
@pytest.mark.parametrize("package", ["cmd/rpyc_stubs/testdata/kinds", "cmd/rpyc_stubs/testdata/registered",
                                     "compat_tests/peers/behaviour", "examples/calculator/server"])
def test_mypy_of_other_packages(mypy, peers, request, tmp_path, package):
    """The first has everything that has a type of its own in a stub: see the Go tests of rpyc_stubs."""
    if "go" not in selected(request.config):
        pytest.skip("Go was not asked for")
    stub = tmp_path / "stub.pyi"
    done = subprocess.run([peers.binaries.path("rpyc_stubs"), "pyi", "-o", str(stub), "./" + package], cwd=REPO,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    assert done.returncode == 0, done.stdout.decode()
    assert mypy(str(stub)) == []


# Generated Go clients.

CLIENT_MAIN = r'''package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/gorpyc/gorpyc/protocol"
)

func main() {
	ctx := context.Background()
	conn, err := protocol.Dial(ctx, "tcp", os.Args[1], nil)
	check(err)
	shop := NewShop(conn.Root())
	out := map[string]any{}
	use(ctx, shop, out)
	check(conn.Close())
	check(json.NewEncoder(os.Stdout).Encode(out))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
'''

TYPED_MAIN = r'''package main

import (
	"context"
	"sort"

	"github.com/gorpyc/gorpyc/netref"
)

func use(ctx context.Context, shop *Shop, out map[string]any) {
	item, err := shop.AddItem(ctx, "cup", netref.Kw("price", 4))
	check(err)
	out["name"], err = netref.Get[string](ctx, item.Object(), "name")
	check(err)
	out["total"], err = item.Total(ctx, netref.Kw("count", 2), netref.Kw("discount", 0.5))
	check(err)
	var price *float64
	price, err = shop.PriceOf(ctx, "tea")
	check(err)
	out["price"] = *price
	price, err = shop.PriceOf(ctx, "none")
	check(err)
	out["none"] = price == nil
	var found []*Item
	found, err = shop.Search(ctx, "p", netref.Kw("limit", 2))
	check(err)
	out["found"] = len(found)
	out["cheapest"], err = found[0].Total(ctx)
	check(err)
	var bill string
	bill, err = shop.Sell(ctx, "Ann", []string{"tea", "pot"}, netref.Kw("paid", "cash"))
	check(err)
	out["bill"] = bill
	var prices map[string]float64
	prices, err = shop.Prices(ctx)
	check(err)
	out["cup"] = prices["cup"]
	err = shop.Reprice(ctx, func(_ context.Context, price float64) (float64, error) { return price * 2, nil })
	check(err)
	names, err := shop.Names(ctx)
	check(err)
	var all []string
	for name, err := range names {
		check(err)
		all = append(all, name)
	}
	sort.Strings(all)
	out["names"] = all
	var greatest float64
	greatest, err = shop.Greatest(ctx, 1, 7, 3)
	check(err)
	out["greatest"] = greatest
	limit, err := shop.Limit(ctx)
	check(err)
	out["limit"] = limit
}
'''

UNTYPED_MAIN = r'''package main

import (
	"context"

	"github.com/gorpyc/gorpyc/netref"
)

func use(ctx context.Context, shop *Shop, out map[string]any) {
	var err error
	out["price"], err = shop.PriceOf(ctx, netref.Kw("item_name", "tea"))
	check(err)
}
'''


def generate(peers, *options):
    done = subprocess.run([peers.binaries.path("rpyc_stubs"), "client"] + [str(option) for option in options],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def build(tmp_path, files):
    """Vets and builds a program in a module of its own that uses this one."""
    module = tmp_path / "module"
    module.mkdir()
    for name, text in files.items():
        (module / name).write_text(text, encoding="utf-8")
    with open(os.path.join(REPO, "go.mod")) as f:
        version = re.search(r"^go (\S+)$", f.read(), re.M).group(1)
    (module / "go.mod").write_text("module generated\n\ngo %s\n\nrequire github.com/gorpyc/gorpyc v0.0.0\n\n"
                                   "replace github.com/gorpyc/gorpyc => %s\n" % (version, json.dumps(REPO)))
    shutil.copy(os.path.join(REPO, "go.sum"), str(module / "go.sum"))
    binary = tmp_path / "client"
    for command in (["vet", "-mod=mod"], ["build", "-mod=mod", "-o", str(binary)]):
        done = subprocess.run(["go"] + command + ["."], cwd=str(module),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
        if done.returncode:
            raise PeerError("go %s:\n%s" % (command[0], done.stdout.decode()))
    return str(binary)


def run_client(binary, *arguments):
    done = subprocess.run([binary] + list(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout.decode())


needs_go = pytest.mark.seconds(600)


@needs_go
def test_client_of_a_stub(request, peers, tmp_path):
    """Go service, Python stub, Go client: the types survive both ways."""
    if "go" not in selected(request.config):
        pytest.skip("Go was not asked for")
    text = generate(peers, "--source", os.path.join(SHOP, "shop.pyi"), "--class", "ShopService", "--type", "Shop")
    binary = build(tmp_path, {"shop.go": text, "main.go": CLIENT_MAIN, "use.go": TYPED_MAIN})
    shop = start_shop(request, peers, "go")
    assert run_client(binary, "127.0.0.1:%d" % shop.port)["bill"] == "Ann pays 22.50, paid=cash"


@needs_go
def test_typed_client(request, peers, tmp_path):
    """A client written of a live CPython service with annotations, used with that service and with the Go one."""
    if "go" not in selected(request.config):
        pytest.skip("Go was not asked for")
    twin = start_twin(request, "--all-attrs")
    text = generate(peers, "--host", "127.0.0.1", "--port", twin.port)
    assert "// The price of the item with a name, None if there is none." in text
    binary = build(tmp_path, {"shop.go": text, "main.go": CLIENT_MAIN, "use.go": TYPED_MAIN})
    for port in (twin.port, start_shop(request, peers, "go").port):
        assert run_client(binary, "127.0.0.1:%d" % port) == {
            "name": "cup", "price": 2.5, "none": True, "found": 2, "bill": "Ann pays 22.50, paid=cash", "cup": 4,
            "names": ["cup", "pot", "tea"], "greatest": 7, "limit": 100, "total": 4, "cheapest": 4,
        }
    # What the source says is what the live service says. RPyC before 6 counts a class among the methods.
    source = generate(peers, "--source", TWIN, "--class", "ShopService")
    methods = re.compile(r"^func (?!\(s \*Shop\) Item\().*", re.M)
    assert methods.findall(source) == methods.findall(text)
    again = generate(peers, "--host", "127.0.0.1", "--port", twin.port)
    assert again == text, "the output is the same every time"


PARTS = """\
from __future__ import annotations

import datetime
from typing import Iterator, Optional

import rpyc


class Named:
    def exposed_name(self) -> str:
        return self.called


class Maker(Named):
    \"\"\"Makes parts.\"\"\"
    called = "Ann"

    @property
    def exposed_since(self) -> datetime.date:
        return datetime.date(1999, 12, 31)


class Part(Named):
    def __init__(self, name: str, maker: Optional[Maker] = None):
        self.called, self.made_by = name, maker

    def exposed_maker(self) -> Optional[Maker]:
        return self.made_by

    def exposed_made(self) -> datetime.datetime:
        return datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)

    def exposed_age(self) -> datetime.timedelta:
        return datetime.timedelta(hours=36)


class PartsService(rpyc.Service):
    parts = [Part("cup", Maker()), Part("lid")]

    def exposed_all(self) -> list[Part]:
        return self.parts

    def exposed_by_name(self) -> dict[str, list[Part]]:
        return {part.called: [part] for part in self.parts}

    def exposed_each(self) -> Iterator[Part]:
        return iter(self.parts)

    def exposed_find(self, name: str) -> Part | None:
        return next((part for part in self.parts if part.called == name), None)

    def exposed_same(self, a: Part, b: Optional[Part]) -> bool:
        return a is b

    def exposed_together(self, parts: list[Part]) -> str:
        return " ".join(part.called for part in parts)

    def exposed_nobody(self, who: Optional[Part]) -> bool:
        return who is None
"""

PARTS_MAIN = r'''package main

import (
	"context"
	"time"

	"github.com/gorpyc/gorpyc/netref"
)

func use(ctx context.Context, parts *Parts, out map[string]any) {
	all, err := parts.All(ctx)
	check(err)
	var first *Part = all[0]
	maker, err := first.Maker(ctx)
	check(err)
	out["maker"], err = maker.Name(ctx)
	check(err)
	since, err := maker.Since(ctx)
	check(err)
	out["since"] = since.Format(time.DateOnly)
	none, err := all[1].Maker(ctx)
	check(err)
	out["none"] = none == nil
	byName, err := parts.ByName(ctx)
	check(err)
	made, err := byName["lid"][0].Made(ctx)
	check(err)
	out["made"] = made.Format(time.RFC3339)
	age, err := first.Age(ctx)
	check(err)
	out["age"] = age.String()
	each, err := parts.Each(ctx)
	check(err)
	var names []string
	for part, err := range each {
		check(err)
		name, err := part.Name(ctx)
		check(err)
		names = append(names, name)
	}
	out["names"] = names
	cup, err := parts.Find(ctx, "cup")
	check(err)
	out["same"], err = parts.Same(ctx, first, cup)
	check(err)
	out["together"], err = parts.Together(ctx, []*netref.Object{cup.Object(), first.Object()})
	check(err)
	gone, err := parts.Find(ctx, "gone")
	check(err)
	out["nobody"], err = parts.Nobody(ctx, gone)
	check(err)
}
'''


@needs_go
def test_classes_of_a_client(request, peers, tmp_path, run_program):
    """Objects that a service gives out are of types of their own, read from the source and from the live service."""
    if "go" not in selected(request.config):
        pytest.skip("Go was not asked for")
    (tmp_path / "parts.py").write_text(PARTS)
    serve = PARTS + """
if __name__ == "__main__":
    import sys
    from rpyc.utils.server import ThreadedServer
    server = ThreadedServer(PartsService, hostname="127.0.0.1", port=0, protocol_config={"allow_all_attrs": True})
    server._start_in_thread()
    print("READY", server.port, flush=True)
    sys.stdin.read()
"""
    port = run_program("parts", [sys.executable, "-c", serve]).line().split()[1]
    text = generate(peers, "--source", tmp_path / "parts.py", "--class", "PartsService", "--package", "main")
    live = generate(peers, "--host", "127.0.0.1", "--port", port, "--package", "main")
    signatures = re.compile(r"^(?:func|type) .*", re.M)
    assert sorted(signatures.findall(live)) == sorted(signatures.findall(text))
    binary = build(tmp_path, {"parts.go": text, "use.go": PARTS_MAIN,
                              "main.go": CLIENT_MAIN.replace("NewShop", "NewParts")})
    assert run_client(binary, "127.0.0.1:" + port) == {
        "maker": "Ann", "since": "1999-12-31", "none": True, "made": "2020-01-02T03:04:05Z", "age": "36h0m0s",
        "names": ["cup", "lid"], "same": True, "nobody": True, "together": "cup cup",
    }


@needs_go
def test_untyped_client(request, peers, tmp_path):
    """A stock service tells names and documentation alone."""
    if "go" not in selected(request.config):
        pytest.skip("Go was not asked for")
    path = str(tmp_path / "shop.sock")
    start_twin(request, "--socket", path)
    text = generate(peers, "--unix", path, "--package", "main", "--type", "Shop")
    assert "func (s *Shop) PriceOf(ctx context.Context, args ...any) (any, error)" in text
    assert "The service does not tell its parameters" in text
    binary = build(tmp_path, {"shop.go": text, "main.go": CLIENT_MAIN, "use.go": UNTYPED_MAIN})
    for server in (start_twin(request), start_shop(request, peers, "go")):
        assert run_client(binary, "127.0.0.1:%d" % server.port) == {"price": 2.5}
