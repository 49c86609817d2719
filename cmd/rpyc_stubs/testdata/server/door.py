import enum
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import NamedTuple

import rpyc
from rpyc.utils.server import ThreadedServer


class Light(str, enum.Enum):
    RED = "red"
    AMBER = "amber"
    GREEN = "green"


class Level(IntEnum):
    LOW = 1
    MEDIUM = 5
    HIGH = LOW + 8


class Access(IntFlag):
    NONE = 0
    OPEN = 1
    LOCK = 2


class Side(enum.Flag):
    LEFT = enum.auto()
    RIGHT = enum.auto()
    TOP = enum.auto()
    BOTH = LEFT | RIGHT


class Size(enum.Enum):
    SMALL = (1, "small")
    LARGE = (2, "large")
    BIG = (2, "large")

    def __init__(self, width, label):
        self.width = width
        self.label = label


@dataclass
class Card:
    number: int
    owner: str = "nobody"


@dataclass
class Badge(Card):
    exposed_color: str = "red"


class Position(NamedTuple):
    x: int
    y: int = 0


class BadTransition(Exception):
    code = 409

    def __init__(self, current, wanted):
        self.current = current
        self.wanted = wanted

    def __str__(self):
        return "%s -> %s" % (self.current, self.wanted)


TRANSITIONS = {"open": ("closed",), "closed": ("open", "locked"), "locked": ("closed",)}


class Machine(object):
    initial = "closed"
    exposed_states = ("open", "closed", "locked")

    def __init__(self):
        self.exposed_state = self.initial
        self.log = []

    def exposed_go(self, state):
        if state not in TRANSITIONS[self.exposed_state]:
            raise BadTransition(self.exposed_state, state)
        self.log.append((self.exposed_state, state))
        self.exposed_state = state
        return self

    def __eq__(self, other):
        return isinstance(other, Machine) and self.exposed_state == other.exposed_state

    def __hash__(self):
        return hash(self.exposed_state)


class SafeMachine(Machine):
    """One that does not unlock without a code."""

    def __init__(self, code=0):
        super(SafeMachine, self).__init__()
        self._code = code

    def exposed_go(self, state, code=None):
        if self.exposed_state == "locked" and code != self._code:
            raise RuntimeError("wrong code")
        return Machine.exposed_go(self, state)


class DoorService(rpyc.Service):
    exposed_Light = Light
    exposed_Level = Level
    exposed_Access, exposed_Side, exposed_Size = Access, Side, Size
    exposed_usual = Size.SMALL
    exposed_limit = 10 * 1024 // 3
    exposed_Badge = Badge
    exposed_Position = Position

    def exposed_machine(self, safe: bool = False, code: int = 0) -> Machine:
        return SafeMachine(code) if safe else Machine()

    def exposed_light(self, level: Level = Level.LOW) -> Light:
        return Light.GREEN if level < Level.MEDIUM else Light.RED

    def exposed_half(self, n: int = 7 * 3 // 2, on: int = 1 << True) -> tuple:
        return (n, on)

    def exposed_may(self, access: Access) -> bool:
        return bool(access & Access.OPEN)


ThreadedServer(DoorService, port=18863, protocol_config=dict(allow_public_attrs=True)).start()
