import datetime
import sys
import rpyc

root = rpyc.connect("localhost", int(sys.argv[1]), config={"allow_public_attrs": True}).root


def show(f):
    try:
        print(repr(f()))
    except Exception as e:
        print(type(e).__module__, type(e).__name__, str(e).splitlines()[0], getattr(e, "code", ""),
              getattr(e, "when", ""))


slot = root.slot
for f in (lambda: [slot, str(slot), slot * 3, 2 * slot, slot / 2, slot // 7, slot / slot, slot - slot * 100, -slot],
          lambda: [str(slot * 96), str(slot * 193), str(-slot), abs(-slot) == slot, slot > slot * 2, bool(slot - slot)],
          lambda: slot * 1.000000001, lambda: slot + 1, lambda: slot * "a", lambda: slot / 0, lambda: slot % (slot * 0),
          lambda: slot + slot == slot * 2, lambda: slot == 900, lambda: hash(slot) == hash(root.slot),
          lambda: slot * float("nan"), lambda: slot * 10 ** 30, lambda: slot * 0 or "none",
          lambda: slot % (slot * 0.7)):
    show(f)
day = root.day(59)
for f in (lambda: day, lambda: str(day), lambda: day + slot * 96, lambda: day - root.epoch, lambda: day - slot * 97,
          lambda: day > root.epoch, lambda: day == root.day(59), lambda: day + 1, lambda: "%s" % day,
          lambda: root.between(day), lambda: root.between(root.epoch, day), lambda: root.between(b=day, a=day),
          lambda: root.slots(), lambda: root.slots(slot * 2.5), lambda: root.noon(datetime.date(2024, 2, 29)),
          lambda: [str(root.noon(day)), "%s" % root.noon(root.epoch), root.noon(day) > root.noon(root.epoch)]):
    show(f)
entry = root.Entry("tea", day)
for f in (lambda: entry, lambda: entry.day, lambda: setattr(entry, "day", 1), lambda: entry.long(),
          lambda: entry.long(slot),
          lambda: entry.twice(), lambda: entry.twice(n=3), lambda: root.best(), lambda: root.best()[0].long(),
          lambda: entry == root.Entry("tea", day), lambda: root.Entry("tea", day, slot * 7, ["x"]),
          lambda: entry.title, lambda: root.limits, lambda: root.log2(8), lambda: root.hidden, lambda: root.owner()):
    show(f)
head = root.Head("Ann", "bones")
for f in (lambda: head, lambda: head.greet(), lambda: head.greet(polite=True), lambda: head.cure(), lambda: head.role(),
          lambda: head.kind, lambda: root.Head("Eve").cure(), lambda: head.me(), lambda: head.me() == head,
          lambda: head.me().cure(), lambda: root.Person("Bo").greet(), lambda: root.Person("Bo"), lambda: root.Head.__doc__,
          lambda: root.Head(),
          lambda: root.Head("a", "b", "c"), lambda: root.Drawer().open(2), lambda: root.Drawer().open("a", tries=2),
          lambda: root.Drawer().open(), lambda: root.Drawer().open(1, 2), lambda: root.Drawer().open.__doc__,
          lambda: root.Drawer().shut):
    show(f)
