package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// inlineLength is up to which length text and bytes stay in the normal form; longer ones are kept beside it.
const inlineLength = 255

// newSet is the number of a literal that is no literal but asks for a new set.
const newSet = -1

// scanner is the pass over a pickle that comes before gopickle sees it. It checks everything that can be checked
// without building values: lengths, the height of the stack and its marks, what the memo holds, how many of each thing
// there are. And it rewrites the pickle in a normal form that leaves gopickle no decision it takes wrongly, see scan.
type scanner struct {
	data  []byte
	pos   int
	limit Limits
	alias bool

	out      []byte
	literals []any
	classes  map[Class]int // index among the literals

	height     int   // of the stack above the last mark
	below      []int // heights below the marks
	memo       map[uint32]struct{}
	containers int
}

// scan returns the normal form:
//
//   - no PROTO, no FRAME, one kind of PUT and GET, all of what GET asks for in the memo;
//   - integers, floats and text as text, long strings, bytes: a literal, which is its index in the table and BINPERSID;
//   - classes: literals, from a pair of names the tuple of them and BINPERSID;
//   - sets: a literal that makes one, frozensets and objects with keyword arguments tuples of one and three values and
//     BINPERSID, so that no Go map gets a member that it cannot hash.
func (s *scanner) scan() (err error) {
	s.memo, s.classes = map[uint32]struct{}{}, map[Class]int{}
	s.out = make([]byte, 0, min(len(s.data), 1<<20)+16)
	for ops := 1; ; ops++ {
		at := s.pos
		op, err := s.byte()
		if err == nil {
			if ops > s.limit.Ops {
				err = limit("opcodes of a pickle", ops, s.limit.Ops)
			} else {
				err = s.op(op)
			}
		}
		if errors.Is(err, errStop) {
			return nil
		}
		if err != nil {
			return &DecodeError{Offset: at, Err: err}
		}
	}
}

var (
	errStop  = errors.New("the end of the pickle")
	errStack = errors.New("an opcode wants more from the stack than there is")
	errMark  = errors.New("an opcode wants a mark on the stack and there is none")
)

func (s *scanner) op(op byte) error {
	switch op {
	case opProto:
		v, err := s.byte()
		if err == nil && v > HighestProtocol {
			err = fmt.Errorf("%w: %d", ErrProtocol, v)
		}
		return err
	case opFrame:
		n, err := s.uint(8)
		if err == nil && n > uint64(len(s.data)-s.pos) {
			err = io.ErrUnexpectedEOF
		}
		return err
	case opStop:
		if s.height < 1 {
			return errStack
		}
		s.out = append(s.out, opStop)
		return errStop
	case opMark:
		if len(s.below) >= s.limit.Depth {
			return limit("nesting depth", len(s.below)+1, s.limit.Depth)
		}
		s.below = append(s.below, s.height)
		s.height = 0
		s.out = append(s.out, op)
		return nil
	case opPop:
		if s.height == 0 {
			return s.marked(opPopMark, 0)
		}
		return s.plain(op, 1, 0)
	case opPopMark:
		return s.marked(op, 0)
	case opDup:
		return s.plain(op, 1, 2)
	case opNone, opNewTrue, opNewFalse:
		return s.plain(op, 0, 1)
	case opBinInt, opBinInt1, opBinInt2, opBinFloat:
		p, err := s.take(uint64(width(op)))
		if err != nil {
			return err
		}
		s.out = append(append(s.out, op), p...)
		s.height++
		return nil
	case opInt, opLong, opLong1, opLong4, opFloat:
		return s.number(op)
	case opString, opBinString, opShortBinString, opUnicode, opBinUnicode, opShortBinUnicode, opBinUnicode8:
		return s.text(op)
	case opBinBytes, opShortBinBytes, opBinBytes8, opByteArray8:
		return s.bytes(op)
	case opEmptyTuple, opEmptyList, opEmptyDict:
		return s.container(op, 0)
	case opTuple1, opTuple2, opTuple3:
		return s.container(op, int(op-opTuple1)+1)
	case opEmptySet:
		s.refer(newSet)
		return s.count()
	case opTuple, opList, opDict, opObj, opFrozenSet:
		return s.collect(op)
	case opAppend, opBuild:
		return s.plain(op, 2, 1)
	case opSetItem:
		return s.plain(op, 3, 1)
	case opAppends, opSetItems, opAddItems:
		if op == opSetItems && s.height%2 != 0 {
			return errors.New("a key without a value")
		}
		return s.marked(op, 1)
	case opGlobal, opInst, opStackGlobal:
		return s.global(op)
	case opReduce, opNewObj:
		return s.container(op, 2)
	case opNewObjEx:
		if err := s.container(opTuple3, 3); err != nil {
			return err
		}
		s.out = append(s.out, opBinPersID)
		return nil
	case opGet, opBinGet, opLongBinGet, opPut, opBinPut, opLongBinPut, opMemoize:
		return s.memoOp(op)
	case opPersID, opBinPersID:
		return errors.New("persistent ids are not supported")
	case opExt1, opExt2, opExt4:
		return errors.New("extension codes are not supported")
	case opNextBuffer, opReadOnlyBuffer:
		return errors.New("buffers outside the pickle are not supported")
	}
	return fmt.Errorf("unknown opcode 0x%02x", op)
}

// plain writes an opcode without an argument that replaces n values by m.
func (s *scanner) plain(op byte, n, m int) error {
	if s.height < n {
		return errStack
	}
	s.height += m - n
	s.out = append(s.out, op)
	return nil
}

// container is plain for one that makes a value of n.
func (s *scanner) container(op byte, n int) error {
	if err := s.count(); err != nil {
		return err
	}
	return s.plain(op, n, 1)
}

func (s *scanner) count() error {
	if s.containers++; s.containers > s.limit.Containers {
		return limit("containers of a pickle", s.containers, s.limit.Containers)
	}
	return nil
}

// marked writes an opcode that takes everything above the last mark, and needs n values below it.
func (s *scanner) marked(op byte, n int) error {
	if len(s.below) == 0 {
		return errMark
	}
	s.height = s.below[len(s.below)-1]
	s.below = s.below[:len(s.below)-1]
	if s.height < n {
		return errStack
	}
	s.out = append(s.out, op)
	return nil
}

// collect is marked for an opcode that makes one value.
func (s *scanner) collect(op byte) error {
	switch {
	case op == opDict && s.height%2 != 0:
		return errors.New("a key without a value")
	case op == opObj && s.height == 0:
		return errStack
	}
	if err := s.count(); err != nil {
		return err
	}
	first := op
	if op == opFrozenSet {
		first = opTuple
	}
	if err := s.marked(first, 0); err != nil {
		return err
	}
	if op == opFrozenSet {
		s.out = append(s.out, opTuple1, opBinPersID)
	}
	s.height++
	return nil
}

func (s *scanner) number(op byte) error {
	var v any
	var err error
	switch op {
	case opInt, opLong, opFloat:
		var line []byte
		if line, err = s.line(); err != nil {
			return err
		}
		switch t := string(line); {
		case op == opInt && t == "00":
			v = false
		case op == opInt && t == "01":
			v = true
		case op == opFloat:
			v, err = parseFloat(t)
		case op == opLong:
			v, err = parseInt(string(bytes.TrimSuffix(line, []byte("L"))), s.limit.Digits)
		default:
			v, err = parseInt(t, s.limit.Digits)
		}
	default:
		var n uint64
		if n, err = s.uint(width(op)); err != nil {
			return err
		}
		if n > math.MaxInt32 {
			return errors.New("an integer of negative length")
		}
		var p []byte
		if p, err = s.take(n); err != nil {
			return err
		}
		v = parseLong(p)
	}
	if err == nil {
		s.literal(v)
	}
	return err
}

func (s *scanner) text(op byte) error {
	var p []byte
	var err error
	switch op {
	case opString, opUnicode:
		p, err = s.line()
	default:
		p, err = s.counted(width(op))
	}
	if err != nil {
		return err
	}
	switch op {
	case opString:
		if p, err = pythonString(p); err == nil {
			s.literal(str2(p))
		}
		return err
	case opBinString, opShortBinString:
		s.literal(str2(p))
		return nil
	case opUnicode:
		t, err := rawUnicode(p)
		if err == nil {
			s.literal(t)
		}
		return err
	}
	if !validText(p) {
		return fmt.Errorf("%w: not UTF-8", errText)
	}
	if len(p) > inlineLength {
		s.literal(string(p))
		return nil
	}
	s.out = append(append(s.out, opShortBinUnicode, byte(len(p))), p...)
	s.height++
	return nil
}

func (s *scanner) bytes(op byte) error {
	p, err := s.counted(width(op))
	if err != nil {
		return err
	}
	if len(p) <= inlineLength && op != opByteArray8 {
		s.out = append(append(s.out, opShortBinBytes, byte(len(p))), p...)
		s.height++
		return nil
	}
	if !s.alias {
		p = bytes.Clone(p)
	}
	if op == opByteArray8 {
		s.literal(ByteArray(p))
	} else {
		s.literal(p)
	}
	return nil
}

func (s *scanner) global(op byte) error {
	if op == opStackGlobal {
		if err := s.plain(opTuple2, 2, 1); err != nil {
			return err
		}
		s.out = append(s.out, opBinPersID)
		return nil
	}
	module, err := s.line()
	if err != nil {
		return err
	}
	name, err := s.line()
	if err != nil {
		return err
	}
	if len(module)+len(name) > maxName || !validText(module) || !validText(name) {
		return errName
	}
	c := Class{string(module), string(name)}
	i, ok := s.classes[c]
	if !ok {
		i = len(s.literals)
		s.classes[c] = i
		s.literals = append(s.literals, &classNode{c})
	}
	if op == opGlobal {
		s.refer(i)
		return nil
	}
	if err := s.count(); err != nil {
		return err
	}
	if err := s.marked(op, 0); err != nil {
		return err
	}
	s.height++
	s.out = append(s.out, "\n"+strconv.Itoa(i)+"\n"...)
	return nil
}

func (s *scanner) memoOp(op byte) error {
	var n uint64
	var err error
	switch op {
	case opGet, opPut:
		var line []byte
		if line, err = s.line(); err == nil {
			if n, err = strconv.ParseUint(string(bytes.TrimSpace(line)), 10, 32); err != nil {
				err = fmt.Errorf("%w of a memo index", errText)
			}
		}
	case opMemoize:
		n = uint64(len(s.memo))
	default:
		n, err = s.uint(width(op))
	}
	if err != nil {
		return err
	}
	i := uint32(n)
	switch op {
	case opGet, opBinGet, opLongBinGet:
		if _, ok := s.memo[i]; !ok {
			return fmt.Errorf("nothing in the memo at %d", i)
		}
		s.out = append(s.out, opLongBinGet)
		s.height++
	default:
		if s.height < 1 {
			return errStack
		}
		s.memo[i] = struct{}{}
		s.out = append(s.out, opLongBinPut)
	}
	s.out = binary.LittleEndian.AppendUint32(s.out, i)
	return nil
}

// literal puts a value into the table and its index into the normal form.
func (s *scanner) literal(v any) {
	switch x := v.(type) {
	case string:
		if len(x) > inlineLength {
			v = &longLiteral{value: v, number: -1}
		}
	case []byte:
		if len(x) > inlineLength {
			v = &longLiteral{value: v, number: -1}
		}
	case ByteArray:
		v = &longLiteral{value: v, number: -1}
	}
	s.literals = append(s.literals, v)
	s.refer(len(s.literals) - 1)
}

// refer writes a reference to the i-th literal.
func (s *scanner) refer(i int) {
	s.out = append(s.out, opBinInt)
	s.out = binary.LittleEndian.AppendUint32(s.out, uint32(int32(i)))
	s.out = append(s.out, opBinPersID)
	s.height++
}
