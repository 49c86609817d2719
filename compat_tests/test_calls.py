"""Calls, values, attributes and what Python shows of them: asserted outright, against both kinds of server."""
import inspect
import pickle
import random

import pytest
from rpyc.core import consts
from rpyc.utils.classic import obtain

from describe import RPYC, bits, is_netref, message, remote_text
from probes import VALUES

MiB = 1 << 20


def test_add(root):
    assert root.add(2, 3) == 5
    assert root.add(2 ** 70, 1) == 2 ** 70 + 1
    assert root.add("a", "b") == "ab"
    assert type(root.add(1, 0.5)) is float


def test_keywords_keep_names_and_order(root):
    assert root.greet("Ada", punct="?") == "Hello, Ada?"
    assert root.greet(greeting="Hi", name="Bob") == "Hi, Bob!"
    args, kwargs = root.call_shape(1, zulu=1, alpha=2, **{"\u00fc": 3})
    assert args == (1,)
    assert kwargs == (("zulu", 1), ("alpha", 2), ("\u00fc", 3))


@pytest.mark.parametrize("call", [
    lambda root: root.add(1), lambda root: root.add(1, 2, 3), lambda root: root.add(1, b=2, c=3),
    lambda root: root.add(1, a=2),
    lambda root: root.greet("a", "b", "c"), lambda root: root.bump(1), lambda root: root.Point(1),
], ids=["missing", "extra", "unknown", "twice", "keyword-only", "none wanted", "constructor"])
def test_wrong_arguments_are_type_errors(root, call):
    with pytest.raises(TypeError):
        call(root)
    assert root.add(1, 2) == 3


@pytest.mark.text
def test_wrong_arguments_in_pythons_words(root):
    with pytest.raises(TypeError) as info:
        root.add(1)
    assert message(info.value).endswith("exposed_add() missing 1 required positional argument: 'b'")
    with pytest.raises(TypeError) as info:
        root.add(1, b=2, c=3)
    assert message(info.value).endswith("exposed_add() got an unexpected keyword argument 'c'")


@pytest.mark.parametrize("name", sorted(VALUES))
def test_value_survives(root, name):
    sent = VALUES[name]
    got = root.echo(sent)
    assert not is_netref(got)
    assert type(got) is type(sent)
    if isinstance(sent, float):
        assert bits(got) == bits(sent)
    elif isinstance(sent, complex):
        assert (bits(got.real), bits(got.imag)) == (bits(sent.real), bits(sent.imag))
    else:
        assert got == sent
    if isinstance(sent, tuple):
        assert [type(item) for item in got] == [type(item) for item in sent]
    assert root.echo_type(sent) == type(sent).__name__


@pytest.mark.parametrize("size", [2980, 2990, 2999, 3000, 3001, 3010, 63980, 63990, 63995, 64000, 64006, 64010, 200000])
def test_sizes_around_the_frame_limits(root, size):
    for payload in (b"\0" * size, random.Random(size).getrandbits(8 * size).to_bytes(size, "big")):
        assert root.echo(payload) == payload
    text = "\u00e9" * (size // 2)
    assert root.echo(text) == text


@pytest.mark.seconds(180)
def test_64_mib_both_ways(connect):
    root = connect(config={"sync_request_timeout": 120}).root  # a server built for the race detector inflates slowly
    block = bytes(range(256)) * 4096
    payload = block * 64
    assert len(payload) == 64 * MiB
    got = root.echo(payload)
    assert got == payload
    assert root.length_of(payload) == 64 * MiB
    assert root.add(1, 2) == 3


@pytest.mark.seconds(180)
def test_random_bytes_both_ways(root):
    payload = random.Random(1).getrandbits(8 * 8 * MiB).to_bytes(8 * MiB, "big")
    assert root.echo(payload) == payload


def test_long_text_and_wide_tuple(root):
    text = "snake \U0001f40d " * 100000
    assert root.echo(text) == text
    wide = tuple(range(100000))
    assert root.echo(wide) == wide


def test_deep_tuple(root):
    deep = ()
    for _ in range(100):
        deep = (deep,)
    assert root.echo(deep) == deep


def test_private_names_do_not_leak(root):
    messages = []
    for name in ("hidden", "_secret", "nope", "__dict__"):
        with pytest.raises(AttributeError) as info:
            getattr(root, name)
        messages.append(message(info.value).replace(name, "NAME"))
    assert set(messages) == {"cannot access 'NAME'"}
    assert not hasattr(root, "hidden")
    assert hasattr(root, "answer")
    assert getattr(root, "nope", 5) == 5


def test_endpoints_differ_in_policy(connect):
    assert connect("public").root.hidden == "hidden"
    with pytest.raises(AttributeError):
        connect("public").root._secret
    assert connect("all").root._secret == "secret"
    gadget = connect("rw").root.make_gadget()
    gadget.value = 5
    assert gadget.value == 5
    del gadget.value
    with pytest.raises(AttributeError):
        gadget.value
    for endpoint in ("default", "rw", "all"):
        with pytest.raises(AttributeError) as info:
            connect(endpoint).root.answer = 5
        assert message(info.value) == "access denied"


def test_set_and_delete_denied_by_default(root):
    gadget = root.make_gadget()
    with pytest.raises(AttributeError):
        gadget.value = 5
    with pytest.raises(AttributeError):
        del gadget.value
    assert gadget.value == 10


@pytest.mark.text
def test_dir_and_docs(root):
    names = dir(root)
    assert "exposed_add" in names and "exposed_Point" in names
    assert "add" not in names
    assert root.add.__doc__ == "Add two numbers."
    assert root.echo.__doc__ is None
    assert root.__doc__.startswith("Reference service")
    assert inspect.getdoc(root.add) == "Add two numbers."
    assert root.make_point(1, 2).norm1.__doc__ == "Manhattan length."


def test_isinstance_with_exposed_classes(root):
    point = root.make_point(1, 2)
    assert isinstance(point, root.Point)
    assert not isinstance(root.make_gadget(), root.Point)
    assert isinstance(root.get_list(), list)
    assert isinstance(root.get_dict(), dict)
    assert not isinstance(point, list)
    assert repr(root.Point(3, 4)) == "Point(3, 4)"


def test_list(root):
    remote = root.get_list()
    assert len(remote) == 3 and remote[-1] == 3 and list(remote) == [1, 2, 3] and 2 in remote
    assert is_netref(remote[1:]) and list(remote[1:]) == [2, 3]
    remote[0] = "x"
    del remote[1]
    assert list(remote) == ["x", 3]
    with pytest.raises(IndexError):
        remote[2]
    with pytest.raises(TypeError):
        remote["x"]
    assert remote != ["x", 3]
    with pytest.raises(TypeError):
        hash(remote)


def test_dict(root):
    remote = root.get_dict()
    assert remote["a"] == 1 and len(remote) == 2 and "b" in remote and sorted(remote) == ["a", "b"]
    with pytest.raises(KeyError) as info:
        remote["zz"]
    assert info.value.args == ("zz",)
    remote["c"] = mine = [1]
    assert remote["c"] is mine
    del remote["c"]
    assert "c" not in remote


def test_each_connection_has_its_own_service_object(connect):
    one, two = connect().root, connect().root
    assert [one.bump(), one.bump(), two.bump(), one.bump()] == [1, 2, 1, 3]
    one.shared_list()[0] = "mine"
    assert list(two.shared_list()) == [1, 2, 3]


def test_pickling(connect):
    root = connect("pickle").root
    assert obtain(root.get_list()) == [1, 2, 3]
    assert obtain(root.get_dict()) == {"a": 1, "b": 2}
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        pickled = root.____conn__.sync_request(consts.HANDLE_PICKLE, root.get_list(), protocol)
        assert type(pickled) is bytes and pickle.loads(pickled) == [1, 2, 3]
    with pytest.raises(ValueError) as info:
        obtain(connect().root.get_list())
    assert message(info.value) == "pickling is disabled"


# Errors.

def failure(root, kind):
    try:
        root.fail(kind)
    except BaseException as error:
        return error
    raise AssertionError("fail(%r) did not" % kind)


def test_builtin_exceptions_keep_class_and_args(root):
    assert failure(root, "zero").args == ("division by zero",)
    error = failure(root, "value")
    assert isinstance(error, ValueError) and error.args == ("bad value", 7, None)
    assert isinstance(failure(root, "key"), KeyError)
    assert isinstance(failure(root, "other"), NotImplementedError)
    error = failure(root, "exit")
    assert isinstance(error, SystemExit) and error.args == (3,)
    assert isinstance(failure(root, "stop"), StopIteration)
    assert root.add(1, 2) == 3


def test_os_errors_carry_their_fields(root):
    error = failure(root, "os")
    assert isinstance(error, FileNotFoundError)
    assert (error.errno, error.strerror, error.filename) == (2, "No such file or directory", "/no/such/file")
    # CPython sends filename2=None, which its own clients print as "-> None".
    assert message(error).startswith("[Errno 2] No such file or directory: '/no/such/file'")


def test_unicode_errors_carry_their_fields(root):
    error = failure(root, "unicode")
    assert isinstance(error, UnicodeDecodeError)
    assert (error.encoding, error.object, error.start, error.end) == ("utf-8", b"\xff\xfe", 0, 1)
    assert error.reason == "invalid start byte"


def test_custom_exceptions_keep_name_args_and_attributes(root):
    error = failure(root, "custom")
    assert type(error).__name__ == "behaviour_service.ServiceError"
    assert error.args == ("it broke",)
    assert error.code == 42 and error.detail == "[1, 2]"
    assert not hasattr(error, "_secret")
    error = failure(root, "json")
    assert type(error).__name__ == "json.decoder.JSONDecodeError"
    assert (error.pos, error.lineno, error.colno, error.doc) == (1, 1, 2, "{]")


def test_unbrinable_args_become_their_repr(root):
    assert failure(root, "unbrinable").args == ("[1, 2]", (3, 4))


def test_tracebacks_are_sent(root):
    error = failure(root, "zero")
    assert remote_text(error).startswith("Traceback (most recent call last):\n")
    assert remote_text(error).rstrip().split("\n")[-1] == "ZeroDivisionError: division by zero"
    assert "========= Remote Traceback (1) =========" in str(error)


@pytest.mark.text
def test_tracebacks_name_the_function_and_the_cause(root):
    text = remote_text(failure(root, "chain"))
    assert "exposed_fail" in text
    assert ", in " in text and 'File "' in text
    inner, outer = text.index("KeyError: 'inner'"), text.index("ValueError: outer")
    cause = text.index("The above exception was the direct cause of the following exception:")
    assert inner < cause < outer


@pytest.mark.text
def test_remote_version_fits_the_client(root):
    error = failure(root, "zero")
    assert "WARNING: Remote is on RPyC" not in str(error)
    version = getattr(error, "_remote_version", None)
    if RPYC >= (6,):
        assert version.count(".") == 2 and version.split(".")[0] == "6"


def test_quiet_endpoint_keeps_traceback_and_version(connect):
    error = failure(connect("quiet").root, "value")
    assert error.args == ("bad value", 7, None)
    assert error._remote_tb == "<traceback denied>"
    assert error._remote_version == "<version denied>"


@pytest.mark.quirk
def test_keyboard_interrupt_ends_the_connection(connect):
    conn = connect(config={"sync_request_timeout": 20})
    with pytest.raises(EOFError):
        conn.root.fail("kbi")
