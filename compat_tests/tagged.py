"""The JSON form in which client programs report values and errors (see README.md, "Client programs")."""
import rpyc

from describe import bits, class_name


def encode(value):
    """value as something json.dumps takes, with exact type and exact value."""
    if issubclass(type(value), type) and hasattr(type(value), "____bind_instance__"):
        return {"ref": value.____id_pack__[0]}  # in rpyc-ng the proxy of a class is a class
    if isinstance(value, rpyc.BaseNetref):
        return {"ref": object.__getattribute__(value, "____id_pack__")[0]}
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if value is Ellipsis:
        return {"ellipsis": True}
    if value is NotImplemented:
        return {"notimplemented": True}
    if kind is int:
        return {"int": str(value)}
    if kind is float:
        return {"float": bits(value)}
    if kind is complex:
        return {"complex": [bits(value.real), bits(value.imag)]}
    if kind is bytes:
        return {"bytes": value.hex()}
    if kind in (tuple, list):
        return {kind.__name__: [encode(item) for item in value]}
    if kind is frozenset:
        return {"frozenset": [encode(item) for item in value]}
    if kind is slice:
        return {"slice": [encode(value.start), encode(value.stop), encode(value.step)]}
    raise TypeError("no form for %r" % (value,))


def normal(form):
    """The same form with frozensets in one order, for comparing."""
    if isinstance(form, dict):
        form = {key: normal(item) for key, item in form.items()}
        if "frozenset" in form:
            form["frozenset"] = sorted(form["frozenset"], key=repr)
        return form
    if isinstance(form, list):
        return [normal(item) for item in form]
    return form


def encode_error(error):
    """A peer's exception, or the local end of a call."""
    if not hasattr(error, "_remote_tb"):
        if isinstance(error, TimeoutError):
            return {"local": "timeout"}
        if isinstance(error, (EOFError, ConnectionError)):
            return {"local": "closed"}
    attrs = {}
    for name, value in vars(error).items():
        if not name.startswith("_") and name not in ("add_note", "with_traceback"):
            attrs[name] = encode(value)
    for name in ("errno", "strerror", "filename", "encoding", "object", "start", "end", "reason", "code"):
        if getattr(error, name, None) is not None:
            attrs[name] = encode(getattr(error, name))
    return {"class": class_name(error), "args": [encode(item) for item in error.args], "attrs": attrs,
            "text": getattr(error, "_remote_tb", "")}
