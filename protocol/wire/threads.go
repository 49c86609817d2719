package wire

import "encoding/binary"

// Threads says which thread a message is from and which it is for, where both peers bind threads (bind_threads, of RPyC
// 5.3.1 and later). A thread's number is its owner's to choose, and not 0.
type Threads struct {
	Sender    uint64
	Recipient uint64 // 0 for any that is free
}

const threadsSize = 16

var boundC, boundD, boundE = FamilyC.binding(), FamilyD.binding(), FamilyE.binding()

func (d *Dialect) binding() *Dialect {
	b := *d
	b.family += "+threads"
	b.threads = true
	b.base = d
	return &b
}

// Family returns the family that d is a form of: d itself, unless messages name threads or something about the peer is
// not certain yet.
func (d *Dialect) Family() *Dialect {
	d = d.Shown()
	if d.base != nil {
		return d.base
	}
	return d
}

// BindThreads returns the form of d in which messages name threads; nil for the families that have none.
func (d *Dialect) BindThreads() *Dialect {
	switch d.Family() {
	case FamilyC:
		return boundC
	case FamilyD:
		return boundD
	case FamilyE:
		return boundE
	}
	return nil
}

// BindsThreads reports whether messages name threads.
func (d *Dialect) BindsThreads() bool { return d.threads }

// AppendThreads appends what stands before a message's header if d binds threads, and otherwise nothing.
func (d *Dialect) AppendThreads(b []byte, t Threads) []byte {
	if !d.threads {
		return b
	}
	b = binary.BigEndian.AppendUint64(b, t.Sender)
	return binary.BigEndian.AppendUint64(b, t.Recipient)
}

// ReadThreads reads the threads of a message that has them; its header must have been read. It is zero if d does not
// bind threads.
func (d *Dialect) ReadThreads(payload []byte) Threads {
	if !d.threads {
		return Threads{}
	}
	return Threads{Sender: binary.BigEndian.Uint64(payload), Recipient: binary.BigEndian.Uint64(payload[threadsSize/2:])}
}
