"""Keeps appointments."""
from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import List, Optional, Tuple

import rpyc

EPOCH = date(2024, 1, 1)
SLOT = timedelta(minutes=15)
LIMITS = {"slots": 4 * 24, "days": [7, 2 * 7]}


class AgendaError(ValueError):
    code = 1
    help = None

    def __init__(self, text, when=None):
        super().__init__("%s: %s%%" % (text, 100))
        self.when = when


class Clash(AgendaError):
    code = 409


class Person:
    exposed_kind = "person"

    def __init__(self, name: str):
        self.first, self.last = name, "?"

    def exposed_role(self):
        return "nobody"

    def exposed_greet(self, *, polite: bool = False):
        return "%s %s (%s)" % ("Dear" if polite else "Hi", self.first, self.exposed_role())

    def exposed_me(self):
        return self

    def __repr__(self):
        return "<%s %s>" % (type(self).__name__, self.first)


class Doctor(Person):
    exposed_kind = "doctor"

    def __init__(self, name: str, field: str = "general"):
        super().__init__(name)
        self._field = field

    def exposed_cure(self):
        return self._field


class Manager(Person):
    def exposed_role(self):
        return "manager"


class Head(Doctor, Manager):
    """Runs the house."""


@dataclass
class Entry:
    title: str
    day: date
    length: timedelta = timedelta(minutes=30)
    notes: List[str] = field(default_factory=list)

    def exposed_long(self, limit: timedelta = timedelta(hours=1, minutes=30)) -> bool:
        return self.length > limit

    def _get_day(self):
        return self.day

    def _set_day(self, value):
        raise Clash("%s is taken" % value, "noon")

    exposed_day = property(_get_day, _set_day, doc="When it is.")
    exposed_twice = lambda self, n=2: self.title * n


@rpyc.service
class Drawer:
    @rpyc.exposed
    def open(self, key, *, tries=LIMITS["days"][0]):
        """Opens it."""
        return key * tries

    @property
    @rpyc.exposed
    def shut(self):
        return True


def make_service(owner):
    class AgendaService(rpyc.Service):
        exposed_Entry, exposed_Head, exposed_Person = Entry, Head, Person
        exposed_Drawer = Drawer
        exposed_epoch = EPOCH
        exposed_slot = SLOT
        exposed_limits = LIMITS["days"][1]
        exposed_log2 = staticmethod(math.log2)

        @classmethod
        def get_service_name(cls):
            return "AGENDA"

        def exposed_owner(self):
            return owner

        def exposed_day(self, offset: int = 0) -> date:
            return EPOCH + timedelta(days=offset)

        def exposed_between(self, a: date, b: Optional[dt.date] = None) -> timedelta:
            return (b or EPOCH) - a

        def exposed_slots(self, length: timedelta = SLOT, *, sizes=[1, 2], limits=LIMITS) -> Tuple[int, timedelta]:
            return length // SLOT, length % SLOT

        def exposed_noon(self, day: date) -> datetime:
            return datetime.combine(date.fromisoformat(str(day)), dt.time(12))

        def exposed_best(self) -> tuple[Entry, int] | None:
            return Entry("best", EPOCH), 1

        @rpyc.exposed
        def hidden(self):
            return 1

    return AgendaService


def check(sock):
    return sock, None


if __name__ == "__main__":
    from rpyc.utils.server import ThreadedServer
    ThreadedServer(make_service("me"), port=18868).start()
