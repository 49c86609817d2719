package protocol

import (
	"io"
	"log/slog"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Config says how a connection behaves. A nil *Config and the zero value are RPyC's defaults
// (rpyc.core.protocol.DEFAULT_CONFIG); fields are named for the deviation from them. A Config is copied when a
// connection is made and can be shared.
type Config struct {
	// Access rules what the peer may read, write and delete of our objects.
	Access exposed.Policy
	// AllowPickle lets the peer have copies of our objects (allow_pickle): Python's rpyc.classic.obtain, copy.copy and
	// copy.deepcopy, pickle.dumps. It gives away all that is exposed inside them.
	AllowPickle bool
	// SendKeyboardInterrupt sends a KeyboardInterrupt that a handler ends with to the peer, as any other exception. By
	// default it ends the connection (propagate_KeyboardInterrupt_locally=True).
	SendKeyboardInterrupt bool
	// HideTraceback sends "<traceback denied>" in place of tracebacks (include_local_traceback=False).
	HideTraceback bool
	// HideVersion sends "<version denied>" in place of the release claimed (include_local_version=False).
	HideVersion bool
	// Version is the release that exceptions claim to come from, such as "6.0.2"; "" means the newest of the family that
	// is spoken.
	Version string

	// Timeout bounds a request whose context has no deadline (sync_request_timeout). 0 means 30 s, negative none.
	Timeout time.Duration
	// CloseTimeout bounds the closing handshake, on either side. 0 means 2 s.
	CloseTimeout time.Duration
	// Concurrency is how many requests of the peer run at the same time. 0 means 1: one after the other in the order
	// they came, as RPyC serves a connection; negative means no limit.
	Concurrency int
	// Workers, if not nil, bounds the requests that run at the same time on all connections that share it.
	Workers *Workers
	// Budget, if not nil, bounds what the peers of all connections that share it can make this process hold.
	Budget *Budget
	// FirstTimeout ends a connection, with an *[IdleError], when the peer has not begun its first message for so long.
	// 0 means never, as in RPyC; a servers.Server has a default.
	FirstTimeout time.Duration
	// IdleTimeout ends a connection, with an *[IdleError], when so long nothing has come from the peer and no request
	// of either side was under way. 0 means never, as in RPyC.
	IdleTimeout time.Duration
	// StallTimeout ends a connection, with a *[StallError], when the peer has sent a part of a message and made no
	// progress with the rest (64 KiB, or its end) for so long, or has not read what was written for it. 0 means never,
	// as in RPyC.
	StallTimeout time.Duration

	// NoCollect keeps the connection from asking the garbage collector to run when a handler has returned that may have
	// dropped objects of the peer (see [CollectSoon]). The peer's objects then live until Go collects by itself, within
	// two minutes, or until netref.Object.Release; arguments that a handler's parameters turn into values are given
	// back at once in any case.
	NoCollect bool

	// Hooks are told of requests and connections, for metrics, traces and logs.
	Hooks Hooks

	// Gate, if not nil, is asked before a request of the peer is carried out. Package servers/access has one, for policies
	// and limits.
	Gate Gate
	// Metadata says whether trace context, deadlines, cancellation and tokens travel beside calls, see [MetadataMode].
	// By default they do not.
	Metadata MetadataMode

	// Credentials are what an authenticator found out about the peer: see [Conn.Credentials].
	Credentials any

	// Dialect is the protocol family the peer speaks: wire.FamilyE for rpyc-ng 7, wire.FamilyD for RPyC 6, wire.FamilyC
	// for 4.1 to 5.3, wire.FamilyB for 4.0, wire.FamilyA for 3, the last three with a 2 behind them for peers with
	// Python 2; nil finds out. For what that costs see [Dial]; a peer before RPyC 6 that is served is asked a question
	// when it connects, unless its host is known to speak FamilyC.
	Dialect *wire.Dialect
	// Families are the protocol families that this side speaks; nil is all. A peer that speaks another is refused: the
	// Dial functions fail with a *[FamilyError], and a peer that has connected gets an exception that says so.
	// wire.FamilyC stands for its form with threads, too, and so on.
	Families []*wire.Dialect
	// BindThreads tells the Dial functions that the peer's bind_threads is on, of RPyC 5.3.1 or later. Otherwise they
	// find out, which costs another connection, because such a peer hangs up on what it does not understand. Servers
	// see it by the first message. To the peer all of this side is one thread. Its own threads' requests run each in
	// their order, at the same time as those of other threads, and what a handler asks of it is run by the thread that
	// has asked.
	BindThreads bool
	// Compress deflates messages above 3000 bytes, as RPyC does. By default messages are sent as they are, which every
	// peer accepts and is faster on all but slow networks; compressed messages are understood in any case.
	Compress bool
	// Limits bounds what the peer can make this side hold.
	Limits Limits

	// Codecs are encodings of values of the program's own types that both ends have added to brine: see
	// [brine.Register]. Without the one for a tag that the peer sends, the request fails with a ValueError that names the
	// tag, or the call with a *brine.DecodeError.
	Codecs *brine.Codecs

	// Logger is told of what no caller can be told, of panics in handlers at level Error, and of other exceptions that
	// handlers end with at level Debug, or Info if the peer has called an object, mostly a callback whose result it may
	// not look at; nil is silent.
	Logger *slog.Logger
	// Trace gets a line for each message, in the form wire.Dumper describes, after "<" for received and ">" for sent.
	// It slows the connection down. Writes are made one at a time.
	Trace io.Writer
	// Name stands for the connection in logs (connid); "" makes one up.
	Name string
}

// Limits bounds what a peer can make this side hold, for each connection. Zero fields mean the default; nothing is
// unlimited. Exceeding Frame, Inflated, Queued, QueuedBytes or Unread ends the connection with a *[LimitError];
// exceeding Decoded, Exports, Containers, Answer or Running fails the call. An application that exchanges larger values
// raises Frame, Inflated and Decoded.
type Limits struct {
	// Frame is the length in bytes of one message as it comes, 0 means 64 MiB and 64 KiB: a value of 64 MiB, which zlib
	// may have made a little longer, and what stands around it.
	Frame int64
	// Inflated is the length in bytes of one message after decompression, 0 means 64 MiB and 64 KiB.
	Inflated int64
	// Decoded is how many bytes of memory the values of one message take when they are decoded, as estimated before
	// that is done; 0 means 256 MiB. A byte string takes what it is long, a tuple of small numbers 18 times its
	// encoding, a frozenset up to 200 times. A request that exceeds it is answered with a MemoryError, a reply fails
	// its call with a *[LimitError].
	Decoded int64
	// Queued is the number of requests received and not begun, 0 means 65,536. Reading stops at 1024, unless something
	// this side waits for may be behind them. They are dropped when the connection ends.
	Queued int
	// QueuedBytes is the length in bytes of those requests, 0 means 256 MiB. Reading stops at 64 MiB, in the same way.
	QueuedBytes int64
	// Running is the number of requests begun and not answered, 0 means 10,000. Handlers that wait for the peer count:
	// without a limit, a peer that calls and does not answer in its turn could pile them up. The peer gets a
	// RecursionError, as CPython has one for calls nested too deeply.
	Running int
	// Exports is the number of objects of ours the peer holds, 0 means 1,048,576.
	Exports int
	// Containers is how many bytes of memory the containers take that the peer has made or made larger by operations
	// such as l * 1000000, l.copy() and iter(d), and the values that it has put into these and other containers, as long
	// as it or something here refers to them; 0 means 512 MiB. More is a MemoryError. Operations that are under way at
	// the same time, because they wait for the peer, may hold as much besides. See [exposed.Budget].
	Containers int64
	// Answer is the length in bytes of an answer that is a tuple or a pickle, 0 means 256 MiB: a peer can ask for the same
	// text a million times. In place of a longer one it gets a MemoryError. A text or byte string by itself may be
	// longer.
	Answer int64
	// Unread is the length in bytes of the answers that wait for the peer to read them, to requests that no handler
	// runs for, such as PING; 0 means 64 MiB. Handlers wait when far less is queued.
	Unread int64
}

const (
	defaultTimeout      = 30 * time.Second
	defaultCloseTimeout = 2 * time.Second
	defaultExports      = 1 << 20
	defaultQueued       = 1 << 16
	defaultDecoded      = 256 << 20
	defaultContainers   = 512 << 20
	defaultAnswer       = 256 << 20
	defaultUnread       = 64 << 20
	defaultQueuedBytes  = 256 << 20
	defaultRunning      = 10_000
)

// silent is the logger of those who want none.
var silent = slog.New(slog.DiscardHandler)

func (c *Config) clone() Config {
	var cfg Config
	if c != nil {
		cfg = *c
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	setDefault(&cfg.CloseTimeout, defaultCloseTimeout)
	switch {
	case cfg.Concurrency == 0:
		cfg.Concurrency = 1
	case cfg.Concurrency < 0:
		cfg.Concurrency = int(^uint(0) >> 1)
	}
	setDefault(&cfg.Limits.Decoded, defaultDecoded)
	setDefault(&cfg.Limits.Queued, defaultQueued)
	setDefault(&cfg.Limits.QueuedBytes, defaultQueuedBytes)
	setDefault(&cfg.Limits.Running, defaultRunning)
	setDefault(&cfg.Limits.Exports, defaultExports)
	setDefault(&cfg.Limits.Containers, defaultContainers)
	setDefault(&cfg.Limits.Answer, defaultAnswer)
	setDefault(&cfg.Limits.Unread, defaultUnread)
	if cfg.Logger == nil {
		cfg.Logger = silent
	}
	return cfg
}

// setDefault sets a setting that has to be positive, and is not, to d.
func setDefault[T int | int64 | time.Duration](setting *T, d T) {
	if *setting <= 0 {
		*setting = d
	}
}

func (c *Config) frameLimits() frame.Limits {
	return frame.Limits{MaxFrame: c.Limits.Frame, MaxInflated: c.Limits.Inflated}
}

// compression is what upstream does, if it was asked for (rpyc.core.channel.Channel.COMPRESSION_THRESHOLD).
func (c *Config) compression() frame.Compress {
	if c.Compress {
		return frame.Compress{Above: 3000, Level: 1}
	}
	return frame.Compress{}
}
