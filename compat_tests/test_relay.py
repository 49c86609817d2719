"""Objects of one client handed to another one through a server in the middle, which is CPython's or Go's."""
import types

import pytest
import rpyc

from describe import RPYC
from harness import Server, serving_here, serving_thread

pytestmark = pytest.mark.skipif(RPYC < (5,), reason="RPyC 4 itself fails to do most of this")

OPEN = {"allow_public_attrs": True, "allow_all_attrs": True}


class Middle(rpyc.Service):
    store = {}

    def exposed_keep(self, name, value):
        self.store[name] = value

    def exposed_kept(self, name):
        return self.store[name]

    def exposed_drop(self, name):
        del self.store[name]


@pytest.fixture(scope="module")
def middle(request, kind, peers):
    if kind == "go":
        server = Server("kinds", [peers.binaries.path("kinds")])
        yield server.host, server.port
        server.stop()
        return
    with serving_here(Middle, **OPEN) as address:
        yield address


@pytest.fixture
def ends(middle):
    """The two clients: one that has the objects, and serves them, and one that uses them."""
    giver, user = rpyc.connect(*middle, config=OPEN), rpyc.connect(*middle, config=OPEN)
    thread = serving_thread(giver)
    yield giver.root, user.root
    user.close()
    thread.stop()
    giver.close()


class Shape:
    def area(self):
        return 6


class Square(Shape):
    pass


MADE = {}
exec("class Local:\n    def name(self):\n        return 'local'\nclass Other: pass", MADE)  # of no module to be found

USES = {
    "list": (lambda: [1, 2], lambda x: (isinstance(x, list), isinstance(x, tuple), list(x), len(x))),
    "dict": (lambda: {"a": 1}, lambda x: (isinstance(x, dict), x["a"], sorted(x))),
    "set": (lambda: {1}, lambda x: (isinstance(x, set), isinstance(x, frozenset), 1 in x)),
    "function": (lambda: lambda n: n + 1, lambda x: (isinstance(x, types.FunctionType), callable(x), x(2))),
    "method": (lambda: Shape().area, lambda x: (isinstance(x, types.MethodType), x())),
    "generator": (lambda: (n for n in "ab"), lambda x: (isinstance(x, types.GeneratorType), list(x))),
    "iterator": (lambda: iter([1, 2]), lambda x: list(x)),
    "exception": (lambda: ValueError("v"), lambda x: (
        isinstance(x, ValueError), isinstance(x, Exception), isinstance(x, KeyError), str(x))),
    "exception class": (lambda: ValueError, lambda x: (str(x), isinstance(x, type))),
    "builtin class": (lambda: list, lambda x: (str(x), isinstance(x, type), list(x("ab")))),
    "instance": (Shape, lambda x: (isinstance(x, Shape), isinstance(x, Square), x.area())),
    "class": (lambda: Square, lambda x: (isinstance(x, type), str(x), x().area(), isinstance(x(), x))),
    "nested": (lambda: (1, [2], ({"a": 1},)), lambda x: (
        isinstance(x[1], list), isinstance(x[2][0], dict), x[1] is x[1])),
}


@pytest.mark.parametrize("name", USES)
def test_objects_of_another_client(ends, name):
    make, use = USES[name]
    giver, user = ends
    giver.keep(name, make())
    assert use(user.kept(name)) == use(make())
    giver.drop(name)


def test_classes_of_another_client(ends):
    giver, user = ends
    giver.keep("all", (MADE["Local"], MADE["Local"](), MADE["Other"]()))
    cls, instance, other = user.kept("all")
    assert isinstance(instance, cls) and isinstance(cls(), cls) and not isinstance(cls, cls)
    assert instance.name() == "local"
    with pytest.raises(TypeError, match="arg 2 must be a class, type, or tuple"):
        isinstance(cls, instance)
    giver.drop("all")


def test_subclasses_of_another_client(request, ends, kind):
    if kind == "cpython":
        pytest.skip("RPyC asks INSPECT in place of INSTANCECHECK at the other end, and takes what it says for True")
    giver, user = ends
    giver.keep("all", (Shape, Shape(), Square(), MADE["Other"](), MADE["Local"], ValueError, KeyError("k"), [1]))
    shape, instance, square, other, local, value_error, key_error, items = user.kept("all")
    assert isinstance(instance, shape) and not isinstance(other, shape) and not isinstance(other, local)
    assert not isinstance(items, shape) and not isinstance(key_error, value_error)
    giver.drop("all")


def test_identity(ends):
    giver, user = ends
    mine = [1]
    giver.keep("one", mine)
    giver.keep("other", mine)
    assert user.kept("one") is user.kept("one")
    assert user.kept("one") is user.kept("other")
    assert giver.kept("one") is mine
    yours = user.kept("one")
    user.keep("back", yours)
    assert giver.kept("back") is mine and user.kept("back") is yours
    for name in ("one", "other", "back"):
        giver.drop(name)


def test_error_texts(ends):
    """What a message calls the type of somebody else's object."""
    giver, user = ends
    giver.keep("text", [1])
    with pytest.raises(TypeError, match="^unsupported operand|^can only concatenate"):
        user.kept("text") + 1
    giver.drop("text")
