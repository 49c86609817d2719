import sys
import rpyc

connections = [rpyc.connect("localhost", int(sys.argv[1])) for _ in range(2)]
ann, bob = [c.root for c in connections]


def show(f):
    try:
        print(repr(f()))
    except Exception as e:
        print(type(e).__module__, type(e).__name__, e.args)


heard = []
room = ann.join("tea", "Ann", lambda who, text: heard.append((who, text)))
show(lambda: (room.name, list(room.people())))
same = bob.join("tea", who="Bob")
show(lambda: list(same.people()))
show(lambda: bob.join("tea", "Ann"))
show(lambda: room.say("Ann", "to myself and Bob"))
serving = rpyc.BgServingThread(connections[0])
show(lambda: same.say("Bob", text="hello"))
serving.stop()
show(lambda: heard)
show(lambda: room)
show(lambda: room.leave("Bob"))
show(lambda: room.leave("Bob"))
show(lambda: list(room.people()))
show(lambda: ann.poll("tea?", [lambda q: True, lambda q: q == "tea?", lambda q: False]))
show(lambda: ann.poll("tea?", [lambda q: 1 / 0]))
show(lambda: ann.rooms)
show(lambda: ann.get_service_aliases())
