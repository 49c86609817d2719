import threading
from typing import Callable, Dict, List, Optional, Tuple

import rpyc

Listener = Callable[[str, str], None]


class Room:
    """Where people talk."""

    def __init__(self, name: str):
        self.exposed_name = name
        self.listeners: Dict[str, Listener] = {}
        self.history: List[Tuple[str, str]] = []
        self.lock = threading.Lock()

    def __repr__(self):
        return "<Room %s: %d>" % (self.exposed_name, len(self.history))

    def exposed_people(self) -> List[str]:
        with self.lock:
            return sorted(self.listeners)

    def exposed_say(self, who: str, text: str) -> int:
        """Tells everybody, and returns how many have heard it."""
        with self.lock:
            self.history.append((who, text))
            listeners = list(self.listeners.items())
        heard = 0
        for name, listener in listeners:
            if name != who:
                try:
                    listener(who, text)
                    heard += 1
                except EOFError:
                    self.exposed_leave(name)
        return heard

    def exposed_leave(self, who: str) -> bool:
        with self.lock:
            return self.listeners.pop(who, None) is not None


class ChatService(rpyc.Service):
    ALIASES = ("chat", "talk")
    rooms: Dict[str, Room] = {}

    def on_connect(self, conn):
        self.joined: List[Tuple[Room, str]] = []

    def on_disconnect(self, conn):
        for room, who in self.joined:
            room.exposed_leave(who)

    def exposed_join(self, room: str, who: str, listener: Optional[Listener] = None) -> Room:
        found = self.rooms.setdefault(room, Room(room))
        if who in found.listeners:
            raise KeyError(who)
        found.listeners[who] = listener or (lambda *args: None)
        self.joined.append((found, who))
        return found

    def exposed_poll(self, question: str, voters: List[Callable[[str], bool]]) -> Tuple[int, int]:
        yes = sum(1 for v in voters if v(question))
        return yes, len(voters) - yes


def main():
    from rpyc.utils.server import ThreadPoolServer
    server = ThreadPoolServer(ChatService, port=18862, nbThreads=4, auto_register=False)
    server.start()


if __name__ == "__main__":
    main()
