package protocol

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// FamilyError says that the peer speaks a protocol family that [Config].Families leaves out.
type FamilyError struct {
	Got    *wire.Dialect
	Spoken []*wire.Dialect
}

// Error implements error.
func (e *FamilyError) Error() string {
	var spoken []string
	for _, d := range e.Spoken {
		spoken = append(spoken, fmt.Sprintf("%v (%s)", d, d.Releases()))
	}
	return fmt.Sprintf("rpyc: protocol family %v (%s) is not spoken here, only %s", e.Got, e.Got.Releases(),
		strings.Join(spoken, ", "))
}

// speaks reports whether the configuration allows a family.
func (c *Config) speaks(d *wire.Dialect) bool {
	return c == nil || len(c.Families) == 0 || slices.Contains(c.Families, d.Family())
}

// speaksOld reports whether the configuration allows a family that has to be told from FamilyC by asking.
func (c *Config) speaksOld() bool {
	return slices.ContainsFunc([]*wire.Dialect{wire.FamilyA, wire.FamilyA2, wire.FamilyB, wire.FamilyB2, wire.FamilyC2},
		c.speaks)
}

// refuseFamily answers a peer whose family is not spoken here, and returns the error that the connection ends with.
func (c *Conn) refuseFamily(d *wire.Dialect, payload []byte) error {
	err := &FamilyError{Got: d.Family(), Spoken: c.cfg.Families}
	kind, seq, _, e := d.ReadHeader(payload)
	if e == nil && kind == wire.Request {
		in := &incoming{c: c, d: d, seq: seq, thread: d.ReadThreads(payload).Sender}
		in.answer(nil, vinegar.RuntimeError.New(err.Error()), sendTry)
		c.out.settle()
	}
	return err
}

// askCommon sends a request in the form that the families have in common and returns its number. Nobody waits for the
// answer.
func (c *Conn) askCommon(h wire.Handler, args func([]byte) []byte) int64 {
	seq := c.seq.Add(1) - 1
	c.tell(sendLater, wire.FamilyC, seq, h, func(b []byte) ([]byte, error) { return args(b), nil })
	return seq
}
