package wire

import "strconv"

// Kind is the kind of a message (rpyc.core.consts.MSG_*).
type Kind byte

// The kinds of messages.
const (
	Request   Kind = 1 // (handler, boxed arguments)
	Reply     Kind = 2 // boxed value
	Exception Kind = 3 // exception payload
)

// String gives the word used in traces.
func (k Kind) String() string {
	switch k {
	case Request:
		return "REQUEST"
	case Reply:
		return "REPLY"
	case Exception:
		return "EXCEPTION"
	}
	return "KIND" + strconv.Itoa(int(k))
}

// Label says how a boxed value is to be understood (rpyc.core.consts.LABEL_*).
type Label int64

// The labels of boxed values. Local and remote are the words of the protocol and are meant from the receiver's side.
const (
	LabelValue     Label = 1 // any value brine can carry
	LabelTuple     Label = 2 // tuple of boxed values
	LabelLocalRef  Label = 3 // an object of the receiver
	LabelRemoteRef Label = 4 // an object of the sender, with one more reference to it
)

// Handler is the number of the operation that a request asks for (rpyc.core.consts.HANDLE_*).
type Handler int64

// The operations, with their arguments. "o" is the target, the object that the operation is asked of.
const (
	HandlePing          Handler = 1  // data
	HandleClose         Handler = 2  // (none)
	HandleGetRoot       Handler = 3  // (none)
	HandleGetAttr       Handler = 4  // o, name
	HandleDelAttr       Handler = 5  // o, name
	HandleSetAttr       Handler = 6  // o, name, value
	HandleCall          Handler = 7  // o, args, kwargs=()
	HandleCallAttr      Handler = 8  // o, name, args, kwargs=()
	HandleRepr          Handler = 9  // o
	HandleStr           Handler = 10 // o
	HandleCmp           Handler = 11 // o, other, op
	HandleHash          Handler = 12 // o
	HandleDir           Handler = 13 // o
	HandlePickle        Handler = 14 // o, pickle protocol
	HandleDel           Handler = 15 // o, count=1
	HandleInspect       Handler = 16 // id pack by value
	HandleBuffIter      Handler = 17 // o, count
	HandleOldSlicing    Handler = 18 // o, item method, slice method, start, stop, args
	HandleCtxExit       Handler = 19 // o, exception
	HandleInstanceCheck Handler = 20 // o (a class), id pack by value
	HandleBool          Handler = 21 // o; this and the next two in family E only
	HandleSubclassCheck Handler = 22 // o (a class), id pack by value
	HandleType          Handler = 23 // id pack by value
)

var handlerNames = [...]string{
	HandlePing: "PING", HandleClose: "CLOSE", HandleGetRoot: "GETROOT", HandleGetAttr: "GETATTR",
	HandleDelAttr: "DELATTR", HandleSetAttr: "SETATTR", HandleCall: "CALL", HandleCallAttr: "CALLATTR",
	HandleRepr: "REPR", HandleStr: "STR", HandleCmp: "CMP", HandleHash: "HASH", HandleDir: "DIR",
	HandlePickle: "PICKLE", HandleDel: "DEL", HandleInspect: "INSPECT", HandleBuffIter: "BUFFITER",
	HandleOldSlicing: "OLDSLICING", HandleCtxExit: "CTXEXIT", HandleInstanceCheck: "INSTANCECHECK",
	HandleBool: "BOOL", HandleSubclassCheck: "SUBCLASSCHECK", HandleType: "TYPE",
}

// String gives the operation's name as the protocol's constants spell it, without the HANDLE_ prefix.
func (h Handler) String() string {
	if h.Known() {
		return handlerNames[h]
	}
	return "HANDLER" + strconv.FormatInt(int64(h), 10)
}

// HasTarget reports whether h's first argument is a target.
func (h Handler) HasTarget() bool {
	switch h {
	case HandlePing, HandleClose, HandleGetRoot, HandleInspect, HandleType:
		return false
	}
	return true
}

// TakesName reports whether h's second argument is the name of an attribute.
func (h Handler) TakesName() bool {
	switch h {
	case HandleGetAttr, HandleDelAttr, HandleSetAttr, HandleCallAttr:
		return true
	}
	return false
}

// Known reports whether h is one of the operations, some of which are not in all families.
func (h Handler) Known() bool { return h >= HandlePing && h <= HandleType }
