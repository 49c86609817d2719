"""A server of the reference service that has one deliberate defect.

    mutants.py DIRECTORY   (of the reference service)

For each line read, the name of a defect, one server is started, which prints "READY name host port", or "ABSENT name"
if the installed RPyC has no such place; the one before it ends. A defect is a fragment of a module's source and what
stands in its place.
"""
import importlib.machinery
import os
import signal
import sys

BRINE, CHANNEL, PROTOCOL, VINEGAR, LIB, COLLS, CORE_SERVICE, NETREF, SERVICE = (
    "rpyc.core.brine", "rpyc.core.channel", "rpyc.core.protocol", "rpyc.core.vinegar", "rpyc.lib", "rpyc.lib.colls",
    "rpyc.core.service", "rpyc.core.netref", "behaviour_service")

DEFECTS = {
    "none": (BRINE, "", ""),
    # values
    "int one too many": (BRINE, "obj = BYTES_LITERAL(str(obj))", "obj = BYTES_LITERAL(str(obj + 1))"),
    "immediate ints not used": (BRINE, "if obj in IMM_INTS:", "if obj in IMM_INTS and obj != 159:"),
    "int length": (BRINE, "if lenobj < 256:\n            stream.append(TAG_INT_L1",
                   "if lenobj < 255:\n            stream.append(TAG_INT_L1"),
    "bytes length": (BRINE, "elif lenobj < 256:\n        stream.append(TAG_STR_L1",
                     "elif lenobj < 255:\n        stream.append(TAG_STR_L1"),
    "tuple length": (BRINE, "elif lenobj < 256:\n        stream.append(TAG_TUP_L1",
                     "elif lenobj < 255:\n        stream.append(TAG_TUP_L1"),
    "float as single": (BRINE, "F8.pack(obj)", "F8.pack(round(obj, 6) if obj == obj and abs(obj) < 1e300 else obj)"),
    "minus zero": (BRINE, "F8.pack(obj)", "F8.pack(obj + 0.0)"),
    "complex swapped": (BRINE, "C16.pack(obj.real, obj.imag)", "C16.pack(obj.imag, obj.real)"),
    "complex conjugate": (BRINE, "return complex(real, imag)", "return complex(real, -imag)"),
    "bool as int": (BRINE, "    if obj:\n        stream.append(TAG_TRUE)",
                    "    if obj:\n        stream.append(IMM_INTS[1])"),
    "text in latin": (BRINE, 'obj.encode("utf8")', 'obj.encode("latin-1", "replace")'),
    "text stripped of nul": (BRINE, 'obj.decode("utf-8")', 'obj.decode("utf-8").replace(chr(0), "")'),
    "text without bom": (BRINE, 'obj.decode("utf-8")', 'obj.decode("utf-8-sig")'),
    "text as bytes": (BRINE, "    stream.append(TAG_UNICODE)\n", "    pass\n"),
    "empty bytes are none": (BRINE, 'def _load_empty_str(stream):\n    return b""',
                             "def _load_empty_str(stream):\n    return None"),
    "tuple of four": (BRINE, "return (_load(stream), _load(stream), _load(stream), _load(stream))",
                      "return (_load(stream), _load(stream), _load(stream)) + (_load(stream),)[:0]"),
    "slice loses step": (BRINE, "_dump((obj.start, obj.stop, obj.step), stream)",
                         "_dump((obj.start, obj.stop, None), stream)"),
    "frozenset is tuple": (BRINE, "    stream.append(TAG_FSET)\n", "    pass\n"),
    "ellipsis is none": (BRINE, "stream.append(TAG_ELLIPSIS)", "stream.append(TAG_NONE)"),
    "notimplemented is none": (BRINE, "stream.append(TAG_NOT_IMPLEMENTED)", "stream.append(TAG_NONE)"),
    "frozenset by reference": (BRINE, "if type(obj) in (tuple, frozenset):", "if type(obj) in (tuple,):"),
    "complex by reference": (BRINE, "bytes, str, complex, type(NotImplemented)", "bytes, str, type(NotImplemented)"),
    # frames
    "no newline": (CHANNEL, 'BYTES_LITERAL("\\n")  # cause', 'BYTES_LITERAL("\\r")  # cause'),
    "flag two": (CHANNEL, "compressed = 1", "compressed = 2"),
    "only flag one": (CHANNEL, "if compressed:\n", "if compressed == 1:\n"),
    "compressed without flag": (CHANNEL, "compressed = 1", "compressed = 0"),
    "long frames out of order": (CHANNEL, "self.stream.write(data[part1:])", "self.stream.write(data[part1:][::-1])"),
    # messages and boxing
    "sequence as int": (PROTOCOL, "self._send(consts.MSG_REPLY, seq, self._box(res))",
                        "self._send(consts.MSG_REPLY, seq if type(seq) is int else 0, self._box(res))"),
    "reply twice": (PROTOCOL, "            self._send(consts.MSG_REPLY, seq, self._box(res))",
                    "            self._send(consts.MSG_REPLY, seq, self._box(res)); self._send(consts.MSG_REPLY, "
                    "seq, self._box(res))"),
    "malformed ends it": (PROTOCOL, "handler, args = raw_args\n            args = self._unbox(args)",
                          "handler, args = raw_args if type(raw_args) is tuple and len(raw_args) == 2 else "
                          "self.close()\n"
                          "            args = self._unbox(args)"),
    "tuples by reference": (PROTOCOL, "if type(obj) is tuple:", "if type(obj) is list:"),
    "everything item by item": (PROTOCOL,
                                "        if brine.dumpable(obj):\n            return consts.LABEL_VALUE, obj\n"
                                "        if type(obj) is tuple:",
                                "        if type(obj) is not tuple and brine.dumpable(obj):\n"
                                "            return consts.LABEL_VALUE, obj\n        if type(obj) is tuple:"),
    "identity of ours lost": (PROTOCOL, "obj.____conn__ is self:", "obj.____conn__ is None:"),
    "proxies not cached": (PROTOCOL, "self._proxy_cache[id_pack] = proxy", "pass"),
    "count not kept in step": (PROTOCOL, "proxy.____refcount__ += 1", "proxy.____refcount__ += 0"),
    "count doubled": (PROTOCOL, "proxy.____refcount__ += 1", "proxy.____refcount__ += 2"),
    # references
    "del takes one": (PROTOCOL, "decref(get_id_pack(obj), count)", "decref(get_id_pack(obj), 1)"),
    "del takes nothing": (PROTOCOL, "self._local_objects.decref(get_id_pack(obj), count)",
                          "self._local_objects[get_id_pack(obj)]"),
    "del takes all": (PROTOCOL, "decref(get_id_pack(obj), count)", "decref(get_id_pack(obj), 10**9)"),
    "one reference too many": (COLLS, "slot = [obj, 0]", "slot = [obj, 1]"),
    "one reference too few": (COLLS, "if slot[1] < count:", "if slot[1] <= count:"),
    "class ids": (LIB, "name_pack, id(type(obj)), id(obj)", "name_pack, id(obj), id(obj)"),
    "inspect of everything": (LIB, "inspect.isroutine(attr)",
                              "(inspect.isroutine(attr) or isinstance(attr, (int, property)))"),
    # operations
    "ping answers none": (PROTOCOL, "def _handle_ping(self, data):  # request handler\n        return data",
                          "def _handle_ping(self, data):  # request handler\n"
                          "        return data if data != 5 and data is not False else None"),
    "close is not heeded": (PROTOCOL, "    def _handle_close(self):  # request handler\n        self._cleanup()",
                            "    def _handle_close(self):  # request handler\n        pass"),
    "repr is str": (PROTOCOL, "        return repr(obj)", "        return str(obj)"),
    "str is repr": (PROTOCOL, "        return str(obj)\n", "        return repr(obj)\n"),
    "cmp is identity": (PROTOCOL, '"_rpyc_getattr", "allow_getattr", getattr)(obj, other)',
                        '"_rpyc_getattr", "allow_getattr", getattr)(obj, obj)'),
    "hash is id": (PROTOCOL, "        return hash(obj)", "        return id(obj)"),
    "dir is sorted away": (PROTOCOL, "return tuple(dir(obj))", "return tuple(n for n in dir(obj) if n[0] != '_')"),
    "dir is a list": (PROTOCOL, "return tuple(dir(obj))", "return list(dir(obj))"),
    "keywords lost": (PROTOCOL, "return obj(*args, **dict(kwargs))", "return obj(*args)"),
    "keywords sorted": (PROTOCOL, "return obj(*args, **dict(kwargs))", "return obj(*args, **dict(sorted(kwargs)))"),
    "inspect without docs": (LIB, "inspect.getdoc(attr)", "None"),
    "setattr by getattr's rule": (PROTOCOL, '(value,), "_rpyc_setattr", "allow_setattr", setattr)',
                                  '(value,), "_rpyc_setattr", "allow_getattr", setattr)'),
    "delattr by getattr's rule": (PROTOCOL, '(), "_rpyc_delattr", "allow_delattr", delattr)',
                                  '(), "_rpyc_delattr", "allow_getattr", delattr)'),
    "callattr without policy": (PROTOCOL, "obj = self._handle_getattr(obj, name)\n        return self._handle_call",
                                "obj = getattr(obj, name)\n        return self._handle_call"),
    "no check of names": (PROTOCOL, "name = self._check_attr(obj, name, param)",
                          "name = name if hasattr(obj, name) else self._check_attr(obj, name, param)"),
    "public is default": (PROTOCOL, 'plain |= config["allow_public_attrs"] and', "plain |= True and"),
    "prefix not found": (PROTOCOL, "            return prefix + name\n", "            return name\n"),
    "safe attributes unsafe": (PROTOCOL, 'plain |= config["allow_safe_attrs"] and name in config["safe_attrs"]',
                               'plain |= config["allow_safe_attrs"] and name in config["safe_attrs"] and name != '
                               '"__contains__"'),
    "another message": (PROTOCOL, 'raise AttributeError(f"cannot access {name!r}")\n\n    def _access',
                        'raise AttributeError(f"no access to {name!r}")\n\n    def _access'),
    "existence leaks": (PROTOCOL, 'raise AttributeError(f"cannot access {name!r}")\n\n    def _access',
                        'raise (AttributeError if hasattr(obj, name) else KeyError)(f"cannot access {name!r}")\n\n'
                        '    def _access'),
    "bytes names refused": (PROTOCOL, "if type(name) is bytes:", "if type(name) is bytearray:"),
    "services can be written": (CORE_SERVICE,
                                '    def _rpyc_setattr(self, name, value):\n'
                                '        raise AttributeError("access denied")',
                                "    def _rpyc_setattr(self, name, value):\n        setattr(self, name, value)"),
    "aliases in small letters": (CORE_SERVICE, "tuple(str(n).upper() for n in cls.ALIASES)",
                                 "tuple(str(n) for n in cls.ALIASES)"),
    "pickle always": (PROTOCOL, 'if not self._config["allow_pickle"]:', "if False:"),
    "pickle never": (PROTOCOL, 'if not self._config["allow_pickle"]:', "if True:"),
    "buffiter one short": (PROTOCOL, "itertools.islice(obj, count)",
                           "itertools.islice(obj, count and max(count - 1, 1))"),
    "buffiter is a list": (PROTOCOL, "return tuple(itertools.islice(obj, count))",
                           "return list(itertools.islice(obj, count))"),
    "with ignores exceptions": (PROTOCOL, "        if exc:\n            try:", "        if False:\n            try:"),
    "with answers none": (PROTOCOL, 'return self._handle_getattr(obj, "__exit__")(exc, typ, tb)',
                          'self._handle_getattr(obj, "__exit__")(exc, typ, tb)'),
    "instances of everything": (PROTOCOL,
                                "        else:  # might just have missed cache, FIX ME\n            return False",
                                "        else:  # might just have missed cache, FIX ME\n            return True"),
    "slicing off by one": (PROTOCOL, "return getitem(slice(start, stop), *args)",
                           "return getitem(slice(start, stop + 1), *args)"),
    "del of one takes two": (PROTOCOL, "def _handle_del(self, obj, count=1):", "def _handle_del(self, obj, count=2):"),
    "hash of 32 bits": (PROTOCOL, "        return hash(obj)", "        return hash(obj) & 0xffffffff"),
    "repr cut short": (PROTOCOL, "        return repr(obj)", "        return repr(obj)[:200]"),
    "str cut short": (PROTOCOL, "        return str(obj)\n", "        return str(obj)[:1000]\n"),
    "cmp without errors": (PROTOCOL, "        except Exception:\n            raise",
                           "        except Exception:\n            return NotImplemented"),
    "arguments turned around": (PROTOCOL, "return obj(*args, **dict(kwargs))",
                                "return obj(*(args[::-1] if len(args) > 4 else args), **dict(kwargs))"),
    "keywords of methods lost": (PROTOCOL, "return self._handle_call(obj, args, kwargs)",
                                 "return self._handle_call(obj, args)"),
    "inspect without bases": (LIB, "mros = reversed(type(obj).__mro__)", "mros = [type(obj)]"),
    "inspect without metaclass": (LIB, "list(reversed(type(obj).__mro__)) + list(reversed(obj.__mro__))",
                                  "list(reversed(obj.__mro__))"),
    "deletion never fails": (PROTOCOL, '(), "_rpyc_delattr", "allow_delattr", delattr)',
                             '(), "_rpyc_delattr", "allow_delattr", lambda o, n: hasattr(o, n) and delattr(o, n))'),
    "pickles of one protocol": (PROTOCOL, "pickle.dumps(obj, proto)", "pickle.dumps(obj, 2)"),
    "slicing without fallback": (PROTOCOL, "                stop = maxint", "                stop = 0"),
    "unknown label is none": (PROTOCOL, 'raise ValueError(f"invalid label {label!r}")', "return None"),
    # exceptions
    "stop iteration in full": (VINEGAR, "if typ is StopIteration:", "if False:"),
    "arguments as text": (VINEGAR, "                    args.append(a)", "                    args.append(str(a))"),
    "attributes lost": (VINEGAR, "            attrs.append((name, attrval))", "            pass"),
    "private attributes": (VINEGAR, 'elif name.startswith("_") or name in ignored_attrs:',
                           'elif name.startswith("__") or name in ignored_attrs:'),
    "module lost": (VINEGAR, "return (typ.__module__, typ.__name__)", "return ('builtins', typ.__name__)"),
    "traceback empty": (VINEGAR, 'tbtext = "".join(traceback.format_exception(typ, val, tb))', 'tbtext = ""'),
    "traceback without frames": (VINEGAR, "traceback.format_exception(typ, val, tb)",
                                 "traceback.format_exception_only(typ, val)"),
    "traceback without cause": (VINEGAR, "traceback.format_exception(typ, val, tb)",
                                "traceback.format_exception(typ, val, tb, chain=False)"),
    "traceback always": (VINEGAR, "    if include_local_traceback:", "    if True:"),
    "version always": (VINEGAR, "    if include_local_version:", "    if True:"),
    "version missing": (VINEGAR, '        attrs.append(("_remote_version", version.__version__))', "        pass"),
    "version of another": (VINEGAR, '("_remote_version", version.__version__)', '("_remote_version", "5.3.1")'),
    "our traceback lost": (VINEGAR, 'REMOTE_LINE_START = "\\n\\n========= Remote Traceback "',
                           'REMOTE_LINE_START = "\\n\\n========= Far Traceback "'),
    "keyboard interrupt is sent": (PROTOCOL,
                                   'if t is KeyboardInterrupt and '
                                   'self._config["propagate_KeyboardInterrupt_locally"]:', "if False:"),
    "system exit is not sent": (PROTOCOL, 'if t is SystemExit and self._config["propagate_SystemExit_locally"]:',
                                "if t is SystemExit:"),
    # the life of a connection
    "one service for all": (CORE_SERVICE, "            self = self()\n",
                            "            self = self.__dict__.get('_one') or self()\n"
                            "            type(self)._one = self\n"),
    "disconnect unheard": (PROTOCOL, "self._local_root.on_disconnect(self)", "pass"),
    "disconnect twice": (PROTOCOL, "self._local_root.on_disconnect(self)",
                         "self._local_root.on_disconnect(self); self._local_root.on_disconnect(self)"),
}


class Mutator(importlib.machinery.PathFinder):
    """Finds modules as always, but one of them with its defect."""

    defect = None

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        spec = super().find_spec(name, path, target)
        if spec and name == cls.defect[0]:
            spec.loader = Loader(name, spec.origin)
        return spec


class Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, name):
        with open(self.path, encoding="utf-8") as f:
            source = f.read()
        _, old, new = Mutator.defect
        if old not in source:
            raise ImportError("there is no such place")
        return compile(source.replace(old, new), self.path, "exec")


def serve(name):
    Mutator.defect = DEFECTS[name]
    sys.meta_path.insert(0, Mutator)
    try:
        import behaviour_service
        import ref_server
        import rpyc.utils.server
    except ImportError:
        print("ABSENT", name, flush=True)
        return
    except Exception as broken:
        print("BROKEN", name, broken, flush=True)
        return
    import logging
    import threading
    logging.disable(logging.CRITICAL)
    threading.excepthook = lambda args: None
    for endpoint, config in ref_server.CONFIGS.items():
        server = rpyc.utils.server.ThreadedServer(behaviour_service.BehaviourService, hostname="127.0.0.1",
        protocol_config=config)
        server._start_in_thread()
        behaviour_service.ENDPOINTS[endpoint] = server.port
    print("READY", name, "127.0.0.1", behaviour_service.ENDPOINTS["default"], flush=True)
    signal.pause()


def main():
    if sys.argv[1:] == ["--names"]:
        print("\n".join(DEFECTS))
        return
    sys.path.insert(0, sys.argv[1])
    child = 0
    for line in sys.stdin:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        child = os.fork()
        if not child:
            try:
                serve(line.strip())
            finally:
                os._exit(1)
    if child:
        os.kill(child, signal.SIGKILL)


main()
