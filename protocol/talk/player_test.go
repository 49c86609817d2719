package talk_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/talk"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// TestEndlessDels: another end that gives references back for ever, and says nothing else, is not listened to for
// longer than one that is silent.
func TestEndlessDels(t *testing.T) {
	d := wire.FamilyD
	ref := brine.Tuple{"builtins.list", int64(1), int64(2)}
	del, err := brine.Append(d.AppendRequest(nil, 1, wire.HandleDel), brine.Tuple{int64(2), brine.Tuple{
		brine.Tuple{int64(3), ref}, brine.Tuple{int64(1), int64(1)}}})
	require.NoError(t, err)
	reply, err := brine.Append(d.AppendHeader(nil, wire.Reply, wire.Seq{N: 5}), brine.Tuple{int64(1), nil})
	require.NoError(t, err)
	for _, reads := range []bool{true, false} {
		here, there := net.Pipe()
		go func() {
			for err := error(nil); err == nil; err = frame.Write(there, del) {
			}
		}()
		if reads {
			go func() { _, _ = io.Copy(io.Discard, there) }()
		}
		p := talk.Player{Stream: here, Own: talk.FromClient, Timeout: 100 * time.Millisecond}
		err := p.Play(t.Context(), []talk.Record{{Dir: talk.FromServer, Payload: reply}})
		var timeout *talk.TimeoutError
		require.ErrorAs(t, err, &timeout)
		require.NoError(t, here.Close())
		require.NoError(t, there.Close())
	}
}
